"""Figures of closed trades: wins, losses, profit factor, days and drawdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ledger.amounts import ZERO
from ledger.market_book import ClosedLot


@dataclass(frozen=True, slots=True)
class Performance:
    """A closed trade is a tax lot that was closed; it wins when proceeds exceed cost and fees. Dollars."""

    closed: int
    wins: int
    losses: int
    gross_profit: Decimal
    gross_loss: Decimal  # above 0
    fees: Decimal

    @property
    def net(self) -> Decimal:
        """Return the profit of all closed trades after fees."""
        return self.gross_profit - self.gross_loss

    @property
    def win_rate(self) -> Decimal | None:
        """Return wins by closed trades, from 0 to 1; None without closed trades."""
        return Decimal(self.wins) / self.closed if self.closed else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Return gross profit by gross loss; None without a loss."""
        return self.gross_profit / self.gross_loss if self.gross_loss else None


def performance(lots: Iterable[ClosedLot]) -> Performance:
    """Return the figures of these closed trades."""
    closed = wins = losses = 0
    gained = lost = fees = ZERO
    for lot in lots:
        closed += 1
        fees += lot.fees
        profit = lot.profit
        if profit > 0:
            wins, gained = wins + 1, gained + profit
        elif profit < 0:
            losses, lost = losses + 1, lost - profit
    return Performance(closed, wins, losses, gained, lost, fees)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of a curve below its highest point before. depth is dollars, start and end are its times."""

    depth: Decimal
    start: Decimal | None
    end: Decimal | None


def deepest_drawdown(curve: Sequence[tuple[Decimal, Decimal]]) -> Drawdown:
    """Return the deepest fall of (time, dollars) points in order of time; depth 0 for a curve that never falls."""
    deepest = Drawdown(ZERO, None, None)
    top: tuple[Decimal, Decimal] | None = None
    for when, amount in curve:
        if top is None or amount > top[1]:
            top = (when, amount)
        elif top[1] - amount > deepest.depth:
            deepest = Drawdown(top[1] - amount, top[0], when)
    return deepest
