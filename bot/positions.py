"""The bot's own books: positions, cash, fees and P&L from executions and settlements alone, each counted once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.strategy_types import ONE, ZERO, Execution, signed

_MICRO = Decimal("0.000001")


@dataclass(slots=True)
class OpenPosition:
    """One market. cost is what the open contracts cost, (1 - price) each when short; cash is exact."""

    quantity: Decimal = ZERO  # + YES, - NO
    cost: Decimal = ZERO
    cash: Decimal = ZERO  # of YES bought and sold and paid out, fees not in it
    fees: Decimal = ZERO

    @property
    def realized(self) -> Decimal:
        """Profit of what was closed, fees not in it."""
        # the open part has cash -cost when long; short, it has brought |quantity| dollars less its cost
        return self.cash + self.cost if self.quantity >= 0 else self.cash + self.quantity + self.cost

    def unrealized(self, mark: Decimal) -> Decimal:
        """Profit of the open part if it were closed at mark."""
        return self.cash + self.quantity * mark - self.realized

    def trade(self, change: Decimal, price: Decimal, fee: Decimal) -> None:
        """Take in an execution: change is + for contracts bought."""
        closed = min(abs(change), abs(self.quantity)) if change * self.quantity < 0 else ZERO
        if closed:
            self.cost -= (self.cost * closed / abs(self.quantity)).quantize(_MICRO)
        self.quantity += change
        opened = abs(change) - closed
        if self.quantity == 0 or (closed and opened):
            self.cost = ZERO
        self.cost += opened * (price if change > 0 else ONE - price)
        self.cash -= change * price
        self.fees += fee


class Positions:
    """Positions by ticker."""

    def __init__(self) -> None:
        # all mutable state: what the executions so far add up to, how many they were, and what settled markets left
        self.by_ticker: dict[str, OpenPosition] = {}
        self.trades = 0
        self._past = OpenPosition()

    def __repr__(self) -> str:
        return f"Positions(trades={self.trades}, open={sum(1 for p in self.by_ticker.values() if p.quantity)})"

    def position(self, ticker: str) -> Decimal:
        """Contracts held: + YES, - NO."""
        held = self.by_ticker.get(ticker)
        return held.quantity if held else ZERO

    def trade(self, execution: Execution) -> None:
        """Take in an execution; the caller knows that it is new."""
        position = self.by_ticker.setdefault(execution.ticker, OpenPosition())
        position.trade(signed(execution.side, execution.quantity), execution.price, execution.fee)
        self.trades += 1

    def settle(self, ticker: str, value: Decimal) -> bool:
        """The market paid value for each YES (one minus it for each NO) and is over. False when it was not known."""
        position = self.by_ticker.pop(ticker, None)
        if position is None:
            return False
        self._past.cash += position.cash + position.quantity * value
        self._past.fees += position.fees
        return True

    def profit(self, marks: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """realized, unrealized, fees and total in dollars; a position without a mark counts at cost."""
        realized, fees, unrealized = self._past.realized, self._past.fees, ZERO
        for ticker, position in self.by_ticker.items():
            realized += position.realized
            fees += position.fees
            if position.quantity and ticker in marks:
                unrealized += position.unrealized(marks[ticker])
        return {"realized": realized, "unrealized": unrealized, "fees": fees, "total": realized + unrealized - fees}

    def dump(self) -> dict[str, Any]:
        """The books as JSON-ready values, exact."""
        return {
            "trades": self.trades,
            "past": [str(self._past.cash), str(self._past.fees)],
            "positions": {
                ticker: [str(p.quantity), str(p.cost), str(p.cash), str(p.fees)] for ticker, p in self.by_ticker.items()
            },
        }

    @classmethod
    def load(cls, kept: Mapping[str, Any]) -> "Positions":
        """The positions that dump gave. Raises KeyError, TypeError, ValueError or ArithmeticError when they are not."""
        positions = cls()
        positions.trades = int(kept["trades"])
        positions._past.cash, positions._past.fees = (Decimal(number) for number in kept["past"])
        for ticker, numbers in kept["positions"].items():
            quantity, cost, cash, fees = (Decimal(number) for number in numbers)
            positions.by_ticker[ticker] = OpenPosition(quantity, cost, cash, fees)
        return positions
