"""The order book of one market: price, then time."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator

from simulator.order import Order, Side

Delta = Callable[[Side, int, int, Order], None]
"""Told on each change of a level: side, price, signed count, the order that caused it."""


class Ladder:
    """One side of a book."""

    def __init__(self, side: Side, told: Delta) -> None:
        self.side = side
        self._told = told
        self._queues: dict[int, deque[Order]] = {}  # price -> orders, oldest first
        self._prices: list[int] = []  # the keys of _queues, ascending
        self.sizes: dict[int, int] = {}  # price -> sum of what remains there

    @property
    def best(self) -> int | None:
        """The price that trades next: highest bid, lowest ask."""
        if not self._prices:
            return None
        return self._prices[-1] if self.side == "bid" else self._prices[0]

    def first(self) -> Order | None:
        """The oldest order at the best price."""
        best = self.best
        return self._queues[best][0] if best is not None else None

    def add(self, order: Order) -> None:
        """Rest an order behind the others at its price."""
        if order.price not in self._queues:
            self._queues[order.price] = deque()
            insort(self._prices, order.price)
        self._queues[order.price].append(order)
        self.resize(order, order.remaining)

    def resize(self, order: Order, by: int) -> None:
        """Note that what remains of a resting order grew or shrank."""
        self.sizes[order.price] = self.sizes.get(order.price, 0) + by
        self._told(self.side, order.price, by, order)

    def remove(self, order: Order) -> None:
        """Take an order off, with what remains of it."""
        queue = self._queues[order.price]
        queue.remove(order)
        if order.remaining:
            self.resize(order, -order.remaining)
        if not queue:
            del self._queues[order.price], self.sizes[order.price]
            del self._prices[bisect_left(self._prices, order.price)]

    def orders(self) -> Iterator[Order]:
        """All orders, the next to trade first."""
        for price in reversed(self._prices) if self.side == "bid" else self._prices:
            yield from self._queues[price]

    def levels(self) -> list[tuple[int, int]]:
        """(price, size), best last."""
        prices = self._prices if self.side == "bid" else reversed(self._prices)
        return [(price, self.sizes[price]) for price in prices]


class Book:
    """Bids and asks of one market in YES prices; never crossed."""

    def __init__(self, told: Delta) -> None:
        self.bids = Ladder("bid", told)
        self.asks = Ladder("ask", told)

    def own(self, side: Side) -> Ladder:
        """The ladder where orders of this side rest."""
        return self.bids if side == "bid" else self.asks

    def against(self, side: Side) -> Ladder:
        """The ladder that orders of this side take from."""
        return self.asks if side == "bid" else self.bids

    def ahead(self, order: Order) -> int:
        """The count that trades before a resting order."""
        total = 0
        for other in self.own(order.side).orders():
            if other is order:
                break
            total += other.remaining
        return total
