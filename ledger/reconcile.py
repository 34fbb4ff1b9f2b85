"""Comparison of the ledger with the exchange: which moment the exchange describes, and what differs from it.

The exchange's reads lag behind its matching engine, and cash and positions are read one after the other. So each of
its figures describes some moment between two times, and it differs from the ledger only when it fits none of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeVar

from ledger.account_ledger import AccountLedger, CashFlows
from ledger.amounts import ZERO
from ledger.market_book import MarketBook
from ledger.records import ReportedPosition

Figure = Literal["cash", "quantity", "fees", "cost", "realized_pnl", "settlement", "bot_quantity", "bot_pnl"]
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
    """Cash and unsettled positions as the exchange reported them for a moment from `earliest` to `latest`."""

    balance: Decimal
    positions: Mapping[str, ReportedPosition]
    earliest: Decimal
    latest: Decimal


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A figure that differs: candidates are the possible sizes (theirs less ours), one for each possible moment."""

    figure: Figure
    ticker: str
    ours: Decimal
    theirs: Decimal
    candidates: frozenset[Decimal]

    @property
    def size(self) -> Decimal:
        """Return the smallest possible size."""
        return min(self.candidates, key=abs)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures that differ. flows and expected: cash at the moment that fits the exchange's figure best.

    unreported_fees: dollars of fees that only the exchange reports; expected is without them.
    """

    flows: CashFlows
    expected: Decimal
    unreported_fees: Decimal
    mismatches: list[Mismatch] = field(default_factory=list)


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
    if reading.balance != found.expected:
        sizes = frozenset(reading.balance - amount for amount in amounts)
        found.mismatches.append(Mismatch("cash", "", found.expected, reading.balance, sizes))
    active = {flow.ticker for flow in flows}
    worth = {ticker for ticker, book in ledger.books.items() if book.quantity or book.missed_quantity}
    for ticker in sorted(worth | reading.positions.keys()):
        book = ledger.books.get(ticker)
        moved = [(flow.timestamp, flow.quantity) for flow in flows if flow.ticker == ticker] if ticker in active else []
        found.mismatches.extend(_compare_market(ticker, book, reading, moved))
    return found


def compare_bot(
    ledger: AccountLedger,
    recent: Iterable[RecentFlow],
    quantities: Mapping[str, Decimal],
    polled: tuple[Decimal, Decimal],
) -> list[Mismatch]:
    """Compare the contracts that a bot reported for a moment between two times (Unix seconds) with the ledger's."""
    flows = sorted((flow for flow in recent if flow.timestamp > polled[0]), key=lambda flow: flow.timestamp)
    open_now = {ticker for ticker, book in ledger.books.items() if book.quantity}
    found = []
    for ticker in sorted(open_now | quantities.keys() | {flow.ticker for flow in flows} - {""}):
        ours = ledger.books[ticker].quantity if ticker in ledger.books else ZERO
        moved = [(flow.timestamp, flow.quantity) for flow in flows if flow.ticker == ticker]
        moments, theirs = list(_moments(ours, moved, polled[1])), quantities.get(ticker, ZERO)
        if theirs not in moments:
            sizes = frozenset(theirs - amount for amount in moments)
            found.append(Mismatch("bot_quantity", ticker, ours, theirs, sizes))
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
) -> list[Mismatch]:
    theirs = reading.positions.get(ticker)
    ours = book.quantity if book else ZERO
    reported = theirs.quantity if theirs else ZERO
    moments = list(_moments(ours, moved, reading.latest))
    if reported not in moments:
        sizes = frozenset(reported - amount for amount in moments)
        return [Mismatch("quantity", ticker, ours, reported, sizes)]
    found: list[Mismatch] = []
    if book is not None and book.settlement is not None and book.missed_quantity:  # no entry explains its contracts
        position, net = book.settlement_position, book.settlement.net
        found.append(Mismatch("settlement", ticker, position, net, frozenset([net - position])))
    if book is None or theirs is None or moved or book.settlement is not None:
        return found
    pairs: list[tuple[Figure, Decimal, Decimal]] = [
        ("realized_pnl", book.realized, theirs.realized), ("cost", book.cost, theirs.cost),
    ]  # fmt: skip
    if not book.fees_unknown or theirs.fees < book.fees:
        pairs.append(("fees", book.fees, theirs.fees))
    found += [Mismatch(name, ticker, a, b, frozenset([b - a])) for name, a, b in pairs if a != b]
    return found


@dataclass(slots=True)
class TrackedDifference:
    """One figure that differs. sizes: those that fit every comparison since it began."""

    mismatch: Mismatch
    sizes: frozenset[Decimal]
    since: float  # Unix seconds
    checks: int = 1

    @property
    def size(self) -> Decimal:
        """Return the size that fits all comparisons (the smallest, where several do)."""
        return min(self.sizes, key=abs)

    def lasting(self, now: float) -> bool:
        """Return True for a difference that has been there long enough to be real."""
        return self.checks >= CHECKS and now - self.since >= LASTING


@dataclass(slots=True)
class DifferenceTracker:
    """Follow the mismatches of successive comparisons by figure and ticker."""

    current: dict[tuple[str, str], TrackedDifference] = field(default_factory=dict)

    def update(self, mismatches: list[Mismatch], now: float) -> list[TrackedDifference]:
        """Take the mismatches of one comparison and return the differences that are open now."""
        before, self.current = self.current, {}
        for each in mismatches:
            key = each.figure, each.ticker
            kept = before.get(key)
            sizes = kept.sizes & each.candidates if kept is not None else frozenset[Decimal]()
            if kept is not None and sizes:
                self.current[key] = TrackedDifference(each, sizes, kept.since, kept.checks + 1)
            else:
                self.current[key] = TrackedDifference(each, each.candidates, now)
        return list(self.current.values())
