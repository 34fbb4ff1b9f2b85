"""The REST API as one function from request to response: faults, authentication, budget, handler, errors."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from simulator.api.account_api import AccountApi
from simulator.api.authentication import Authenticator
from simulator.api.exchange_status_api import ExchangeStatusApi
from simulator.api.market_data_api import MarketDataApi
from simulator.api.market_history_api import MarketHistoryApi
from simulator.api.order_api import OrderApi
from simulator.api.order_group_api import OrderGroupApi
from simulator.api.portfolio_api import PortfolioApi
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute, RouteTable
from simulator.errors import ApiError, nested_error
from simulator.faults import edit_field
from simulator.simulated_exchange import SimulatedExchange

log = logging.getLogger(__name__)
PREFIX: Final = "/trade-api/v2"
SOCKET_PATH: Final = "/trade-api/ws/v2"
PUBLIC: Final = (
    "/exchange/",
    "/markets",
    "/events",
    "/series",
    "/historical/cutoff",
    "/historical/markets",
    "/historical/trades",
    "/account/endpoint_costs",
)
"""Beginnings of paths that need no signature (SDK 3.34; recorded demo server)."""


class RestApi:
    """Answer requests. authenticator: None accepts every request, for calls within a process.

    record: called with each accepted request that may change something, before it is carried out.
    """

    def __init__(
        self, exchange: SimulatedExchange, authenticator: Authenticator | None = None,
        record: Callable[[ApiRequest], None] | None = None,
    ) -> None:  # fmt: skip
        self.exchange = exchange
        self.authenticator = authenticator
        self._record = record
        self.table = RouteTable(PREFIX)
        for family in (
            ExchangeStatusApi(exchange),
            MarketDataApi(exchange),
            MarketHistoryApi(exchange),
            PortfolioApi(exchange),
            OrderApi(exchange),
            OrderGroupApi(exchange),
            AccountApi(exchange, authenticator),
        ):
            self.table.add(*family.routes())

    def handle(self, request: ApiRequest, headers: Mapping[str, str] | None = None, raw_path: str = "") -> ApiResponse:
        """Return the response to a request. raw_path: the path as sent, which may be percent-encoded."""
        try:
            self.raise_fault(request)
            response = self._answer(request, headers or {}, raw_path or request.path)
        except ApiError as error:
            response = ApiResponse(error.body, error.status)
        except Exception:  # a bug of the simulator must look like one of the exchange, and be visible in its log
            log.exception("%s %s: unexpected error, answered with 500", request.method, request.path)
            response = ApiResponse(nested_error(500, "internal_server_error").body, 500)
        for fault in self.exchange.faults.hits("field", request.method, request.path):
            response = ApiResponse(edit_field(response.body, fault), response.status)
        return response

    def raise_fault(self, request: ApiRequest) -> None:
        """Raise the ApiError of a fault that hits this request."""
        faults, method, path = self.exchange.faults, request.method, request.path
        if faults.find("maintenance") and not path.endswith("/exchange/status"):
            raise nested_error(503, "service_unavailable")
        if fault := faults.hit("error", method, path) or faults.hit("refuse", method, path):
            raise fault.error()
        if faults.hit("rate_limit", method, path):
            raise ApiError(429, {"error": "too many requests"})

    def authenticate(self, request: ApiRequest, headers: Mapping[str, str], raw_path: str) -> str:
        """Return the key id of a signed request. Raises ApiError.

        It is not known if an encoded path is verified as sent or decoded: both count.
        """
        if self.authenticator is None:
            return ""
        return self.authenticator.authenticate(headers, request.method, request.path, raw_path)

    def _answer(self, request: ApiRequest, headers: Mapping[str, str], raw_path: str) -> ApiResponse:
        path = request.path.removeprefix(PREFIX)
        signed = self.authenticator is None or "KALSHI-ACCESS-KEY" in headers or not path.startswith(PUBLIC)
        key_id = self.authenticate(request, headers, raw_path) if signed else ""
        route, params = self.table.find(request.method, request.path)
        if self.authenticator is not None and key_id:
            self.authenticator.check_scope(key_id, _scope(request.method, route.path))
        if self._record is not None and request.method != "GET":
            self._record(request)
        return self._carry_out(route, request, params, signed)

    def carry_out(self, request: ApiRequest) -> ApiResponse:
        """Return the response to a request that was accepted before. Raises ApiError."""
        route, params = self.table.find(request.method, request.path)
        return self._carry_out(route, request, params, signed=True)

    def _carry_out(self, route: ApiRoute, request: ApiRequest, params: dict[str, str], signed: bool) -> ApiResponse:
        if signed and route.billed:
            self.exchange.budget.spend(request.method, route.path)
        return route.handler(ApiRequest(request.method, request.path, request.query, request.body, params))


def _scope(method: str, path: str) -> str:
    """Return the scope that a route needs."""
    if method == "GET":
        return "read::portfolio_balance" if path == "/portfolio/balance" else "read"
    return "write::transfer" if "transfer" in path else "write::trade" if "order" in path else "write"
