"""Comparison of the ledger with the exchange: which moment the exchange describes, and what differs from it.

The exchange's reads lag behind its matching engine, and cash and positions are read one after the other. So each of
its figures describes some moment between two times, and it differs from the ledger only when it fits none of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar

from ledger.account_ledger import AccountLedger, CashFlows
from ledger.amounts import ZERO
from ledger.market_book import MarketBook
from ledger.records import ReportedPosition

Figure = Literal["cash", "quantity", "fees", "cost", "realized_pnl", "settlement", "bot_quantity", "bot_pnl"]
Cause = Literal[
    "read late", "outside the bot", "counted twice", "missed", "settled meanwhile", "method", "mark", "correction",
    "unknown",
]  # fmt: skip
HARMLESS: Final[frozenset[Cause]] = frozenset({"method", "mark", "outside the bot"})  # named, and nothing is wrong
Amount = TypeVar("Amount", Decimal, CashFlows)
CHECKS: Final = 3  # comparisons in a row
LASTING: Final = 45.0  # seconds


@dataclass(frozen=True, slots=True)
class RecentFlow:
    """Cash by cause and contracts (+ YES, - NO) that one entry of the last minutes moved."""

    timestamp: Decimal
    ticker: str
    flows: CashFlows
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class AccountReading:
    """Cash and unsettled positions as the exchange reported them for a moment from `earliest` to `latest`.

    worth: dollars at which the exchange values the positions, rounded down to cents.
    """

    balance: Decimal
    positions: Mapping[str, ReportedPosition]
    earliest: Decimal
    latest: Decimal
    worth: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that differs, in dollars or contracts (+ YES, - NO).

    sizes: the possible ones (theirs less ours), one for each possible moment; since it began, those that fit every
    comparison. since: Unix seconds of the first comparison. checks: number of comparisons.
    """

    figure: Figure
    ticker: str
    ours: Decimal
    theirs: Decimal
    sizes: frozenset[Decimal]
    since: float = 0.0
    checks: int = 1
    cause: Cause = "unknown"

    @property
    def size(self) -> Decimal:
        """Return the smallest possible size."""
        return min(self.sizes, key=abs)

    @property
    def text(self) -> str:
        """Return the difference in words that stay the same while it lasts."""
        return f"{self.ticker or 'account'}: {self.figure} differs by {self.size.normalize():f} ({self.cause})"

    def lasting(self, now: float) -> bool:
        """Return True for a difference that has been there long enough to be real."""
        return self.checks >= CHECKS and now - self.since >= LASTING

    def degrades(self, now: float) -> bool:
        """Return True for a lasting difference that an operator should look into."""
        return self.lasting(now) and self.cause not in HARMLESS

    def as_json(self, now: float) -> dict[str, Any]:
        """Return the difference for the API."""
        return {
            "figure": self.figure, "ticker": self.ticker or None, "journal": self.ours, "other": self.theirs,
            "difference": self.size, "cause": self.cause, "since": round(self.since, 3), "lasting": self.lasting(now),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures that differ. flows and expected: cash at the moment that fits the exchange's figure best.

    unreported_fees: dollars of fees that only the exchange reports; expected is without them.
    """

    flows: CashFlows
    expected: Decimal
    unreported_fees: Decimal
    differences: list[Difference] = field(default_factory=list)


def compare(
    ledger: AccountLedger, opening: Decimal, recent: Iterable[RecentFlow], reading: AccountReading
) -> Comparison:
    """Compare a ledger that was opened with so much cash. recent: what moved since reading.earliest, at least."""
    flows = sorted((flow for flow in recent if flow.timestamp > reading.earliest), key=lambda flow: flow.timestamp)
    unreported = _unreported_fees(ledger, reading)
    # A copy: the ledger adds the next trade to its own flows, and with nothing recent they are the moment itself.
    moments = list(_moments(copy(ledger.flows), [(flow.timestamp, flow.flows) for flow in flows], reading.latest))
    amounts = [opening + moment.total - unreported for moment in moments]
    best = min(range(len(amounts)), key=lambda place: abs(reading.balance - amounts[place]))
    found = Comparison(moments[best], amounts[best], unreported)
    found.differences.extend(_difference("cash", "", found.expected, reading.balance, amounts))
    active = {flow.ticker for flow in flows}
    worth = {ticker for ticker, book in ledger.books.items() if book.quantity or book.missed_quantity}
    for ticker in sorted(worth | reading.positions.keys()):
        book = ledger.books.get(ticker)
        moved = [(flow.timestamp, flow.quantity) for flow in flows if flow.ticker == ticker] if ticker in active else []
        found.differences.extend(_compare_market(ticker, book, reading, moved))
    return found


def _difference(
    figure: Figure, ticker: str, ours: Decimal, theirs: Decimal, moments: Sequence[Decimal] = ()
) -> list[Difference]:
    """Return the difference of a figure, none where theirs is ours at one of the moments; without moments: now."""
    possible = moments or [ours]
    sizes = frozenset(theirs - amount for amount in possible)
    return [] if theirs in possible else [Difference(figure, ticker, ours, theirs, sizes)]


def compare_bot(
    ledger: AccountLedger, recent: Iterable[RecentFlow], quantities: Mapping[str, Decimal],
    polled: tuple[Decimal, Decimal],
) -> list[Difference]:  # fmt: skip
    """Compare the contracts that a bot reported for a moment between two times (Unix seconds) with the ledger's."""
    flows = sorted((flow for flow in recent if flow.timestamp > polled[0]), key=lambda flow: flow.timestamp)
    open_now = {ticker for ticker, book in ledger.books.items() if book.quantity}
    found: list[Difference] = []
    for ticker in sorted(open_now | quantities.keys() | {flow.ticker for flow in flows} - {""}):
        ours = ledger.books[ticker].quantity if ticker in ledger.books else ZERO
        moved = [(flow.timestamp, flow.quantity) for flow in flows if flow.ticker == ticker]
        moments = list(_moments(ours, moved, polled[1]))
        found += _difference("bot_quantity", ticker, ours, quantities.get(ticker, ZERO), moments)
    return found


def _unreported_fees(ledger: AccountLedger, reading: AccountReading) -> Decimal:
    """Fees of trades that came without one, as the exchange's positions report them."""
    total = ZERO
    for ticker, theirs in reading.positions.items():
        book = ledger.books.get(ticker)
        if book is not None and book.fees_unknown and theirs.fees > book.fees:
            total += theirs.fees - book.fees
    return total


def _moments(now: Amount, flows: Sequence[tuple[Decimal, Amount]], latest: Decimal) -> Iterator[Amount]:
    """Yield the amount at each moment of a reading: before all recent flows, then after each of them up to latest."""
    amount = now
    for _, moved in flows:
        amount = amount - moved
    yield amount
    for timestamp, moved in flows:
        if timestamp > latest:
            return
        amount = amount + moved
        yield amount


def _compare_market(
    ticker: str, book: MarketBook | None, reading: AccountReading, moved: list[tuple[Decimal, Decimal]]
) -> list[Difference]:
    theirs = reading.positions.get(ticker)
    ours = book.quantity if book else ZERO
    reported = theirs.quantity if theirs else ZERO
    if found := _difference("quantity", ticker, ours, reported, list(_moments(ours, moved, reading.latest))):
        return found
    if book is not None and book.settlement is not None and book.missed_quantity:  # no entry explains its contracts
        found += _difference("settlement", ticker, book.settlement_position, book.settlement.net)
    if book is not None and theirs is not None and not moved and book.settlement is None:
        found += _difference("realized_pnl", ticker, book.realized, theirs.realized)
        found += _difference("cost", ticker, book.cost, theirs.cost)
        if not book.fees_unknown or theirs.fees < book.fees:
            found += _difference("fees", ticker, book.fees, theirs.fees)
    return found


@dataclass(slots=True)
class DifferenceTracker:
    """Follow the differences of successive comparisons by figure and ticker."""

    current: dict[tuple[str, str], Difference] = field(default_factory=dict)

    def update(self, differences: list[Difference], now: float) -> list[Difference]:
        """Take the differences of one comparison and return them with the time since when they are there."""
        before, self.current = self.current, {}
        for each in differences:
            key = each.figure, each.ticker
            kept = before.get(key)
            if kept is not None and (sizes := kept.sizes & each.sizes):
                self.current[key] = replace(each, sizes=sizes, since=kept.since, checks=kept.checks + 1)
            else:
                self.current[key] = replace(each, since=now)
        return list(self.current.values())
