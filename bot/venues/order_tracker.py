"""Our orders at the exchange: what each was asked to do, what is known of it, and what it may still do.

An order is *sent* before its answer is there, and stays unsure when the answer is lost. Two counts of its fills meet
here: the one told (in replies and order reads) and the one seen (fills, by their ids). Each may run ahead of the
other and neither can be too high, so what may still fill is the quantity less the larger of the two, and an order is
done only when it is dead and every fill told of has been seen. Once done it stays so: a list of the exchange that
still shows it is old.

An order of an earlier life is *adopted*: nobody knows which of its fills were counted then, so the one told is all
there is, and its fills neither close it nor keep it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from bot.strategy_types import ZERO, PlaceOrder, RestingOrder, Side

_REMEMBERED = 20_000  # dead orders whose late fills are still known as ours


@dataclass(slots=True)
class TrackedOrder:
    """One order. order_id is "" until the exchange told it. adopted: seen says nothing."""

    client_order_id: str
    ticker: str
    side: Side
    price: Decimal
    quantity: Decimal
    sent_at: float
    order_id: str = ""
    told: Decimal = ZERO
    seen: Decimal = ZERO
    open: bool = True
    unsure: bool = True
    adopted: bool = False

    @property
    def done(self) -> bool:
        """Nothing more can come of it that we do not know."""
        return not self.unsure and not self.open and (self.adopted or self.seen >= self.told)

    @property
    def possible(self) -> Decimal:
        """Contracts that it may still add to the position that our books know."""
        if self.adopted:
            return self.quantity - self.told if self.open else ZERO
        return (self.quantity if self.open or self.unsure else self.told) - self.seen


class OrderTracker:
    """The register. Synchronous; fills may come before the answer to the order that caused them."""

    def __init__(self) -> None:
        # all mutable state: orders not done, by client id; whose each known order id is
        self._alive: dict[str, TrackedOrder] = {}
        self._ours: OrderedDict[str, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"OrderTracker(alive={len(self._alive)}, unsure={len(self.unsure())})"

    def sent(self, client_order_id: str, wish: PlaceOrder, now: float) -> None:
        """Before it leaves: from here on it may exist."""
        self._alive[client_order_id] = TrackedOrder(
            client_order_id, wish.ticker, wish.side, wish.price, wish.quantity, now
        )

    def adopt(self, own: TrackedOrder) -> None:
        """One of an earlier runner, or that was given up as absent too early, was found at the exchange."""
        self._alive.setdefault(own.client_order_id, own)
        self._name(own, own.order_id)
        self._tidy(own)

    def never(self, client_order_id: str) -> None:
        """It was refused, or is known not to exist."""
        self._alive.pop(client_order_id, None)

    def known(self, client_order_id: str, order_id: str, filled: Decimal, is_open: bool) -> None:
        """The exchange told how it stands. What was told before and is higher stays: reads may be old."""
        own = self._alive.get(client_order_id)
        if own is None:
            return
        self._name(own, order_id)
        own.told = max(own.told, filled)
        own.open = own.open and is_open and own.seen < own.quantity
        own.unsure = False
        self._tidy(own)

    def dead(self, client_order_id: str, filled: Decimal) -> None:
        """A cancel was confirmed; filled is the exchange's last word on it."""
        own = self._alive.get(client_order_id)
        if own is not None:
            own.told, own.open, own.unsure = max(own.told, filled), False, False
            self._tidy(own)

    def owns(self, order_id: str) -> bool:
        """Is this order known to be ours, alive or dead?"""
        return order_id in self._ours

    def over(self, order_id: str) -> bool:
        """Is it known to be done? Then whatever else is read of it was true once."""
        return order_id in self._ours and self._ours[order_id] not in self._alive

    def fill(self, order_id: str, client_order_id: str | None, quantity: Decimal) -> None:
        """A fill of an order of ours, known to be new."""
        own = self._alive.get(client_order_id or self._ours.get(order_id, ""))
        if own is not None:
            self._name(own, order_id)
            if own.adopted:
                return
            own.seen += quantity
            if own.seen >= own.quantity:
                own.open = own.unsure = False
            self._tidy(own)

    def get(self, client_order_id: str) -> TrackedOrder | None:
        """The order, while it is not done."""
        return self._alive.get(client_order_id)

    def unsure(self) -> list[TrackedOrder]:
        """Orders whose answer was lost."""
        return [own for own in self._alive.values() if own.unsure]

    def open(self) -> list[TrackedOrder]:
        """Orders that rest as far as is known."""
        return [own for own in self._alive.values() if own.open and not own.unsure]

    def resting(self) -> list[RestingOrder]:
        """Everything that may still change the position, as risk must see it."""
        return [
            RestingOrder(own.client_order_id, own.order_id, own.ticker, own.side, own.price, own.possible)
            for own in self._alive.values()
            if own.possible > 0
        ]

    def frozen(self, ticker: str) -> bool:
        """True while something about this market is not known for sure."""
        return any(own.ticker == ticker and (own.unsure or not own.open) for own in self._alive.values())

    def _name(self, own: TrackedOrder, order_id: str) -> None:
        own.order_id = own.order_id or order_id
        self._ours[order_id] = own.client_order_id
        while len(self._ours) > _REMEMBERED:
            self._ours.popitem(last=False)

    def _tidy(self, own: TrackedOrder) -> None:
        if own.done:
            self._alive.pop(own.client_order_id, None)
