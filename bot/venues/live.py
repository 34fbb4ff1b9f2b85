"""The exchange as a Venue: orders that expire unless they are renewed, and reads that resolve lost answers."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field

from bot.account_fills import AccountFills
from bot.clock import BotClock
from bot.errors import AnotherBotRunning, OrderRejected, OrderUncertain, VenueError, VenueUnavailable
from bot.reasons import ORDER_GROUP, reason_of
from bot.strategy_types import OrderOrigin, PlaceOrder, Quote, RestingOrder
from bot.throttle import Throttle
from bot.venues.base import ExecutionListener
from bot.venues.fill_collector import FillCollector
from bot.venues.order_client import OrderClient
from bot.venues.order_groups import BotOrderGroups
from bot.venues.order_names import OrderNames
from bot.venues.order_tracker import OrderTracker, TrackedOrder
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError

log = logging.getLogger(__name__)

_RENEWALS = 4  # orders renewed in one turn at most: the smallest write budget has no burst
_CANCEL_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Times in seconds. prefix: begins every client_order_id. lifetime: of a resting order that is not renewed.

    group_limit: contracts that may match within 15 s before the exchange cancels everything, 0 for no limit.
    absent_after: seconds of the exchange's reads after which an order that they do not show does not exist.
    newest_every, fills_every, orders_every, settlements_every: between reads of the newest fills (0: each turn), of
    all fills that may have come late, of the resting orders and of settlements.
    """

    prefix: str
    boot_id: str
    lifetime: float = 30.0
    group_limit: int = 0
    absent_after: float = 3.0
    cancel_limit: float = 6.0
    newest_every: float = 0.0
    fills_every: float = 30.0
    orders_every: float = 5.0
    settlements_every: float = 10.0
    earlier_boot_ids: Collection[str] = field(default=())


