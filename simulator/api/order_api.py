"""Order writes of the account: create, cancel, amend, decrease, batches; V1 is refused as on the exchange."""

from collections.abc import Callable, Mapping

from simulator.api.portfolio_api import check_subaccount
from simulator.api.query import read_int
from simulator.api.request_body import JsonBody, read_expiration, read_order_request
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute
from simulator.api.rows import JsonRow, placed_row
from simulator.errors import ApiError, malformed_body, nested_error, not_found
from simulator.order_rules import check_active, check_amendment, check_expiration
from simulator.orders import SIDES, OrderRequest, SimulatedOrder
from simulator.rate_limits import ALL_SHARDS
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import format_count

ORDERS = "/portfolio/events/orders"
V1_ORDERS = "/portfolio/orders"
ATTESTED_CATEGORIES = ("Sports", "Elections", "Entertainment")
"""Categories that need a valid location attestation (Kalshi changelog, August 2026)."""


class OrderApi:
    """Handlers of /portfolio/events/orders and of the V1 paths."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange

    def routes(self) -> list[ApiRoute]:
        """Return the routes; each handler bills by itself, because the bucket depends on the shard."""
        handlers = [
            ("POST", ORDERS, self.create),
            ("DELETE", ORDERS, self.cancel_all),
            ("POST", f"{ORDERS}/batched", self.create_batch),
            ("DELETE", f"{ORDERS}/batched", self.cancel_batch),
            ("DELETE", f"{ORDERS}/{{order_id}}", self.cancel),
            ("POST", f"{ORDERS}/{{order_id}}/amend", self.amend),
            ("POST", f"{ORDERS}/{{order_id}}/decrease", self.decrease),
        ]
        v1 = [
            ("POST", V1_ORDERS),
            ("POST", f"{V1_ORDERS}/batched"),
            ("DELETE", f"{V1_ORDERS}/batched"),
            ("DELETE", f"{V1_ORDERS}/{{order_id}}"),
            ("POST", f"{V1_ORDERS}/{{order_id}}/amend"),
            ("POST", f"{V1_ORDERS}/{{order_id}}/decrease"),
        ]
        return [ApiRoute(method, path, handler, billed=False) for method, path, handler in handlers] + [
            ApiRoute(method, path, self.refuse_v1) for method, path in v1
        ]

    def create(self, request: ApiRequest) -> ApiResponse:
        """POST /portfolio/events/orders."""
        body = JsonBody.decode(request.body)
        self._bill("POST", ORDERS, body.integer("exchange_index"), routed=True)
        return ApiResponse(self._create(body), 201)

    def create_batch(self, request: ApiRequest) -> ApiResponse:
        """POST .../batched: one result per item, an error in place of a refused order."""
        return ApiResponse({"orders": [self._result(self._create, item, {}) for item in self._items(request)]}, 201)

    def cancel(self, request: ApiRequest) -> ApiResponse:
        """DELETE .../{order_id}; without market_ticker and exchange_index only shard 0 is searched."""
        check_subaccount(request.query)
        index = read_int(request.query, "exchange_index", -1, -1) if "exchange_index" in request.query else None
        ticker = request.query.get("market_ticker", "")
        self._bill("DELETE", f"{ORDERS}/{{order_id}}", index, routed=bool(ticker))
        return ApiResponse(self._cancel(request.params["order_id"], ticker, index))

    def cancel_batch(self, request: ApiRequest) -> ApiResponse:
        """DELETE .../batched."""

        def cancel(body: JsonBody) -> JsonRow:
            ticker, index = body.text("market_ticker", ""), body.integer("exchange_index")
            return self._cancel(body.text("order_id"), ticker, index)

        def failed(item: object) -> JsonRow:
            order_id = item.get("order_id") if isinstance(item, Mapping) else None
            return {"order_id": order_id if isinstance(order_id, str) else "", "reduced_by": "0.00"}

        return ApiResponse({"orders": [self._result(cancel, item, failed(item)) for item in self._items(request)]})

    def cancel_all(self, request: ApiRequest) -> ApiResponse:
        """DELETE /portfolio/events/orders: every resting order on every shard."""
        check_subaccount(request.query)
        self._bill("DELETE", ORDERS, None, routed=True)
        self._check_open_for("cancel")
        for orders in list(self.exchange.member.resting.values()):
            for order in list(orders.values()):
                self.exchange.engine.end(order)
        return ApiResponse(None, 204)

    def amend(self, request: ApiRequest) -> ApiResponse:
        """POST .../{order_id}/amend: a new price, total count, expiration or client_order_id."""
        check_subaccount(request.query)
        body = JsonBody.decode(request.body)
        self._bill("POST", f"{ORDERS}/{{order_id}}/amend", body.integer("exchange_index"), routed=True)
        self._check_open_for("trade")
        order = self._resting_order(request.params["order_id"], body.integer("exchange_index"))
        if body.text("ticker") != order.ticker:
            raise nested_error(400, "order_ticker_mismatch")
        if body.choice("side", SIDES) != order.side:
            raise nested_error(400, "order_side_mismatch")
        if body.text("client_order_id", order.client_order_id) != order.client_order_id:
            raise nested_error(400, "order_id_and_client_order_id_mismatch")
        self._amend(order, body)
        return ApiResponse(placed_row(order, order.updated))

    def decrease(self, request: ApiRequest) -> ApiResponse:
        """POST .../{order_id}/decrease: exactly one of reduce_by and reduce_to."""
        check_subaccount(request.query)
        body = JsonBody.decode(request.body)
        ticker, index = body.text("market_ticker", ""), body.integer("exchange_index")
        self._bill("POST", f"{ORDERS}/{{order_id}}/decrease", index, routed=bool(ticker))
        self._check_open_for("cancel")
        order = self._resting_order(request.params["order_id"], self._shard(ticker, index))
        if ("reduce_by" in body) == ("reduce_to" in body):
            raise nested_error(400, "bad_request", "exactly one of reduce_by and reduce_to")
        to = order.remaining - body.count("reduce_by") if "reduce_by" in body else body.count("reduce_to")
        if to >= order.remaining:
            raise nested_error(400, "invalid_order_size")
        self.exchange.engine.decrease(self.exchange.member, order.order_id, to)
        return ApiResponse(_changed_row(order, {"remaining_count": format_count(order.remaining)}))

    def refuse_v1(self, request: ApiRequest) -> ApiResponse:
        """Raise the error of V1 order writes, which ended in June 2026."""
        raise nested_error(410, "deprecated_v1_order_endpoint", message="Please switch to the V2 endpoints")

    def _create(self, body: JsonBody) -> JsonRow:
        self._check_open_for("trade")
        request = read_order_request(body)
        self._check_market(request, body.integer("exchange_index"))
        self.exchange.order_groups.check(request)
        order = self.exchange.engine.place(self.exchange.member, request)
        return placed_row(order, order.created)

    def _check_market(self, request: OrderRequest, index: int | None) -> None:
        market = self.exchange.engine.markets.get(request.ticker)
        if market is None:
            return  # the engine refuses it
        if index is not None and index not in (ALL_SHARDS, market.shard):
            raise nested_error(400, "bad_request", "the market is not on that exchange index")
        until = self.exchange.attested_until
        if until is not None and until <= self.exchange.clock() and market.event.series.category in ATTESTED_CATEGORIES:
            raise nested_error(403, "forbidden", "location attestation has expired")

    def _amend(self, order: SimulatedOrder, body: JsonBody) -> None:
        engine, member = self.exchange.engine, self.exchange.member
        price, count, expires = body.price(), body.count(), read_expiration(body)
        new_id = body.text("updated_client_order_id", "")
        check_amendment(engine.market(order.ticker), member, order, price, count, new_id)
        check_expiration(order.request, expires or None, self.exchange.clock())
        if new_id:
            member.client_order_ids.add(new_id)
            order.client_order_id = new_id
        engine.amend(member, order, price, count, order.expires if expires is None else expires or None)  # 0 clears it

    def _cancel(self, order_id: str, ticker: str, index: int | None) -> JsonRow:
        self._check_open_for("cancel")
        order = self._resting_order(order_id, self._shard(ticker, index))
        if ticker not in ("", order.ticker):
            raise not_found()
        _, removed = self.exchange.engine.cancel(self.exchange.member, order_id)
        return _changed_row(order, {"reduced_by": format_count(removed)})

    def _shard(self, ticker: str, index: int | None) -> int:
        """Return the shard to which the exchange sends a write without a full order: the index, the market's, or 0."""
        if index is not None and index >= 0:
            return index
        market = self.exchange.engine.markets.get(ticker)
        return market.shard if market else 0

    def _resting_order(self, order_id: str, shard: int | None) -> SimulatedOrder:
        """Return the member's resting order on a shard (None or negative: any). A closed market refuses all writes."""
        engine = self.exchange.engine
        order = engine.orders.get(order_id)
        if order and order.account == self.exchange.member.name:
            if shard is not None and shard not in (ALL_SHARDS, order.shard):
                raise not_found()
            if engine.markets[order.ticker].status not in ("active", "inactive"):
                check_active(engine.markets[order.ticker])
        return engine.order(self.exchange.member, order_id)

    def _items(self, request: ApiRequest) -> list[object]:
        items = JsonBody.decode(request.body).items("orders")
        if not items:
            raise malformed_body("orders: expected at least one")
        self.exchange.budget.spend(request.method, f"{ORDERS}/batched", len(items))
        return items

    def _result(self, work: Callable[[JsonBody], JsonRow], item: object, base: JsonRow) -> JsonRow:
        try:
            return work(JsonBody(item))
        except ApiError as error:
            return base | {"error": error.body.get("error", error.body)}

    def _bill(self, method: str, path: str, index: int | None, *, routed: bool) -> None:
        """Bill an order write. routed: without an explicit index the exchange finds the shard, for every bucket."""
        shard = index if index is not None and index >= 0 else ALL_SHARDS if routed or index == ALL_SHARDS else 0
        self.exchange.budget.spend(method, path, shard=shard if shard in self.exchange.budget.writes else ALL_SHARDS)

    def _check_open_for(self, operation: str) -> None:
        """Raise ApiError during a pause; status and codes are not documented."""
        if not self.exchange.is_open_for(operation):
            paused = "trading_is_paused" if self.exchange.is_open_for("cancel") else "exchange_is_paused"
            raise nested_error(400, paused)


def _changed_row(order: SimulatedOrder, members: JsonRow) -> JsonRow:
    client = {"client_order_id": order.client_order_id} if order.client_order_id else {}
    return {"order_id": order.order_id} | client | members | {"ts_ms": int(order.updated * 1000)}
