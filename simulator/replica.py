"""What an account's reads see: the truth of a moment ago, as the exchange's reads trail its matching engine."""

from collections import deque
from collections.abc import Callable

from simulator.account import Position
from simulator.happening import Fill, Happening, OrderChanged, PositionChanged, Settlement
from simulator.order import Order


class Replica:
    """Follows one account, `lag` seconds behind; as_of never goes back."""

    def __init__(self, account: str, cash: int, clock: Callable[[], float]) -> None:
        self.account = account
        self.clock = clock
        self.lag = 0.0
        self.as_of = clock()
        self.cash = cash
        self.orders: dict[str, Order] = {}
        self.fills: list[Fill] = []
        self.positions: dict[str, Position] = {}
        self.settlements: list[Settlement] = []
        self._waiting: deque[tuple[float, Happening]] = deque()  # told, not yet seen by reads

    def __call__(self, happening: Happening) -> None:
        """Listen to the exchange."""
        if self._mine(happening):
            self._waiting.append((happening.at, happening))

    def catch_up(self) -> None:
        """Let reads see what is older than the lag."""
        self.as_of = max(self.as_of, self.clock() - self.lag)
        while self._waiting and self._waiting[0][0] <= self.as_of:
            self._apply(self._waiting.popleft()[1])

    def _mine(self, happening: Happening) -> bool:
        match happening:
            case OrderChanged():
                return happening.order.account == self.account
            case Fill() | PositionChanged() | Settlement():
                return happening.account == self.account
        return False

    def _apply(self, happening: Happening) -> None:
        match happening:
            case OrderChanged():
                self.orders[happening.order.order_id] = happening.order
            case Fill():
                self.fills.append(happening)
            case PositionChanged():
                self.positions[happening.ticker] = happening.position
                self.cash = happening.cash
            case Settlement():
                self.settlements.append(happening)
