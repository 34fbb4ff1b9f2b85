"""Figures of a report: closed trades of a span of time by day, market and strategy, fees, maker share, drawdown."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cache.decimal_json import plain
from commands.performance import Drawdown, Performance, deepest_drawdown, performance
from ledger.account_ledger import AccountLedger, fold
from ledger.amounts import ZERO
from ledger.market_book import ClosedLot

Entries = list[tuple[str, dict[str, Any]]]


@dataclass(slots=True)
class TradingReport:
    """Closed trades (tax lots) in the order of their closing, and what the account did in the same time."""

    lots: list[ClosedLot]
    figures: Performance
    ledger: AccountLedger
    strategies: dict[tuple[str, Decimal], str] = field(default_factory=dict)  # by ticker and time of the purchase
    trades: int = 0
    makers: int = 0  # trades that added liquidity, of those that say so
    takers: int = 0
    fees_paid: Decimal = ZERO  # by trades of this time, whether or not they are closed

    def strategy_of(self, lot: ClosedLot) -> str | None:
        """Return the strategy that opened a lot, where the bot named one."""
        return None if lot.opened is None else self.strategies.get((lot.ticker, lot.opened))

    def curve(self) -> list[tuple[Decimal, Decimal]]:
        """Return the profit after fees of all trades closed up to each time: (Unix seconds, dollars)."""
        total, points = ZERO, []
        for lot in self.lots:
            total += lot.profit
            points.append((lot.closed, total))
        return points

    def drawdown(self) -> Drawdown:
        """Return the deepest fall of the curve, which begins at 0."""
        points = self.curve()
        return deepest_drawdown([(points[0][0], ZERO), *points] if points else [])

    def by_day(self) -> list[tuple[str, Performance]]:
        """Return the figures of each UTC day."""
        return self._grouped(lambda lot: datetime.fromtimestamp(float(lot.closed), UTC).strftime("%Y-%m-%d"))

    def by_market(self) -> list[tuple[str, Performance]]:
        """Return the figures of each market."""
        return self._grouped(lambda lot: lot.ticker)

    def by_strategy(self) -> list[tuple[str, Performance]]:
        """Return the figures of each strategy; empty where the bot named none."""
        return self._grouped(lambda lot: self.strategy_of(lot) or "not named") if self.strategies else []

    def _grouped(self, key: Callable[[ClosedLot], str]) -> list[tuple[str, Performance]]:
        groups: dict[str, list[ClosedLot]] = defaultdict(list)
        for lot in self.lots:
            groups[key(lot)].append(lot)
        return [(name, performance(groups[name])) for name in sorted(groups)]

    def summary(self) -> list[tuple[str, str]]:
        """Return the main figures as (name, text); unknown ones as a dash."""
        figures, worst = self.figures, self.drawdown()
        known = self.makers + self.takers
        still_open = [book for book in self.ledger.books.values() if book.quantity]
        return [
            ("closed trades", str(figures.closed)),
            ("net profit", dollars(figures.net)),
            ("win rate", percent(figures.win_rate)),
            ("profit factor", "-" if figures.profit_factor is None else f"{figures.profit_factor:.2f}"),
            ("gross profit", dollars(figures.gross_profit)),
            ("gross loss", dollars(-figures.gross_loss)),
            ("deepest drawdown", dollars(-worst.depth)),
            ("fees of closed trades", dollars(figures.fees)),
            ("trades", str(self.trades)),
            ("fees of trades", dollars(self.fees_paid)),
            ("maker share", percent(Decimal(self.makers) / known if known else None)),
            ("markets open at the end", str(len(still_open))),
            ("their cost", dollars(sum((book.cost for book in still_open), ZERO))),
        ]


def make_report(entries: Entries, since: Decimal = ZERO, until: Decimal | None = None) -> TradingReport:
    """Return the report of what was closed from since until until (Unix seconds). Raises RecordError.

    Earlier entries count for the lots that were open by then; later ones are left out.
    """
    known = [each for each in entries if until is None or Decimal(each[1]["timestamp"]) <= until]
    closed: list[ClosedLot] = []
    ledger = fold(known, closed.append)
    lots = sorted((lot for lot in closed if lot.closed >= since), key=lambda lot: lot.closed)
    report = TradingReport(lots, performance(lots), ledger)
    _count_trades(report, (body for kind, body in known if kind == "trade"), since)
    return report


def _count_trades(report: TradingReport, bodies: Iterable[dict[str, Any]], since: Decimal) -> None:
    begun = report.ledger.baseline.timestamp if report.ledger.baseline else None
    for body in bodies:
        timestamp = Decimal(body["timestamp"])
        if body["seq"] in report.ledger.corrections or (begun is not None and timestamp <= begun):
            continue
        if body.get("strategy"):
            report.strategies[body["ticker"], timestamp] = str(body["strategy"])
        if timestamp < since:
            continue
        report.trades += 1
        report.fees_paid += body["fee"] or ZERO
        if body.get("is_taker") is not None:
            report.takers += body["is_taker"]
            report.makers += not body["is_taker"]


def dollars(amount: Decimal) -> str:
    """Return an amount with its sign before the dollar sign, to the cent or exactly where it is finer."""
    exact = plain(abs(amount))
    text = f"{abs(amount):,.2f}" if len(exact.partition(".")[2]) <= 2 else f"{abs(amount):,.4f}"
    return f"-${text}" if amount < 0 else f"${text}"


def percent(share: Decimal | None) -> str:
    """Return a share from 0 to 1 in percent; a dash where it is unknown."""
    return "-" if share is None else f"{100 * share:.1f} %"
