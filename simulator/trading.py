"""The account's writes: create, cancel, amend, decrease, batches; V1 is refused as the exchange refuses it."""

from typing import Any

from aiohttp import web

from simulator.asked import SIDES, Asked, expiry, new_order
from simulator.desk import Desk
from simulator.gate import answer
from simulator.order import Order
from simulator.portfolio import check_subaccount
from simulator.refusal import Refusal, malformed, not_found, refuse
from simulator.rules import check_amendment, check_open
from simulator.units import count_text
from simulator.wire import Row, placed_row

ORDERS = "/portfolio/events/orders"


class Trading:
    """Handlers of /portfolio/events/orders and of what was there before."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> list[tuple[str, str, Any]]:
        """(method, path, handler)."""
        old = "/portfolio/orders"
        v1 = [
            ("POST", old),
            ("POST", f"{old}/batched"),
            ("DELETE", f"{old}/batched"),
            ("DELETE", f"{old}/{{order_id}}"),
            ("POST", f"{old}/{{order_id}}/amend"),
            ("POST", f"{old}/{{order_id}}/decrease"),
        ]
        return [
            ("POST", ORDERS, self.create),
            ("DELETE", ORDERS, self.cancel_all),
            ("POST", f"{ORDERS}/batched", self.create_batch),
            ("DELETE", f"{ORDERS}/batched", self.cancel_batch),
            ("DELETE", f"{ORDERS}/{{order_id}}", self.cancel),
            ("POST", f"{ORDERS}/{{order_id}}/amend", self.amend),
            ("POST", f"{ORDERS}/{{order_id}}/decrease", self.decrease),
            ("POST", "/account/api_usage_level/upgrade", self.upgrade),
            *((method, path, self.gone) for method, path in v1),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """POST /portfolio/events/orders."""
        return answer(self._create(Asked.decode(await request.read())), 201)

    async def create_batch(self, request: web.Request) -> web.Response:
        """POST .../batched: one result per item, an error in the place of a refused one."""
        items = await self._items(request, "POST")
        return answer({"orders": [self._try(self._create, item, {}) for item in items]}, 201)

    async def cancel(self, request: web.Request) -> web.Response:
        """DELETE .../{order_id}."""
        check_subaccount(request.query)
        order_id, ticker = request.match_info["order_id"], request.query.get("market_ticker", "")
        return answer(self._cancel(order_id, ticker))

    async def cancel_batch(self, request: web.Request) -> web.Response:
        """DELETE .../batched."""
        items = await self._items(request, "DELETE")

        def cancel(asked: Asked) -> Row:
            return self._cancel(asked.text("order_id"), asked.text("market_ticker", ""))

        def lost(item: object) -> Row:
            known = isinstance(item, dict) and isinstance(item.get("order_id"), str)
            return {"order_id": item["order_id"] if known and isinstance(item, dict) else "", "reduced_by": "0.00"}

        return answer({"orders": [self._try(cancel, item, lost(item)) for item in items]})

    async def cancel_all(self, request: web.Request) -> web.Response:
        """DELETE /portfolio/events/orders: everything that rests."""
        check_subaccount(request.query)
        self._need("cancel")
        for orders in list(self.desk.member.resting.values()):
            for order in list(orders.values()):
                self.desk.exchange.end(order)
        return web.Response(status=204)

    async def amend(self, request: web.Request) -> web.Response:
        """POST .../{order_id}/amend: a new price, total count, expiry or client id."""
        check_subaccount(request.query)
        asked = Asked.decode(await request.read())
        self._need("trade")
        exchange, member = self.desk.exchange, self.desk.member
        order = self._order(request.match_info["order_id"])
        if asked.text("ticker") != order.ticker:
            raise refuse(400, "order_ticker_mismatch")
        if asked.word("side", SIDES) != order.side:
            raise refuse(400, "order_side_mismatch")
        if asked.text("client_order_id", order.client_order_id) != order.client_order_id:
            raise refuse(400, "order_id_and_client_order_id_mismatch")
        price, count, expires = asked.price(), asked.count(), expiry(asked)
        new_id = asked.text("updated_client_order_id", "")
        check_amendment(exchange.market(order.ticker), member, order, price, count, new_id)
        if new_id:
            member.client_ids.add(new_id)
            order.client_order_id = new_id
        until = order.expires if expires is None else expires or None  # 0 clears it
        exchange.amend(member, order, price, count, until)
        return answer(placed_row(order, order.updated))

    async def decrease(self, request: web.Request) -> web.Response:
        """POST .../{order_id}/decrease: exactly one of reduce_by and reduce_to."""
        check_subaccount(request.query)
        asked = Asked.decode(await request.read())
        self._need("cancel")
        order = self._order(request.match_info["order_id"])
        if ("reduce_by" in asked) == ("reduce_to" in asked):
            raise refuse(400, "bad_request", "exactly one of reduce_by and reduce_to")
        to = order.remaining - asked.count("reduce_by") if "reduce_by" in asked else asked.count("reduce_to")
        if to >= order.remaining:
            raise refuse(400, "invalid_order_size")
        self.desk.exchange.decrease(self.desk.member, order.order_id, to)
        return answer(_named(order, {"remaining_count": count_text(order.remaining)}))

    async def upgrade(self, request: web.Request) -> web.Response:
        """POST /account/api_usage_level/upgrade: Basic becomes Advanced."""
        if self.desk.buckets.tier == "basic":
            self.desk.buckets.change("advanced")
        return answer({"usage_tier": self.desk.buckets.tier})

    async def gone(self, request: web.Request) -> web.Response:
        """V1 order mutations ended in June 2026."""
        raise refuse(410, "deprecated_v1_order_endpoint", message="Please switch to the V2 endpoints")

    def _create(self, asked: Asked) -> Row:
        self._need("trade")
        order = self.desk.exchange.place(self.desk.member, new_order(asked))
        return placed_row(order, order.created)

    def _cancel(self, order_id: str, ticker: str) -> Row:
        self._need("cancel")
        order = self._order(order_id)
        if ticker not in ("", order.ticker):
            raise not_found()
        _, reduced = self.desk.exchange.cancel(self.desk.member, order_id)
        return _named(order, {"reduced_by": count_text(reduced)})

    def _order(self, order_id: str) -> Order:
        """The member's resting order; in a closed market every operation is refused."""
        exchange = self.desk.exchange
        known = exchange.orders.get(order_id)
        if known and known.account == self.desk.member.name:
            market = exchange.markets[known.ticker]
            if market.state not in ("active", "inactive"):
                check_open(market)
        return exchange.order(self.desk.member, order_id)

    async def _items(self, request: web.Request, method: str) -> list[object]:
        items = Asked.decode(await request.read()).items("orders")
        if not items:
            raise malformed("orders: at least one was expected")
        self.desk.buckets.spend(method, f"{ORDERS}/batched", len(items))
        return items

    def _try(self, work: Any, item: object, base: Row) -> Row:
        try:
            row: Row = work(Asked(item))
        except Refusal as refusal:
            return base | {"error": refusal.body.get("error", refusal.body)}
        return row

    def _need(self, what: str) -> None:
        """Refuse during a pause; the status and codes of this are not documented."""
        if not self.desk.open_for(what):
            raise refuse(400, "exchange_is_paused" if not self.desk.open_for("cancel") else "trading_is_paused")


def _named(order: Order, members: Row) -> Row:
    client = {"client_order_id": order.client_order_id} if order.client_order_id else {}
    return {"order_id": order.order_id} | client | members | {"ts_ms": int(order.updated * 1000)}
