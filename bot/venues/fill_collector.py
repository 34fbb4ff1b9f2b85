"""Learn every fill of the account once, by push, quick look or full walk, and whose it is."""

import logging
from collections.abc import Iterable

from bot.account_fills import AccountFills
from bot.strategy_types import Execution
from bot.venues.base import ExecutionListener
from bot.venues.order_client import OrderClient
from bot.venues.order_tracker import OrderTracker, TrackedOrder
from kalshi.account_models import Fill, Order
from kalshi.client import KalshiClient

log = logging.getLogger(__name__)

_PAGE = 100  # fills of a quick look; when all are new, there may be more behind them
_LATE = 60  # seconds after which an order that cannot be read is taken for another's


class FillCollector:
    """Fills in, executions out. Counting is synchronous; only finding out whose an order is may have to wait."""

    def __init__(
        self,
        client: KalshiClient,
        orders: OrderClient,
        own: OrderTracker,
        account: AccountFills,
        report: ExecutionListener,
        prefix: str,
    ) -> None:
        self._client = client
        self._orders = orders
        self._own = own
        self._account = account
        self._report = report
        self._prefix = prefix
        # all mutable state of its own: orders known to be others', and the ids on the page of the last look
        self._others: set[str] = set()
        self._looked: set[str] = set()

    async def look(self) -> None:
        """The newest page, and all the rest unless it reaches back to the last look's. Raises KalshiError.

        That some of it is known proves nothing: a push may have told the newest while those behind them were lost.
        """
        rows = (await self._client.fills_page(limit=_PAGE)).rows
        ids = {fill.fill_id for fill in rows}
        if len(rows) == _PAGE and self._looked.isdisjoint(ids):
            await self.walk()
        else:
            await self.take(rows)
        self._looked = ids

    async def walk(self) -> None:
        """Every fill that may not have been seen. Raises KalshiError."""
        before = self._account.watermark  # not after: what comes meanwhile may come out of order
        await self.take([fill async for fill in self._client.fills(min_ts=self._account.since)])
        self._account.walked(before)

    async def settlements(self) -> None:
        """Every payout since all was known. Raises KalshiError."""
        async for paid in self._client.settlements(min_ts=self._account.since):
            if paid.payout is not None and self._account.settle(paid.ticker, paid.settled):
                self._report.settlement(paid.ticker, paid.payout)

    async def take(self, fills: Iterable[Fill]) -> None:
        """Count those that are new, oldest first. Raises KalshiError; what was not counted is found again later."""
        new = (fill for fill in fills if not self._account.knows(fill.fill_id))
        for fill in sorted(new, key=lambda fill: fill.timestamp):
            ours = await self._is_ours(fill)
            if ours is not None:
                self._count(fill, ours)

    def _count(self, fill: Fill, ours: bool) -> None:
        # push and read may both have waited for the same order: whoever comes second finds it marked
        if not self._account.mark(fill.fill_id, fill.timestamp):
            return
        self._account.trade(fill.ticker, fill.side, fill.quantity)
        if ours:
            self._own.fill(fill.order_id, fill.client_order_id, fill.quantity)
            self._report.execution(execution(fill))

    async def _is_ours(self, fill: Fill) -> bool | None:
        """None when the order cannot be read yet."""
        if self._own.owns(fill.order_id):
            return True
        if fill.client_order_id is not None:
            return fill.client_order_id.startswith(self._prefix)
        if fill.order_id in self._others:
            return False
        order = await self._orders.read(fill.order_id)
        if order is None:
            return False if float(self._account.watermark - fill.timestamp) > _LATE else None
        if order.client_order_id.startswith(self._prefix):
            self.meet(order)
            return True
        self._others.add(fill.order_id)
        return False

    def meet(self, order: Order) -> None:
        """An order of ours was read: take it up when it was not known, unless what was read is old."""
        if self._own.over(order.order_id):
            return
        resting = order.status == "resting"
        if self._own.get(order.client_order_id):
            self._own.known(order.client_order_id, order.order_id, order.filled, resting)
        else:
            self._own.adopt(TrackedOrder(
                order.client_order_id, order.ticker, order.side, order.yes_price, order.quantity, 0.0, order.order_id,
                told=order.filled, open=resting, unsure=False, adopted=True,
            ))  # fmt: skip


def execution(fill: Fill) -> Execution:
    """The fill in the bot's words."""
    return Execution(
        fill.fill_id, fill.order_id, fill.ticker, fill.side, fill.quantity, fill.yes_price, fill.fee, fill.timestamp,
        fill.is_taker,
    )  # fmt: skip
