"""Order writes of the exchange, V2 (Kalshi docs: create-order-v2), each failure sorted into: no, or nobody knows."""

from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from bot.errors import Refused, Unsure
from bot.view import Place
from kalshi import errors
from kalshi.client import KalshiClient
from kalshi.fields import Fields
from kalshi.models import Order

_CREATE = "/portfolio/events/orders"
_PAGE, _PAGES = 200, 20  # orders and pages; how far back a lost order is looked for
_NOT_SENT = (errors.CircuitOpen, errors.Busy, errors.NotConfigured, errors.KeyUnusable)


@dataclass(frozen=True, slots=True)
class Created:
    """The exchange took the order."""

    order_id: str
    filled: Decimal
    remaining: Decimal


class Orders:
    """Creates, cancels and finds. Never sends twice."""

    def __init__(self, client: KalshiClient) -> None:
        self._client = client

    async def create(self, client_order_id: str, wish: Place) -> Created:
        """Send one order. Raises Refused (nothing was done) or Unsure (read before anything else is sent)."""
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
            reply = Fields(await self._client.request("POST", _CREATE, json=body), f"POST {_CREATE}")
            return Created(reply.text("order_id"), reply.count("fill_count"), reply.count("remaining_count"))
        except errors.KalshiError as error:
            raise _sorted(error) from error

    async def cancel(self, order_id: str, ticker: str) -> Decimal | None:
        """Contracts taken back; None when the order was dead before. Raises Refused or Unsure; safe to repeat."""
        params: dict[str, str | int] = {"market_ticker": ticker}  # without it only shard 0 is asked
        if self._client.subaccount:
            params["subaccount"] = self._client.subaccount
        path = f"{_CREATE}/{quote(order_id, safe='')}"
        try:
            return Fields(await self._client.request("DELETE", path, params), f"DELETE {_CREATE}").count("reduced_by")
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

    async def find(self, client_order_id: str, not_before: float) -> Order | None:
        """The order of this client id, newest first, back to a time. Raises KalshiError."""
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await self._client.orders(limit=_PAGE, cursor=cursor)
            for order in page.rows:
                if order.client_order_id == client_order_id:
                    return order
            old = any(order.created is not None and float(order.created) < not_before for order in page.rows)
            if page.next is None or old:
                return None
            cursor = page.next
        return None

    async def resting(self, prefix: str) -> list[Order]:
        """Every resting order whose client id begins with prefix. Raises KalshiError."""
        found: dict[str, Order] = {}
        cursor: str | None = None
        for _ in range(_PAGES):
            page = await self._client.orders("resting", limit=1000, cursor=cursor)
            found |= {order.order_id: order for order in page.rows if order.client_order_id.startswith(prefix)}
            if page.next is None:
                break
            cursor = page.next
        return list(found.values())


def _sorted(error: errors.KalshiError) -> Refused | Unsure:
    """A clear no, or a doubt. 409 is a doubt: an order of this id exists, so it must be looked at.

    So is every 5xx and every answer that cannot be read: the order may have been taken before something broke.
    """
    doubtful = not isinstance(error, errors.Refused) or isinstance(error, errors.ExchangeFault | errors.Conflict)
    if doubtful and not isinstance(error, _NOT_SENT):
        return Unsure(str(error))
    return Refused(str(error))
