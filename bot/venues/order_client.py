"""Order writes of the exchange, V2 (Kalshi docs: create-order-v2), each failure sorted into: no, or nobody knows."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from bot.errors import OrderRejected, OrderUncertain
from bot.strategy_types import PlaceOrder
from kalshi import errors
from kalshi.account_models import Order
from kalshi.client import KalshiClient
from kalshi.pagination import Page, walk
from kalshi.record_reader import RecordReader

_CREATE = "/portfolio/events/orders"
_PAGE = 200  # orders; a lost one is most often on the first page
_CLOCKS = 60.0  # seconds that our clock and the exchange's may differ; it refuses requests that are further off
_NOT_SENT = (errors.CircuitOpen, errors.Busy, errors.NotConfigured, errors.KeyUnusable)


@dataclass(frozen=True, slots=True)
class CreatedOrder:
    """The exchange took the order."""

    order_id: str
    filled: Decimal
    remaining: Decimal


class OrderClient:
    """Creates, cancels and finds. Never sends twice."""

    def __init__(self, client: KalshiClient) -> None:
        self._client = client

    async def create(self, client_order_id: str, wish: PlaceOrder) -> CreatedOrder:
        """Send one order. Raises OrderRejected (nothing was done) or OrderUncertain (read before sending more)."""
        body: dict[str, str | int | bool] = {
            "ticker": wish.ticker,
            "side": "bid" if wish.side == "BUY" else "ask",
            "count": f"{wish.quantity:.2f}",
            "price": f"{wish.price:.4f}",
            "time_in_force": "good_till_canceled" if wish.rest else "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
            "client_order_id": client_order_id,
        }
        if wish.rest:
            body["post_only"] = body["cancel_order_on_pause"] = True
        if self._client.subaccount:
            body["subaccount"] = self._client.subaccount
        try:
            reply = RecordReader(await self._client.request("POST", _CREATE, json=body), f"POST {_CREATE}")
            return CreatedOrder(reply.text("order_id"), reply.count("fill_count"), reply.count("remaining_count"))
        except errors.KalshiError as error:
            raise _sorted(error) from error

    async def cancel(self, order_id: str, ticker: str) -> Decimal | None:
        """Cancel one order. Return the contracts taken back, None if dead. Raises OrderRejected, OrderUncertain."""
        params: dict[str, str | int] = {"market_ticker": ticker}  # without it only shard 0 is asked
        if self._client.subaccount:
            params["subaccount"] = self._client.subaccount
        path = f"{_CREATE}/{quote(order_id, safe='')}"
        try:
            return RecordReader(await self._client.request("DELETE", path, params), f"DELETE {_CREATE}").count(
                "reduced_by"
            )
        except errors.NotFound:
            return None
        except errors.KalshiError as error:
            raise _sorted(error) from error

    async def read(self, order_id: str) -> Order | None:
        """One order as the exchange tells it now; None when it does not know it (yet). Raises KalshiError."""
        try:
            return await self._client.order(order_id)
        except errors.NotFound:
            return None

    async def find(self, client_order_id: str, ticker: str, sent_at: float) -> Order | None:
        """The order of this client id, of all in its market since it was sent. Raises KalshiError."""
        async for order in self._walk(ticker=ticker, min_ts=sent_at - _CLOCKS, limit=_PAGE):
            if order.client_order_id == client_order_id:
                return order
        return None

    async def resting(self, prefix: str) -> list[Order]:
        """Every resting order whose client id begins with prefix. Raises KalshiError."""
        orders = self._walk("resting", limit=1000)
        return [order async for order in orders if order.client_order_id.startswith(prefix)]

    def _walk(self, status: str | None = None, **which: Any) -> AsyncIterator[Order]:
        """To the end: whoever concludes from an absence must have seen all."""

        def turn(cursor: str | None) -> Awaitable[Page[Order]]:
            return self._client.orders(status, cursor=cursor, **which)

        return walk(turn, lambda order: order.order_id, "GET /portfolio/orders")


def _sorted(error: errors.KalshiError) -> OrderRejected | OrderUncertain:
    """A clear no, or a doubt. 409 is a doubt: an order of this id exists, so it must be looked at.

    So is every 5xx and every answer that cannot be read: the order may have been taken before something broke.
    """
    doubtful = not isinstance(error, errors.Refused) or isinstance(error, errors.ExchangeFault | errors.Conflict)
    if doubtful and not isinstance(error, _NOT_SENT):
        return OrderUncertain(str(error))
    return OrderRejected(str(error))
