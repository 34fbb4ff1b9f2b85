"""Our orders at the exchange: the request, the last known state, and the contracts that may still fill.

An order is recorded before it is sent and stays uncertain while its answer is missing. Fills are counted twice: as
reported in replies and order reads, and as seen one by one with their ids. Either count may be ahead and neither can be
too high, so what may still fill is the quantity less the larger one. An order is done when it is closed and every
reported fill was seen. A finished order is not reopened by a list that still shows it.

An order of an earlier run is adopted: its seen fills are unknown, so only the reported count is used.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.strategy_types import ZERO, OrderOrigin, PlaceOrder, RestingOrder, Side

_REMEMBERED = 20_000  # finished orders whose late fills are still recognised


@dataclass(slots=True)
class TrackedOrder:
    """One order. order_id is "" until the exchange has sent it. expires: Unix seconds, None if it does not expire."""

    client_order_id: str
    ticker: str
    side: Side
    price: Decimal
    quantity: Decimal
    sent_at: float
    order_id: str = ""
    reported: Decimal = ZERO
    seen: Decimal = ZERO
    open: bool = True
    uncertain: bool = True
    adopted: bool = False
    expires: float | None = None
    renewal_tried: float = 0.0  # monotonic seconds
    missing_since: float | None = None  # the exchange's read time from which on it does not show the order

    @property
    def done(self) -> bool:
        """True when nothing more can come of it that is not counted."""
        return not self.uncertain and not self.open and (self.adopted or self.seen >= self.reported)

    @property
    def possible(self) -> Decimal:
        """Contracts that it may still add to our positions."""
        if self.adopted:
            return self.quantity - self.reported if self.open else ZERO
        return (self.quantity if self.open or self.uncertain else self.reported) - self.seen


class OrderTracker:
    """All orders that are not done. Synchronous; fills may arrive before the answer to their order."""

    def __init__(self) -> None:
        # all mutable state: orders not done by client id; client id of each known order id; origin of each client id;
        # client ids of orders that the exchange had accepted and then did not show; the resting orders, and the
        # uncertain or closed ones' tickers, by client id, as of before the changes since
        self._active: dict[str, TrackedOrder] = {}
        self._client_ids: OrderedDict[str, str] = OrderedDict()
        self._origins: OrderedDict[str, OrderOrigin] = OrderedDict()
        self._dropped: set[str] = set()
        self._resting: dict[str, RestingOrder] = {}
        self._frozen: dict[str, str] = {}
        self._changes: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"OrderTracker(active={len(self._active)}, uncertain={len(self.uncertain())})"

    def record(
        self, client_order_id: str, order: PlaceOrder, now: float, origin: OrderOrigin | None = None,
        expires: float | None = None,
    ) -> None:  # fmt: skip
        """Record an order that is about to be sent at `now`: from here on it may exist."""
        self._active[client_order_id] = TrackedOrder(
            client_order_id, order.ticker, order.side, order.price, order.quantity, now, expires=expires
        )
        self._changed(client_order_id)
        if origin is not None:
            self._origins[client_order_id] = replace(origin, sent_at=now)
            _limit(self._origins)

    def adopt(self, order: TrackedOrder) -> None:
        """Take up an order that was found at the exchange."""
        self._active.setdefault(order.client_order_id, order)
        self._dropped.discard(order.client_order_id)
        self._changed(order.client_order_id)
        self._remember(order, order.order_id)
        self._remove_if_done(order)

    def forget(self, client_order_id: str) -> None:
        """Remove an order that was refused or is known not to exist. One that shows again all the same is adopted."""
        order = self._active.pop(client_order_id, None)
        if order is not None and order.order_id:
            self._dropped.add(client_order_id)
        self._changed(client_order_id)

    def acknowledge(self, client_order_id: str, now: float) -> None:
        """Record when the exchange answered the order."""
        if origin := self._origins.get(client_order_id):
            self._origins[client_order_id] = replace(origin, acknowledged_at=now)

    def update(self, client_order_id: str, order_id: str, filled: Decimal, is_open: bool) -> None:
        """Record a state that the exchange reported. A higher count from an earlier read stays: reads may be old."""
        order = self._active.get(client_order_id)
        if order is None:
            return
        self._changed(client_order_id)
        self._remember(order, order_id)
        order.reported = max(order.reported, filled)
        order.open = order.open and is_open and order.seen < order.quantity
        order.uncertain, order.missing_since = False, None
        self._remove_if_done(order)

    def close(self, client_order_id: str, filled: Decimal) -> None:
        """Record a confirmed cancel. filled: the exchange's final count."""
        order = self._active.get(client_order_id)
        if order is not None:
            self._changed(client_order_id)
            order.reported, order.open, order.uncertain = max(order.reported, filled), False, False
            self._remove_if_done(order)

    def owns(self, order_id: str) -> bool:
        """Return True if this order is known to be ours, done or not."""
        return order_id in self._client_ids

    def is_done(self, order_id: str) -> bool:
        """Return True if this order is ours and done: whatever else is read of it is old."""
        name = self._client_ids.get(order_id)
        return name is not None and name not in self._active and name not in self._dropped

    def fill(self, order_id: str, client_order_id: str | None, quantity: Decimal) -> None:
        """Count a new fill of an order of ours."""
        order = self._active.get(client_order_id or self._client_ids.get(order_id, ""))
        if order is not None:
            self._changed(order.client_order_id)
            self._remember(order, order_id)
            if order.adopted:
                return
            order.seen += quantity
            if order.seen >= order.quantity:
                order.open = order.uncertain = False
            self._remove_if_done(order)

    def get(self, client_order_id: str) -> TrackedOrder | None:
        """Return the order while it is not done."""
        return self._active.get(client_order_id)

    def origin(self, order_id: str, client_order_id: str | None) -> OrderOrigin | None:
        """Return the decision behind an order; None for orders of an earlier run."""
        return self._origins.get(client_order_id or self._client_ids.get(order_id, ""))

    def uncertain(self) -> list[TrackedOrder]:
        """Return the orders whose answer is missing."""
        return [order for order in self._active.values() if order.uncertain]

    def open(self) -> list[TrackedOrder]:
        """Return the orders that rest as far as is known."""
        return [order for order in self._active.values() if order.open and not order.uncertain]

    def resting(self) -> list[RestingOrder]:
        """Return every order that may still change a position. An order that did not change is the same object."""
        self._apply_changes()
        return list(self._resting.values())

    def frozen(self, ticker: str) -> bool:
        """Return True while the state of an order in this market is not certain."""
        self._apply_changes()
        return ticker in self._frozen.values()

    def _apply_changes(self) -> None:
        for name in self._changes:
            order = self._active.get(name)
            if order is not None and order.possible > 0:
                self._resting[name] = RestingOrder(
                    name, order.order_id, order.ticker, order.side, order.price, order.possible
                )
            else:
                self._resting.pop(name, None)
            if order is not None and (order.uncertain or not order.open):
                self._frozen[name] = order.ticker
            else:
                self._frozen.pop(name, None)
        self._changes.clear()

    def _changed(self, client_order_id: str) -> None:
        self._changes[client_order_id] = None

    def _remember(self, order: TrackedOrder, order_id: str) -> None:
        order.order_id = order.order_id or order_id
        self._client_ids[order_id] = order.client_order_id
        _limit(self._client_ids)

    def _remove_if_done(self, order: TrackedOrder) -> None:
        if order.done:
            self._active.pop(order.client_order_id, None)


def _limit(memory: OrderedDict[str, object] | OrderedDict[str, str] | OrderedDict[str, OrderOrigin]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
