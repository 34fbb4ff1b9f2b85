"""Fills of the account, from the fill socket, a short read each turn and a full read at times; each counted once."""

import logging
from collections.abc import Iterable
from contextlib import aclosing
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from bot.account_fills import AccountFills
from bot.strategy_types import Execution
from bot.venues.base import ExecutionListener
from bot.venues.order_client import OrderClient
from bot.venues.order_names import OrderNames
from bot.venues.order_tracker import OrderTracker, TrackedOrder
from kalshi.account_models import AccountSettlement, Fill, Order
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError
from kalshi.fill_socket import FillSocket
from ledger.amounts import CENT, MONEY, complement

log = logging.getLogger(__name__)

_PAGE = 100  # fills of a short read; if all are new, there may be more behind them
_MILLISECOND = Decimal("0.001")  # seconds
_LATE = 60  # seconds after which a fill whose order cannot be read counts as made outside the bot


class FillCollector:
    """Turn fills into executions. Counting is synchronous; only attributing a fill to an order may have to wait."""

    def __init__(
        self, client: KalshiClient, orders: OrderClient, tracker: OrderTracker, account: AccountFills,
        listener: ExecutionListener, names: OrderNames,
    ) -> None:  # fmt: skip
        self._client = client
        self._orders = orders
        self._tracker = tracker
        self._account = account
        self._listener = listener
        self._names = names
        # all mutable state of its own: orders that are known to be others'; Unix seconds of the first full read; client
        # ids of orders that another bot has filled under our prefix since; dollars that one YES of a market paid; the
        # ids of the last short read
        self._others: set[str] = set()
        self._began: Decimal | None = None
        self._intruders: list[str] = []
        self._payouts: dict[str, Decimal] = {}
        self._last_page: set[str] = set()

    async def read_newest(self) -> None:
        """Read the newest page, and everything unless the page reaches back to the last one. Raises KalshiError.

        A known fill on the page proves nothing: the socket may have sent the newest and lost those before it.
        """
        rows = (await self._client.fills_page(limit=_PAGE)).rows
        ids = {fill.fill_id for fill in rows}
        if len(rows) == _PAGE and self._last_page.isdisjoint(ids):
            await self.read_all()
        else:
            await self.take(rows)
        self._last_page = ids

    async def read_all(self) -> None:
        """Read every fill that may not have been counted. Raises KalshiError."""
        complete = Decimal(str(await self._client.user_data_timestamp()))  # before the fills: they are at least as new
        await self.take([fill async for fill in self._client.fills(min_ts=self._account.since)])
        self._account.read_until(complete)
        self._began = complete if self._began is None else self._began

    async def read_settlements(self) -> None:
        """Read every payout since everything was read. Raises KalshiError."""
        async for paid in self._client.settlements(min_ts=self._account.since):
            value = _value_of_yes(paid)
            if value is None:
                continue
            self._payouts[paid.ticker] = value
            if self._account.settle(paid.ticker, paid.settled):
                self._listener.settlement(paid.ticker, value)

    async def take(self, fills: Iterable[Fill]) -> None:
        """Count the new fills, oldest first. Raises KalshiError; what was not counted then is found again later."""
        new = (fill for fill in fills if not self._account.is_counted(fill.fill_id, fill.timestamp))
        for fill in sorted(new, key=lambda fill: fill.timestamp):
            ours = await self._is_ours(fill)
            if ours is not None:
                self._count(fill, ours)

    def pop_intruders(self) -> list[str]:
        """Return the orders that another bot has filled under our prefix since the last call."""
        found, self._intruders = self._intruders, []
        return found

    def take_order(self, order: Order) -> None:
        """Record the state of an order of ours, and adopt it if it was not tracked. A finished order stays finished."""
        if self._tracker.is_done(order.order_id):
            return
        resting = order.status == "resting"
        if self._tracker.get(order.client_order_id):
            self._tracker.update(order.client_order_id, order.order_id, order.filled, resting)
        else:
            self._tracker.adopt(TrackedOrder(
                order.client_order_id, order.ticker, order.side, order.yes_price, order.quantity, 0.0, order.order_id,
                reported=order.filled, open=resting, uncertain=False, adopted=True,
                expires=None if order.expires is None else float(order.expires),
            ))  # fmt: skip

    def _count(self, fill: Fill, ours: bool) -> None:
        # socket and read may both have waited for the same order: the second one finds the fill marked
        if not self._account.mark(fill.fill_id, fill.timestamp):
            return
        self._account.trade(fill.ticker, fill.side, fill.quantity)
        if ours:
            origin = self._tracker.origin(fill.order_id, fill.client_order_id)
            self._tracker.fill(fill.order_id, fill.client_order_id, fill.quantity)
            self._listener.execution(Execution(
                fill.fill_id, fill.order_id, fill.ticker, fill.side, fill.quantity, fill.yes_price, fill.fee,
                _milliseconds(fill.timestamp), fill.is_taker, origin,
            ))  # fmt: skip
            if fill.ticker in self._payouts:  # read after the payout of its market
                self._listener.settlement(fill.ticker, self._payouts[fill.ticker])

    async def _is_ours(self, fill: Fill) -> bool | None:
        """Return True if an order of ours was filled, None if its order cannot be read yet."""
        if self._tracker.owns(fill.order_id):
            return True
        if fill.client_order_id is not None:
            return self._is_named_ours(fill.client_order_id, fill.timestamp)
        if fill.order_id in self._others:
            return False
        order = await self._orders.read(fill.order_id)
        if order is None:
            return False if float(self._account.newest - fill.timestamp) > _LATE else None
        if self._is_named_ours(order.client_order_id, fill.timestamp):
            self.take_order(order)
            return True
        self._others.add(fill.order_id)
        return False

    def _is_named_ours(self, name: str, timestamp: Decimal) -> bool:
        """Return True for a name under our prefix, except that of an unknown run which trades since our start."""
        if not self._names.has_prefix(name):
            return False
        if self._names.is_ours(name) or self._began is None or timestamp <= self._began:
            return True
        self._intruders.append(name)
        return False


def _value_of_yes(paid: AccountSettlement) -> Decimal | None:
    """Return the dollars that one YES paid; None if unknown. Where value and revenue disagree, the revenue was paid."""
    net, value = paid.yes_quantity - paid.no_quantity, paid.payout
    if not net or value is None:
        return value
    if abs(abs(net) * (value if net > 0 else complement(value)) - paid.revenue) <= CENT:
        return value
    each = (paid.revenue / abs(net)).quantize(MONEY, ROUND_CEILING)  # rounded up: payouts are rounded down to cents
    return each if net > 0 else complement(each)


def _milliseconds(timestamp: Decimal) -> Decimal:
    """Return the time as the fill socket has it: reads add microseconds, and both must report one equal trade."""
    return timestamp.quantize(_MILLISECOND, ROUND_FLOOR)


async def listen(socket: FillSocket, fills: FillCollector) -> None:
    """Take fills from the socket until cancelled. A bug here ends only this: the engine reads every fill as well."""
    try:
        async with aclosing(socket.events()) as events:
            async for event in events:
                if isinstance(event, Fill):
                    await take_pushed(fills, event)
    except Exception:
        log.exception("unexpected error ended the fill socket; fills are still read at every turn")


async def take_pushed(fills: FillCollector, fill: Fill) -> None:
    """Count one pushed fill. If its order cannot be read now, the next read finds the fill again."""
    try:
        await fills.take([fill])
    except KalshiError as error:
        log.debug("pushed fill %s: its order cannot be read yet (%s); the next read finds it", fill.fill_id, error)
