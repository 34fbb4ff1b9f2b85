"""The exchange as a Venue: orders by V2, what became of them by reading and by push, an unsure answer never resent."""

import itertools
import logging
from collections.abc import Callable, Mapping
from decimal import Decimal

from bot.account import Account
from bot.errors import Unreachable, Unsure
from bot.orders import Orders
from bot.own import Own, OwnOrders
from bot.venue import Report
from bot.view import Execution, Order, Place, Quote
from kalshi import models
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError

log = logging.getLogger(__name__)

_PAGE = 100  # fills of a quick look
_FULL_EVERY = 30.0  # seconds between walks over all fills that may have come late
_SWEEP_EVERY = 5.0  # seconds between looks at what rests
_PAID_EVERY = 10.0  # seconds between looks at settlements
_ABSENT_AFTER = 3.0  # seconds by which account reads must have passed an order that does not show, to call it absent


class LiveVenue:
    """Trades the account of client. prefix begins every client_order_id and so tells our orders from others'."""

    def __init__(
        self, client: KalshiClient, report: Report, account: Account, prefix: str, boot_id: str,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._client = client
        self._orders = Orders(client)
        self._report = report
        self._account = account
        self._prefix = prefix
        self._boot_id = boot_id
        self._clock = clock
        # all mutable state: our orders, the last number given, orders known as others', when each look was last taken
        self.own = OwnOrders()
        self._number = itertools.count(1)
        self._others: set[str] = set()
        self._looked = {"full": 0.0, "sweep": 0.0, "paid": 0.0}

    def __repr__(self) -> str:
        return f"LiveVenue({self.own!r})"

    def resting(self) -> list[Order]:
        """What rests or may."""
        return self.own.resting()

    def frozen(self, ticker: str) -> bool:
        """Something there is not known for sure."""
        return self.own.frozen(ticker)

    async def place(self, order: Place) -> None:
        """Send it once. Whatever happens after sending, the register knows the order before anybody can ask."""
        client_order_id = f"{self._prefix}{self._boot_id}-{next(self._number)}"
        self.own.sent(client_order_id, order, self._clock())
        try:
            created = await self._orders.create(client_order_id, order)
        except Unsure:
            raise
        except BaseException as error:
            # Refused says that nothing exists. Cancelled in mid-flight, nobody knows: it stays unsure.
            if isinstance(error, Exception):
                self.own.never(client_order_id)
            raise
        self.own.known(client_order_id, created.order_id, created.filled, order.rest and created.remaining > 0)
        if created.filled:
            await self._quick_look()

    async def cancel(self, order: Order) -> None:
        """Take it back; when it was dead already, learn how much of it was filled."""
        own = self.own.get(order.client_order_id)
        if own is None or own.unsure:
            return  # gone, or refresh must find it first
        taken_back = await self._orders.cancel(own.order_id, own.ticker)
        if taken_back is not None:
            self.own.dead(own.client_order_id, own.quantity - taken_back)
        else:
            await self._reread(own)

    async def cancel_all(self) -> None:
        """Cancel ours, then read until the exchange shows none. Raises Unsure while one may rest."""
        for _ in range(5):
            await self._resolve()
            for own in self.own.open():
                await self.cancel(Order(own.client_order_id, own.order_id, own.ticker, own.side, own.price, own.possible))
            await self._sweep()
            if not self.own.open() and not self.own.unsure():
                return
        raise Unsure(f"{len(self.own.open()) + len(self.own.unsure())} of our orders may still rest")

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Fills first, then what is unsure, then, less often, the slow looks. Raises Unreachable."""
        try:
            await self._quick_look()
            await self._resolve()
            if self._due("sweep", _SWEEP_EVERY):
                await self._sweep()
            if self._due("paid", _PAID_EVERY):
                await self.settlements()
            if self._due("full", _FULL_EVERY):
                await self.fills()
        except KalshiError as error:
            raise Unreachable(str(error)) from error

    async def fills(self) -> None:
        """Every fill that may not have been seen. Raises KalshiError."""
        found = [fill async for fill in self._client.fills(min_ts=self._account.since)]
        await self._take(found)

    async def settlements(self) -> None:
        """Every payout since we last knew all. Raises KalshiError."""
        async for paid in self._client.settlements(min_ts=self._account.since):
            value = paid.value if paid.value is not None else _implied(paid)
            if value is not None and self._account.settle(paid.ticker, paid.settled):
                self._report.settlement(paid.ticker, value)

    async def take(self, fill: models.Fill) -> None:
        """A fill, from whichever way it came."""
        if self._account.knows(fill.fill_id):
            return
        ours = self.own.fill(fill.order_id, fill.client_order_id, fill.quantity) or await self._is_ours(fill)
        if not self._account.mark(fill.fill_id, fill.timestamp):
            return
        self._account.trade(fill.ticker, fill.side, fill.quantity)
        if ours:
            self._report.execution(
                Execution(
                    fill.fill_id, fill.order_id, fill.ticker, fill.side, fill.quantity, fill.yes_price, fill.fee,
                    fill.timestamp, fill.is_taker,
                )
            )  # fmt: skip
