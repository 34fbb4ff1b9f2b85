"""The exchange as a Venue: orders by V2, what became of them by reading and by push, an unsure answer never resent."""

import asyncio
import itertools
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from bot.account_fills import AccountFills
from bot.errors import AnotherBotRunning, OrderRejected, OrderUncertain, VenueError, VenueUnavailable
from bot.strategy_types import PlaceOrder, Quote, RestingOrder
from bot.throttle import Throttle
from bot.venues.base import ExecutionListener
from bot.venues.fill_collector import FillCollector
from bot.venues.order_client import OrderClient
from bot.venues.order_tracker import OrderTracker, TrackedOrder
from kalshi.account_models import Fill
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError

_WALK_EVERY = 30.0  # seconds between walks over all fills that may have come late
_SWEEP_EVERY = 5.0  # seconds between looks at what rests
_PAID_EVERY = 10.0  # seconds between looks at settlements
_ABSENT_AFTER = 3.0  # seconds of the exchange's reading clock after which an order that does not show does not exist
_CANCEL_ROUNDS = 10
_CANCEL_LIMIT = 6.0  # seconds for all rounds together


class LiveVenue:
    """Trades the account of client. prefix begins every client_order_id and so tells our orders from others'."""

    def __init__(
        self, client: KalshiClient, report: ExecutionListener, account: AccountFills, prefix: str, boot_id: str,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._client = client
        self._orders = OrderClient(client)
        self._prefix = prefix
        self._boot_id = boot_id
        self._clock = clock
        self._pace = Throttle(clock)
        # all mutable state: our orders; the last number given; for each unsure order the exchange's reading clock when
        # its doubt began
        self.own = OrderTracker()
        self.fills = FillCollector(client, self._orders, self.own, account, report, prefix)
        self._number = itertools.count(1)
        self._doubts: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"LiveVenue({self.own!r})"

    def resting(self) -> list[RestingOrder]:
        """What rests or may."""
        return self.own.resting()

    def frozen(self, ticker: str) -> bool:
        """Something there is not known for sure."""
        return self.own.frozen(ticker)

    async def place(self, order: PlaceOrder) -> None:
        """Send it once. The register knows the order before it leaves, so that its fill cannot be a stranger's."""
        client_order_id = f"{self._prefix}{self._boot_id}-{next(self._number)}"
        self.own.sent(client_order_id, order, self._clock())
        try:
            created = await self._orders.create(client_order_id, order)
        except OrderRejected:
            self.own.never(client_order_id)
            raise
        # any other way out, a cancelled task included, leaves the order unsure: refresh finds out
        self.own.known(client_order_id, created.order_id, created.filled, order.rest and created.remaining > 0)
        if created.filled:
            with suppress(KalshiError):  # the next refresh finds the fill as well, only later
                await self.fills.look()

    async def cancel(self, order: RestingOrder) -> None:
        """Take it back; when it was dead already, learn how much of it was filled."""
        own = self.own.get(order.client_order_id)
        if own is None or own.unsure or not own.open:
            return  # gone, or refresh must find out first
        taken_back = await self._orders.cancel(own.order_id, own.ticker)
        if taken_back is not None:
            self.own.dead(own.client_order_id, own.quantity - taken_back)
            return
        try:
            await self._reread(own)
        except KalshiError as error:
            raise VenueUnavailable(str(error)) from error

    async def cancel_all(self) -> None:
        """Cancel ours, then read until the exchange shows none. Raises OrderUncertain while one may rest."""
        why = "it took too long"
        with suppress(TimeoutError):
            async with asyncio.timeout(_CANCEL_LIMIT):
                for turn in range(_CANCEL_ROUNDS):
                    await asyncio.sleep(0.1 * turn)  # reads trail the engine, so give them time
                    try:
                        if await self._all_gone():
                            return
                    except (KalshiError, VenueError) as error:
                        why = str(error)
        left = len(self.own.open()) + len(self.own.unsure())
        raise OrderUncertain(f"{left or 'some'} of our orders may still rest ({why}); cancelling goes on")

    async def alone(self, boot_ids: Collection[str]) -> None:
        """Does all that rests under our prefix come from these lives? Raises AnotherBotRunning and VenueUnavailable.

        What does not is of another bot, which must not lose its orders to us, or of a past that was lost.
        """
        ours = tuple(f"{self._prefix}{boot_id}-" for boot_id in (*boot_ids, self._boot_id))
        try:
            resting = await self._orders.resting(self._prefix)
        except KalshiError as error:
            raise VenueUnavailable(str(error)) from error
        strangers = [order for order in resting if not order.client_order_id.startswith(ours)]
        if strangers:
            some = ", ".join(order.client_order_id for order in strangers[:3])
            raise AnotherBotRunning(
                f"{len(strangers)} orders rest under {self._prefix} that the state file does not know ({some}): "
                "another bot may be trading; give each its own BOT_ORDER_PREFIX and state file. When nobody else "
                "trades, start with --clear, which cancels them"
            )

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Fills first, then what is unsure, then, less often, the slow looks. Raises VenueUnavailable."""
        try:
            await self.fills.look()
            await self._resolve()
            if self._pace.due("sweep", _SWEEP_EVERY):
                await self._sweep()
            if self._pace.due("paid", _PAID_EVERY):
                await self.fills.settlements()
            if self._pace.due("walk", _WALK_EVERY):
                await self.fills.walk()
        except KalshiError as error:
            raise VenueUnavailable(str(error)) from error

    async def pushed(self, fill: Fill) -> None:
        """A fill that the exchange pushed. When whose it is cannot be read now, the next look finds it again."""
        with suppress(KalshiError):
            await self.fills.take([fill])

    async def _all_gone(self) -> bool:
        await self._resolve()
        await self._sweep()
        if not self.own.open() and not self.own.unsure():
            return True
        for order in self.resting():
            await self.cancel(order)
        return False

    async def _resolve(self) -> None:
        """Find the orders whose answer was lost. Absent is only what a later state of the account does not show."""
        unsure = self.own.unsure()
        if not unsure:
            self._doubts.clear()
            return
        as_of = await self._client.user_data_timestamp()  # before the orders, so that they are at least as new
        for own in unsure:
            since = self._doubts.setdefault(own.client_order_id, as_of)
            if own.order_id:  # a fill told of it, so it exists
                await self._reread(own)
            elif order := await self._orders.find(own.client_order_id, own.ticker, own.sent_at):
                self.fills.meet(order)
            elif as_of - since > _ABSENT_AFTER:
                self.own.never(own.client_order_id)

    async def _sweep(self) -> None:
        """Compare what rests with what we think rests; ask by id for each that is missing."""
        mine = {own.client_order_id: own for own in self.own.open()}
        for order in await self._orders.resting(self._prefix):
            if mine.pop(order.client_order_id, None) is None and order.remaining > 0:
                self.fills.meet(order)
        for own in mine.values():
            await self._reread(own)

    async def _reread(self, own: TrackedOrder) -> None:
        order = await self._orders.read(own.order_id)
        if order is not None:
            self.fills.meet(order)
