"""The control port's routes: help, faults, actions and the ledger; every call but help needs the token."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final

from aiohttp import web

from simulator.admin.actions import AdminActions
from simulator.api.authentication import Authenticator
from simulator.api.http_server import read_request, to_web_response
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute, RouteTable
from simulator.api.rows import cash_transfer_row, fill_row, order_row, position_row, settlement_row
from simulator.errors import ApiError, nested_error, not_found
from simulator.faults import KINDS, REASONS
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import MONEY_DOLLAR, format_cash

HELP: Final = {
    "token": "send it as `Authorization: Bearer TOKEN`",
    "GET /faults": "the active faults",
    "POST /faults": {
        "kind": KINDS,
        "path": "pattern of the path, such as */portfolio/* (default all)",
        "method": "GET, POST … (default all)",
        "times": "remove it after so many hits",
        "skip": "let so many requests pass first",
    },
    "GET /reasons": "the reasons of the fault kind `refuse`, with their status and body",
    "DELETE /faults": "remove all",
    "DELETE /faults/{id}": "remove one",
    "POST /fill": "{ticker, side bid|ask, count, price?}: the account trades outside the bot; returns the fill_id",
    "POST /quote": "{ticker, bid, ask, count}: the only quotes of other traders in this market, until they quote again",
    "POST /take": "{ticker, side, count, price}: another trader takes from the book, so that resting orders fill",
    "POST /settle": "{ticker, result yes|no|scalar|void, value?, report_value_of yes|no?}: close, determine, pay",
    "POST /close": "{ticker}: end trading",
    "POST /halt": "{ticker}: pause one market",
    "POST /resume": "{ticker}: reactivate it",
    "POST /advance": "{seconds}: let the schedule pass",
    "POST /cutoff": "{seconds}: rows older than this move to the historical tier",
    "POST /tier": "{tier}: other token buckets",
    "POST /deposit": "{amount_cents, fee_cents?, type?, status?, exchange_index?}: listed by /portfolio/deposits",
    "POST /withdraw": "the same, listed by /portfolio/withdrawals",
    "POST /adjust": "{dollars, exchange_index?}: cash moves and no row reports it (interest, rebate); may be negative",
    "POST /void": "{fill_id, keep_row?}: undo a fill of a market that has not settled",
    "POST /settlement_floor": "{ticker, floor}: set the floor of a market whose settlement_bounds_type is floor",
    "POST /scopes": "{key_id, scopes [read, write, write::trade …]}: scopes of an API key",
    "POST /attestation": "{seconds?}: the location attestation expires after so many seconds",
    "GET /ledger": "the true account, whatever the reads return: cash, start, positions, fills, orders, open markets",
}


class AdminApi:
    """Answer the requests of the control port. cut_sockets: called by faults that end all sockets.

    record: called with each request that may change something, before it is carried out.
    """

    def __init__(
        self, exchange: SimulatedExchange, authenticator: Authenticator | None, cut_sockets: Callable[[], None],
        record: Callable[[ApiRequest], None] = lambda request: None,
    ) -> None:  # fmt: skip
        self.exchange = exchange
        self._record = record
        self._cut_sockets = cut_sockets
        self.table = RouteTable()
        self.table.add(
            ApiRoute("GET", "/", self.help),
            ApiRoute("GET", "/faults", self.list_faults),
            ApiRoute("POST", "/faults", self.add_fault),
            ApiRoute("DELETE", "/faults", self.clear_faults),
            ApiRoute("DELETE", "/faults/{id}", self.clear_faults),
            ApiRoute("GET", "/reasons", self.reasons),
            ApiRoute("GET", "/ledger", self.ledger),
            *AdminActions(exchange, authenticator).routes(),
        )

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Return the response to a request."""
        if request.method != "GET":
            self._record(request)
        return self.carry_out(request)

    def carry_out(self, request: ApiRequest) -> ApiResponse:
        """Return the response to a request, without recording it."""
        try:
            route, params = self.table.find(request.method, request.path)
            return route.handler(ApiRequest(request.method, request.path, request.query, request.body, params))
        except ApiError as error:
            return ApiResponse(error.body, error.status)
        except ValueError as error:
            return ApiResponse({"error": {"code": "bad_request", "message": str(error)}}, 400)

    def help(self, request: ApiRequest) -> ApiResponse:
        """Return the description of this port."""
        return ApiResponse(HELP)

    def list_faults(self, request: ApiRequest) -> ApiResponse:
        """Return the active faults."""
        return ApiResponse({"faults": [asdict(fault) for fault in self.exchange.faults.active.values()]})

    def add_fault(self, request: ApiRequest) -> ApiResponse:
        """Activate a fault."""
        options = json.loads(request.body)
        if not isinstance(options, dict):
            raise ValueError("expected a JSON object")
        fault = self.exchange.faults.add(options)
        if fault.kind in ("ws_cut", "maintenance"):
            self._cut_sockets()
        if fault.kind == "ws_cut":
            self.exchange.faults.clear(fault.id)
        return ApiResponse(asdict(fault), 201)

    def clear_faults(self, request: ApiRequest) -> ApiResponse:
        """Remove one fault or all."""
        fault_id = request.params.get("id")
        try:
            self.exchange.faults.clear(int(fault_id) if fault_id else None)
        except KeyError:
            raise not_found() from None
        return ApiResponse(None, 204)

    def reasons(self, request: ApiRequest) -> ApiResponse:
        """Return the reasons of the fault kind refuse."""
        rows = {reason: {"status": error.status, "body": error.body} for reason, error in REASONS.items()}
        return ApiResponse({"reasons": rows})

    def ledger(self, request: ApiRequest) -> ApiResponse:
        """Return the account as the engine has it, without lag or fault."""
        exchange, truth = self.exchange, self.exchange.caught_up_ledger()
        markets, member, transfers = exchange.engine.markets, exchange.member, exchange.transfers
        start = sum(exchange.options.starting_cash().values())
        return ApiResponse(
            {
                "start_dollars": format_cash(start // MONEY_DOLLAR * MONEY_DOLLAR),
                "cash_dollars": format_cash(member.total_cash),
                "cash_by_shard": {str(shard): format_cash(money) for shard, money in member.cash.items()},
                "adjusted_dollars": format_cash(transfers.adjusted),
                "positions": [
                    position_row(ticker, position, markets[ticker].shard)
                    for ticker, position in member.positions.items()
                ],
                "held_dollars": format_cash(member.reserved()),
                "fills": [fill_row(fill) for fill in truth.fills],
                "orders": [order_row(order) for order in truth.orders.values()],
                "markets": [market.ticker for market in markets.values() if market.status == "active"],
                "settlements": [settlement_row(paid) for paid in truth.settlements],
                "deposits": [cash_transfer_row(row) for row in transfers.deposits],
                "withdrawals": [cash_transfer_row(row) for row in transfers.withdrawals],
            }
        )


def admin_app(api: AdminApi, token: str) -> web.Application:
    """Return the aiohttp application of the control port."""

    def is_allowed(path: str, headers: Mapping[str, str]) -> bool:
        sent = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return path == "/" or hmac.compare_digest(sent, f"Bearer {token}".encode())

    async def serve(request: web.Request) -> web.Response:
        try:
            if not is_allowed(request.path, request.headers):
                raise nested_error(
                    401,
                    "token_needed",
                    "send Authorization: Bearer and the token that the simulator printed at its start",
                )
            return to_web_response(api.handle(await read_request(request)))
        except ApiError as error:
            return to_web_response(ApiResponse(error.body, error.status))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    return app
