"""Halts, which stop the trading until a person clears them, and the loss limits that cause them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Literal, get_args

from bot.state_values import read_bool, read_dollars, read_seconds

LASTING: Final = 10.0  # seconds for which a loss on marks must be seen before a loss limit acts on it
HaltName = Literal["person", "daily_loss", "drawdown", "reconcile", "fault", "second_bot"]

REASONS: Mapping[str, str] = {
    "person": "halted by a person", "daily_loss": "daily loss", "drawdown": "drawdown",
    "reconcile": "positions differ", "fault": "fault", "second_bot": "second bot",
}  # fmt: skip
"""The word of /status for each halt."""


@dataclass(frozen=True, slots=True)
class Halt:
    """A reason for not trading, and its time in Unix seconds."""

    name: HaltName
    why: str
    since: float

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "Halt":
        """Return a halt from a state file. Raises KeyError, TypeError or ValueError."""
        if stored["name"] not in get_args(HaltName):
            raise ValueError(f"expected one of {', '.join(get_args(HaltName))}, got {stored['name']!r:.40}")
        return cls(stored["name"], str(stored["why"]), float(read_seconds(stored["since"])))


@dataclass(frozen=True, slots=True)
class LossLimits:
    """Dollars. lasting: seconds for which a loss on marks must be seen before it halts."""

    daily_loss: Decimal
    drawdown: Decimal
    lasting: float = LASTING


class LastingLoss:
    """Decide when a loss limit may act. A loss that is realized acts at once, a loss on marks after it has lasted.

    check must be called at each valuation; a single valuation without the loss starts the time again. now is
    monotonic seconds.
    """

    def __init__(self, lasting: float = LASTING) -> None:
        self.lasting = lasting
        self._since: float | None = None  # of the first of the valuations in a row that show the loss

    def check(self, now: float, *, on_marks: bool, realized: bool) -> bool:
        """Return True if the limit may act. on_marks, realized: the loss is beyond the limit with, without marks."""
        if not on_marks and not realized:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return realized or now - self._since >= self.lasting


class Halts:
    """The halts in force, the pause, and the profits that losses are measured from."""

    def __init__(self, limits: LossLimits) -> None:
        self.limits = limits
        # all mutable state: pause, halts, the UTC day with its first profit, the best profit, the limits that are
        # passed at present, and for how long each was
        self.paused = False
        self.halts: dict[str, Halt] = {}
        self._day = ""
        self._day_profit = Decimal(0)
        self._best_profit: Decimal | None = None
        self._passed: set[str] = set()
        self._lasting = {name: LastingLoss(limits.lasting) for name in ("daily_loss", "drawdown")}

    @property
    def halted(self) -> bool:
        """True while any halt is in force."""
        return bool(self.halts)

    @property
    def losing(self) -> bool:
        """True while a loss limit is passed on marks that have not lasted yet: nothing is opened meanwhile."""
        return bool(self._passed)

    def halt(self, name: HaltName, why: str, now: float) -> bool:
        """Stop trading until cleared. now: Unix seconds. Returns False if a halt of this name is in force."""
        return self.halts.setdefault(name, new := Halt(name, why, now)) is new

    def clear(self, profit: Decimal) -> list[str]:
        """Remove every halt and measure losses from this profit on. Returns the names removed."""
        names = sorted(self.halts)
        self.halts.clear()
        self._passed.clear()
        self._day_profit = self._best_profit = profit
        return names

    def observe(self, profit: Decimal, now: float, monotonic: float, realized: Decimal | None = None) -> list[Halt]:
        """Take in the total profit; return the halts that it causes. A day is a UTC day.

        realized: profit without what marks add; a limit that it passes as well halts at once, else the loss must last.
        """
        self._begin_day(profit, now)
        best = self._best_profit = profit if self._best_profit is None else max(self._best_profit, profit)
        new: list[Halt] = []
        limits: tuple[tuple[HaltName, Decimal, Decimal], ...] = (
            ("daily_loss", self._day_profit, self.limits.daily_loss),
            ("drawdown", best, self.limits.drawdown),
        )
        for name, start, limit in limits:
            passed = start - profit >= limit
            certain = passed and realized is not None and start - realized >= limit
            (self._passed.add if passed else self._passed.discard)(name)
            why = f"lost {start - profit:.2f} dollars, the limit is {limit}"
            acts = self._lasting[name].check(monotonic, on_marks=passed, realized=certain)
            if acts and self.halt(name, why, now):
                new.append(self.halts[name])
        return new

    def _begin_day(self, profit: Decimal, now: float) -> None:
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        if day > self._day:  # a clock that goes back begins no new day
            self._day, self._day_profit = day, profit

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON-ready values."""
        return {
            "paused": self.paused,
            "halts": self.dump_halts(),
            "day": self._day,
            "day_profit": str(self._day_profit),
            "best_profit": None if self._best_profit is None else str(self._best_profit),
        }

    def dump_halts(self) -> list[dict[str, Any]]:
        """Return the halts in force as JSON-ready values."""
        return [asdict(halt) for halt in self.halts.values()]

    def load(self, stored: Mapping[str, Any]) -> None:
        """Take over the state that dump gave. Raises KeyError, TypeError or ValueError for anything else."""
        self.paused = read_bool(stored["paused"])
        self.load_halts(stored["halts"])
        self._day = str(stored["day"])
        if self._day:
            datetime.fromisoformat(self._day)
        self._day_profit = read_dollars(stored["day_profit"])
        self._best_profit = None if stored["best_profit"] is None else read_dollars(stored["best_profit"])

    def load_halts(self, stored: list[Mapping[str, Any]]) -> None:
        """Add stored halts to those in force. Raises KeyError, TypeError or ValueError."""
        for halt in map(Halt.load, stored):
            self.halts.setdefault(halt.name, halt)
