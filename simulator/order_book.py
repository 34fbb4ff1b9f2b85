"""The order book of one market: price priority, then time priority."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator

from simulator.orders import OrderSide, SimulatedOrder

LevelCallback = Callable[[OrderSide, int, int, SimulatedOrder], None]
"""Called on each change of a level with side, price, signed count and the order that caused it."""


class BookSide:
    """All resting orders of one side."""

    def __init__(self, side: OrderSide, on_change: LevelCallback) -> None:
        self.side = side
        self._on_change = on_change
        self._queues: dict[int, deque[SimulatedOrder]] = {}  # price -> orders, oldest first
        self._prices: list[int] = []  # the keys of _queues, ascending
        self.sizes: dict[int, int] = {}  # price -> sum of the remaining counts

    @property
    def best(self) -> int | None:
        """The highest bid or the lowest ask; None if the side is empty."""
        if not self._prices:
            return None
        return self._prices[-1] if self.side == "bid" else self._prices[0]

    def first(self) -> SimulatedOrder | None:
        """Return the oldest order at the best price."""
        best = self.best
        return self._queues[best][0] if best is not None else None

    def add(self, order: SimulatedOrder) -> None:
        """Rest an order behind the others at its price."""
        if order.price not in self._queues:
            self._queues[order.price] = deque()
            insort(self._prices, order.price)
        self._queues[order.price].append(order)
        self.resize(order, order.remaining)

    def resize(self, order: SimulatedOrder, by: int) -> None:
        """Change the size of the order's level by a signed count."""
        self.sizes[order.price] = self.sizes.get(order.price, 0) + by
        self._on_change(self.side, order.price, by, order)

    def remove(self, order: SimulatedOrder) -> None:
        """Remove an order with its remaining count."""
        queue = self._queues[order.price]
        queue.remove(order)
        if order.remaining:
            self.resize(order, -order.remaining)
        if not queue:
            del self._queues[order.price], self.sizes[order.price]
            del self._prices[bisect_left(self._prices, order.price)]

    def orders(self) -> Iterator[SimulatedOrder]:
        """Yield all orders in the sequence in which they trade."""
        for price in reversed(self._prices) if self.side == "bid" else self._prices:
            yield from self._queues[price]

    def levels(self) -> list[tuple[int, int]]:
        """Return (price, size) pairs, best last."""
        prices = self._prices if self.side == "bid" else reversed(self._prices)
        return [(price, self.sizes[price]) for price in prices]


class SimulatedBook:
    """Bids and asks of one market in YES prices; never crossed."""

    def __init__(self, on_change: LevelCallback) -> None:
        self.bids = BookSide("bid", on_change)
        self.asks = BookSide("ask", on_change)

    def own(self, side: OrderSide) -> BookSide:
        """Return the side on which orders of this side rest."""
        return self.bids if side == "bid" else self.asks

    def opposite(self, side: OrderSide) -> BookSide:
        """Return the side from which orders of this side take."""
        return self.asks if side == "bid" else self.bids

    def count_ahead(self, order: SimulatedOrder) -> int:
        """Return the count that trades before a resting order."""
        total = 0
        for other in self.own(order.side).orders():
            if other is order:
                break
            total += other.remaining
        return total