class LiveVenue:
    """Trades the account of the client."""

    def __init__(
        self, client: KalshiClient, listener: ExecutionListener, account: AccountFills, options: LiveOptions,
        clock: BotClock, groups: MutableMapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._client = client
        self._orders = OrderClient(client)
        self._account = account
        self._options = options
        self._clock = clock
        self._throttle = Throttle(clock.monotonic)
        # all mutable state: our orders and their names; the exchange's read time when each doubt began; shards by
        # ticker; client ids of others' orders and of orders that another bot sent under our prefix
        self.tracker = OrderTracker()
        self._names = OrderNames(options.prefix, options.boot_id, options.earlier_boot_ids)
        self.fills = FillCollector(client, self._orders, self.tracker, account, listener, self._names)
        self._groups = BotOrderGroups(
            client, options.group_limit, {} if groups is None else groups, Throttle(clock.monotonic)
        )
        self._doubts: dict[str, float] = {}
        self._shards: dict[str, int] = {}
        self._other_orders: list[str] = []
        self._intruders: list[str] = []

    def __repr__(self) -> str:
        return f"LiveVenue({self.tracker!r})"

    def resting(self) -> list[RestingOrder]:
        """Return every order of ours that rests or may rest."""
        return self.tracker.resting()

    def frozen(self, ticker: str) -> bool:
        """Return True while an order in this market is uncertain."""
        return self.tracker.frozen(ticker)

    def other_orders(self) -> list[str]:
        """Return the client ids of resting orders of the account that were not sent by this bot."""
        return self._other_orders

    def account_lag(self) -> float:
        """Return the seconds since the time up to which the account was read; 0 before the first read."""
        complete = float(self._account.complete)
        return self._clock.wall() - complete if complete else 0.0

    def second_bot(self) -> str:
        """Return a sentence about another bot under our prefix; "" if there is none."""
        if not self._intruders:
            return ""
        some = ", ".join(self._intruders[:3])
        return f"another bot sends orders under {self._options.prefix} ({some}); end it, or give it its own prefix"

    async def place(self, order: PlaceOrder, origin: OrderOrigin | None = None) -> None:
        """Send an order once. It is recorded before, so that its fill is recognised however early it comes."""
        client_order_id = self._names.new()
        shard = self._shards.get(order.ticker, 0)
        group = await self._groups.group_for(shard) if order.rest else ""
        expires = self._expiry() if order.rest else None
        self.tracker.record(client_order_id, order, self._clock.wall(), origin, expires)
        try:
            created = await self._orders.create(client_order_id, order, expires, group)
        except OrderRejected as error:
            self.tracker.forget(client_order_id)
            if error.reason == ORDER_GROUP:
                await self._groups.handle_rejection(shard)
            raise
        # any other way out, a cancelled task included, leaves the order uncertain: refresh resolves it
        self.tracker.acknowledge(client_order_id, self._clock.wall())
        self.tracker.update(client_order_id, created.order_id, created.filled, order.rest and created.remaining > 0)
        if created.filled:
            with suppress(KalshiError):  # the next refresh finds the fill as well, only later
                await self.fills.read_newest()

    async def cancel(self, order: RestingOrder) -> None:
        """Cancel an order; if it had ended already, read how much of it was filled."""
        tracked = self.tracker.get(order.client_order_id)
        if tracked is None or tracked.uncertain or not tracked.open:
            return  # gone, or refresh must resolve it first
        cancelled = await self._orders.cancel(tracked.order_id, tracked.ticker)
        if cancelled is not None:
            self.tracker.close(tracked.client_order_id, tracked.quantity - cancelled.removed)
            return
        try:
            await self._reread(tracked)
        except KalshiError as error:
            raise VenueUnavailable(str(error), reason_of(error)) from error

    async def cancel_all(self) -> None:
        """Cancel our orders, then read until the exchange shows none. Raises OrderUncertain while one may rest."""
        why, reason = "it took too long", "exchange unreachable"
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.cancel_limit):
                for number in range(_CANCEL_ROUNDS):
                    await asyncio.sleep(0.1 * number)  # reads trail the matching engine
                    try:
                        if await self._cancel_round():
                            return
                    except KalshiError as error:
                        why, reason = str(error), reason_of(error)
                    except VenueError as error:
                        why, reason = str(error), error.reason
        left = len(self.tracker.open()) + len(self.tracker.uncertain())
        raise OrderUncertain(f"{left or 'some'} of our orders may still rest ({why}); cancelling again", reason)

    async def ensure_alone(self, adopt: bool = False) -> None:
        """Raise AnotherBotRunning if orders rest under our prefix that neither this run nor an earlier one sent.

        adopt: treat such orders as ours instead. Raises VenueUnavailable.
        """
        try:
            resting = await self._orders.resting()
        except KalshiError as error:
            raise VenueUnavailable(str(error), reason_of(error)) from error
        prefixed = [order.client_order_id for order in resting if self._names.has_prefix(order.client_order_id)]
        if adopt:
            for name in prefixed:
                self._names.adopt(name)
        unknown = [name for name in prefixed if not self._names.is_ours(name)]
        if unknown:
            raise AnotherBotRunning(
                f"{len(unknown)} orders rest under {self._options.prefix} that are not in the state file "
                f"({', '.join(unknown[:3])}): another bot may be trading; give each its own BOT_ORDER_PREFIX and "
                "state file. If no other bot trades, start with --clear, which cancels them"
            )

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Read fills, resolve uncertain orders, renew expiring ones, and now and then everything else."""
        self._shards |= {ticker: quote.exchange_index for ticker, quote in quotes.items()}
        try:
            await self._read_if_due("newest", self._options.newest_every, self.fills.read_newest)
            await self._resolve()
            await self._renew()
            await self._read_if_due("orders", self._options.orders_every, self.compare_orders)
            await self._read_if_due("settlements", self._options.settlements_every, self.fills.read_settlements)
            await self._read_if_due("fills", self._options.fills_every, self.fills.read_all)
        except KalshiError as error:
            raise VenueUnavailable(str(error), reason_of(error)) from error
        self._intruders += self.fills.pop_intruders()

    async def _read_if_due(self, name: str, every: float, read: Callable[[], Awaitable[None]]) -> None:
        """Read unless the interval has not passed; a read that fails is due again at the next turn."""
        if self._throttle.due(name, every):
            with self._throttle.retried(name):
                await read()

    def _expiry(self) -> int:
        return math.ceil(self._clock.wall() + self._options.lifetime)

    async def _cancel_round(self) -> bool:
        await self._resolve()
        await self.compare_orders()
        if not self.tracker.open() and not self.tracker.uncertain():
            return True
        failure: VenueError | None = None
        for order in self.resting():
            try:
                await self.cancel(order)
            except VenueError as error:  # the other orders are cancelled all the same
                failure = error
        if failure is not None:
            raise failure
        return False

    async def _renew(self) -> None:
        """Renew the orders that live for less than half of a lifetime. Raises KalshiError.

        An order that cannot be renewed expires; the strategy then decides anew.
        """
        now, monotonic = self._clock.wall(), self._clock.monotonic()
        due = [
            order for order in self.tracker.open()
            if order.expires is not None and not order.adopted and order.expires - now < self._options.lifetime / 2
            and monotonic - order.renewal_tried >= min(2.0, self._options.lifetime / 8)
        ]  # fmt: skip
        for order in sorted(due, key=lambda order: order.expires or 0.0)[:_RENEWALS]:
            order.renewal_tried, expires = monotonic, self._expiry()
            try:
                await self._orders.renew(order.order_id, order.ticker, order.side, order.price, order.quantity, expires)
                order.expires = expires
            except VenueError as error:
                log.debug("order %s is not renewed: %s", order.client_order_id, error)
                await self._reread(order)

    async def _resolve(self) -> None:
        """Find the orders whose answer was lost. An order is absent only if a later state does not show it."""
        uncertain = self.tracker.uncertain()
        if not uncertain:
            self._doubts.clear()
            return
        as_of = await self._client.user_data_timestamp()  # before the orders, so that they are at least as new
        for order in uncertain:
            since = self._doubts.setdefault(order.client_order_id, as_of)
            if order.order_id:  # a fill named it, so it exists
                await self._reread(order, as_of)
            elif found := await self._orders.find(order.client_order_id, order.ticker, order.sent_at):
                self.fills.take_order(found)
            elif as_of - since > self._options.absent_after:
                self.tracker.forget(order.client_order_id)

    async def compare_orders(self) -> None:
        """Compare the orders that rest with those that are tracked; read each missing one by its id."""
        missing = {order.client_order_id: order for order in self.tracker.open()}
        others, intruders = [], []
        for order in await self._orders.resting():
            if not self._names.has_prefix(order.client_order_id):
                others.append(order.client_order_id or order.order_id)
            elif not self._names.is_ours(order.client_order_id):
                intruders.append(order.client_order_id)
            elif missing.pop(order.client_order_id, None) is None and order.remaining > 0:
                self.fills.take_order(order)
        if others and not self._other_orders:
            log.warning(
                "%d orders rest on the account that this bot did not send (%s): they share its cash", len(others),
                ", ".join(others[:3]),
            )  # fmt: skip
        self._other_orders, self._intruders = others, intruders
        if missing:
            as_of = await self._client.user_data_timestamp()
            for tracked in missing.values():
                await self._reread(tracked, as_of)

    async def _reread(self, tracked: TrackedOrder, as_of: float | None = None) -> None:
        """Read an order by its id. as_of: the exchange's read time before, for an order that no list shows."""
        order = await self._orders.read(tracked.order_id)
        if order is not None:
            self.fills.take_order(order)
        elif as_of is not None:
            self._drop_if_lost(tracked, as_of)

    def _drop_if_lost(self, order: TrackedOrder, as_of: float) -> None:
        """Drop an order that the exchange shows neither in a list nor by its id, once it would have expired."""
        if order.missing_since is None:
            order.missing_since = as_of
        if as_of - max(order.missing_since, order.expires or 0.0) > self._options.absent_after:
            log.warning("order %s does not exist at the exchange any more; it is dropped", order.client_order_id)
            self.tracker.forget(order.client_order_id)
