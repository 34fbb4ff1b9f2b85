"""Order requests of the exchange, V2 (Kalshi docs: create-order-v2). Failures are either rejected or uncertain."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from bot.errors import OrderRejected, OrderUncertain
from bot.reasons import reason_of
from bot.strategy_types import PlaceOrder, Side
from kalshi import errors
from kalshi.account_models import Order
from kalshi.client import KalshiClient, Page, walk
from kalshi.records import RecordReader

_CREATE = "/portfolio/events/orders"
_PAGE = 200  # orders; a lost one is most often on the first page
_CLOCKS = 60.0  # seconds that our clock and the exchange's may differ; it refuses requests that are further off
_NOT_SENT = (errors.CircuitOpen, errors.Busy, errors.NotConfigured, errors.KeyUnusable)


@dataclass(frozen=True, slots=True)
class CreatedOrder:
    """The exchange's answer to a new order."""

    order_id: str
    filled: Decimal
    remaining: Decimal


@dataclass(frozen=True, slots=True)
class CancelledOrder:
    """The exchange's answer to a cancel. removed: contracts. at: Unix seconds of its clock, None if it gave none."""

    removed: Decimal
    at: float | None


class OrderClient:
    """Create, renew, cancel and find orders. Nothing is sent twice."""

    def __init__(self, client: KalshiClient) -> None:
        self._client = client

    async def create(
        self, client_order_id: str, order: PlaceOrder, expires: int | None = None, group: str = ""
    ) -> CreatedOrder:
        """Send one order. expires: Unix seconds for a resting order. group: id of an order group, "" for none.

        Raises OrderRejected (nothing was done) or OrderUncertain (read before sending more).
        """
        body: dict[str, str | int | bool] = {
            "ticker": order.ticker,
            "side": book_side(order.side),
            "count": f"{order.quantity:.2f}",
            "price": f"{order.price:.4f}",
            "time_in_force": "good_till_canceled" if order.rest else "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": client_order_id,
        }
        if order.rest:
            body["post_only"] = body["cancel_order_on_pause"] = True
            body |= {"expiration_time": expires} if expires is not None else {}
            body |= {"order_group_id": group} if group else {}
        if self._client.subaccount:
            body["subaccount"] = self._client.subaccount
        try:
            reply = RecordReader(await self._client.request("POST", _CREATE, json=body), f"POST {_CREATE}")
            return CreatedOrder(reply.text("order_id"), reply.count("fill_count"), reply.count("remaining_count"))
        except errors.KalshiError as error:
            raise _classified(error) from error

    async def renew(self, order_id: str, ticker: str, side: Side, price: Decimal, count: Decimal, expires: int) -> None:
        """Move the expiry of a resting order; at the same price and total count it keeps its place in the queue.

        Raises OrderRejected or OrderUncertain; in both cases the order rests at most until its old or new expiry.
        """
        body = {
            "ticker": ticker, "side": book_side(side), "price": f"{price:.4f}", "count": f"{count:.2f}",
            "expiration_time": expires,
        }  # fmt: skip
        path = f"{_CREATE}/{quote(order_id, safe='')}/amend"
        params: dict[str, str | int] = {"subaccount": self._client.subaccount} if self._client.subaccount else {}
        try:
            await self._client.request("POST", path, params, json=body)
        except errors.KalshiError as error:
            raise _classified(error) from error

    async def cancel(self, order_id: str, ticker: str) -> CancelledOrder | None:
        """Cancel an order. Returns None if it had ended before. Raises OrderRejected or OrderUncertain."""
        params: dict[str, str | int] = {"market_ticker": ticker}  # without it only shard 0 is searched
        if self._client.subaccount:
            params["subaccount"] = self._client.subaccount
        path = f"{_CREATE}/{quote(order_id, safe='')}"
        try:
            reply = RecordReader(await self._client.request("DELETE", path, params), f"DELETE {_CREATE}")
            at = reply.whole("ts_ms") / 1000 if reply.has("ts_ms") else None
            return CancelledOrder(reply.count("reduced_by"), at)
        except errors.NotFound:
            return None
        except errors.KalshiError as error:
            raise _classified(error) from error

    async def read(self, order_id: str) -> Order | None:
        """Return one order; None if the exchange does not show it (yet). Raises KalshiError."""
        try:
            return await self._client.order(order_id)
        except errors.NotFound:
            return None

    async def find(self, client_order_id: str, ticker: str, sent_at: float) -> Order | None:
        """Return the order with this client id among all of its market since sent_at. Raises KalshiError."""
        async for order in self._walk(ticker=ticker, min_ts=sent_at - _CLOCKS, limit=_PAGE):
            if order.client_order_id == client_order_id:
                return order
        return None

    async def resting(self) -> list[Order]:
        """Return every resting order of the account. Raises KalshiError."""
        return [order async for order in self._walk("resting", limit=1000)]

    def _walk(self, status: str | None = None, **filters: Any) -> AsyncIterator[Order]:
        """Iterate over all pages: a conclusion from an order's absence needs them all."""

        def page(cursor: str | None) -> Awaitable[Page[Order]]:
            return self._client.orders(status, cursor=cursor, **filters)

        return walk(page, lambda order: order.order_id, "GET /portfolio/orders")


def book_side(side: Side) -> str:
    """Return the exchange's word for a side of the YES book."""
    return "bid" if side == "BUY" else "ask"


def _classified(error: errors.KalshiError) -> OrderRejected | OrderUncertain:
    """Return OrderRejected where the order cannot exist, else OrderUncertain.

    409 is uncertain: an order with this id exists and must be read. So is every 5xx and every unreadable answer: the
    order may have been taken before something broke.
    """
    uncertain = not isinstance(error, errors.Refused) or isinstance(error, errors.ExchangeFault | errors.Conflict)
    if uncertain and not isinstance(error, _NOT_SENT):
        return OrderUncertain(str(error), reason_of(error))
    return OrderRejected(str(error), reason_of(error))
