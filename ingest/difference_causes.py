"""The cause of each difference between journal, exchange and bot, found by reading the market's fills again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from cache.decimal_json import loads
from journal.base import Journal
from journal.queries import Query
from kalshi.account_models import Fill
from kalshi.cash_models import AccountSettlement
from ledger.account_ledger import AccountLedger
from ledger.amounts import ZERO
from ledger.causes import (
    Cause,
    ExecutionRecord,
    FillEvidence,
    cause_of_content,
    cause_of_quantity,
    match_executions,
    traded_cash,
)
from ledger.difference_tracker import TrackedDifference
from ledger.reconcile import AccountReading, Figure
from ledger.records import TradeRecord, read_trade

PAGE: Final = 1000
HARMLESS: Final[frozenset[Cause]] = frozenset({"method", "mark", "outside the bot"})  # named, and nothing is wrong


class FillReads(Protocol):
    """Reads of the exchange that tell causes apart. Each may raise KalshiError."""

    def fills(self, min_ts: float | None = None, *, ticker: str | None = None) -> AsyncIterator[Fill]:
        """Yield the executions since then, of one market."""
        ...

    def settlements(self, min_ts: float | None = None) -> AsyncIterator[AccountSettlement]:
        """Yield the settlements since then."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference and its cause. size is theirs less ours, in dollars or contracts (+ YES, - NO)."""

    figure: Figure
    ticker: str
    ours: Decimal
    theirs: Decimal
    size: Decimal
    cause: Cause
    since: float
    lasting: bool

    @property
    def text(self) -> str:
        """Return the difference in words that stay the same while it lasts."""
        return f"{self.ticker or 'account'}: {self.figure} differs by {self.size.normalize():f} ({self.cause})"

    def degrades(self, now: float) -> bool:
        """Return True for a difference that lasts and that somebody should look at."""
        return self.lasting and self.cause not in HARMLESS

    def as_json(self) -> dict[str, Any]:
        """Return the difference for the API."""
        return {
            "figure": self.figure, "ticker": self.ticker or None, "journal": self.ours, "other": self.theirs,
            "difference": self.size, "cause": self.cause, "since": round(self.since, 3), "lasting": self.lasting,
        }  # fmt: skip


class CauseFinder:
    """Read fills and settlements of the markets that differ. Without keys every cause is unknown."""

    def __init__(self, journal: Journal, exchange: FillReads | None) -> None:
        self._journal = journal
        self._exchange = exchange

    async def explain(
        self, ledger: AccountLedger, reading: AccountReading, tracked: list[TrackedDifference], *, late: bool
    ) -> list[Finding]:
        """Return each difference with its cause. late: the journal is not complete up to the reading.

        Raises KalshiError and JournalError.
        """
        now = float(reading.latest)
        by_ticker: dict[str, list[TrackedDifference]] = {}
        for each in tracked:
            by_ticker.setdefault(each.mismatch.ticker, []).append(each)
        causes: dict[tuple[str, str], Cause] = {}
        cash_by_cause: dict[Cause, Decimal] = {}
        for ticker, group in by_ticker.items():
            if ticker:
                causes |= await self._of_market(ledger, reading, ticker, group, late, cash_by_cause)
        for each in by_ticker.get("", []):
            causes["cash", ""] = _of_cash(each.size, late, cash_by_cause)
        return [
            Finding(
                each.mismatch.figure, each.mismatch.ticker, each.mismatch.ours, each.mismatch.theirs, each.size,
                causes[each.mismatch.figure, each.mismatch.ticker], each.since, each.lasting(now),
            )
            for each in tracked
        ]  # fmt: skip

    async def _of_market(
        self, ledger: AccountLedger, reading: AccountReading, ticker: str, group: list[TrackedDifference], late: bool,
        cash_by_cause: dict[Cause, Decimal],
    ) -> dict[tuple[str, str], Cause]:  # fmt: skip
        """Return the cause of each figure of a market, and add the cash that it explains to cash_by_cause."""
        found: dict[tuple[str, str], Cause] = {}
        book = ledger.books.get(ticker)
        bots = [each for each in group if each.mismatch.figure == "bot_quantity"]
        for each in bots:
            outside = book.outside if book is not None else ZERO
            found["bot_quantity", ticker] = "outside the bot" if each.size == -outside else "unknown"
        others = [each for each in group if each.mismatch.figure != "bot_quantity"]
        if not others:
            return found
        cause = await self._of_figures(ledger, ticker, others, late)
        for each in others:
            found[each.mismatch.figure, ticker] = cause
        if found.get(("bot_quantity", ticker)) == "unknown":
            found["bot_quantity", ticker] = cause
        theirs = reading.positions.get(ticker)
        if book is not None and theirs is not None and book.settlement is None:
            ours = book.realized - book.cost - book.fees
            cash_by_cause[cause] = cash_by_cause.get(cause, ZERO) + traded_cash(theirs) - ours
        elif cause == "settled meanwhile":
            cash_by_cause[cause] = cash_by_cause.get(cause, ZERO) + await self._revenue(ledger, ticker)
        return found

    async def _of_figures(
        self, ledger: AccountLedger, ticker: str, group: list[TrackedDifference], late: bool
    ) -> Cause:
        mismatches = [each.mismatch for each in group]
        if cause_of_content(mismatches, FillEvidence()) == "method" and mismatches[0].figure != "quantity":
            return "method"
        book = ledger.books.get(ticker)
        if book is not None and book.settlement is not None and mismatches[0].figure == "quantity":
            return "settled meanwhile"  # the exchange's positions still hold a market that has paid
        if await self._settlement(ledger, ticker) is not None and (book is None or book.settlement is None):
            return "settled meanwhile"
        if late:
            return "read late"
        evidence = await self._evidence(ledger, ticker)
        if mismatches[0].figure in ("quantity", "settlement"):
            return cause_of_quantity(group[0].size, evidence)
        return cause_of_content(mismatches, evidence)

    async def _settlement(self, ledger: AccountLedger, ticker: str) -> AccountSettlement | None:
        if self._exchange is None or ledger.begun is None:
            return None
        book = ledger.books.get(ticker)
        since = float(book.last[0]) if book is not None and book.last is not None else float(ledger.begun)
        async for row in self._exchange.settlements(min_ts=since):
            if row.ticker == ticker:
                return row
        return None

    async def _revenue(self, ledger: AccountLedger, ticker: str) -> Decimal:
        """Return the dollars that a settlement paid which the journal does not have."""
        book = ledger.books.get(ticker)
        if book is not None and book.settlement is not None:
            return ZERO
        row = await self._settlement(ledger, ticker)
        return row.revenue if row is not None else ZERO

    async def _evidence(self, ledger: AccountLedger, ticker: str) -> FillEvidence:
        if self._exchange is None or ledger.begun is None:
            return FillEvidence()
        fills = [
            ExecutionRecord(
                row.fill_id, row.timestamp, row.quantity if row.side == "BUY" else -row.quantity, row.yes_price, row.fee
            )
            async for row in self._exchange.fills(min_ts=float(ledger.begun), ticker=ticker)
            if row.timestamp > ledger.begun
        ]
        return match_executions(await self._entries(ledger, ticker), fills)

    async def _entries(self, ledger: AccountLedger, ticker: str) -> list[ExecutionRecord]:
        """Return the market's trades since the baseline with the content that counts."""
        found: dict[int, tuple[str, TradeRecord]] = {}
        after = 0
        while page := await self._journal.history(Query(limit=PAGE, after=after, ticker=ticker)):
            for entry in page:
                if entry.kind in ("trade", "correction"):
                    body = loads(entry.body)
                    trade = read_trade(body)
                    found[trade.corrects or trade.seq] = body["trade_id"], trade
            after = page[-1].seq
        begun = ledger.begun or ZERO
        return [
            ExecutionRecord(trade_id, trade.timestamp, trade.quantity, trade.price, trade.fee)
            for trade_id, trade in found.values()
            if trade.quantity and trade.timestamp > begun
        ]


def _of_cash(size: Decimal, late: bool, cash_by_cause: dict[Cause, Decimal]) -> Cause:
    """Return the cause of the markets whose cash explains size; unknown for interest and whatever has no endpoint."""
    for cause, cash in cash_by_cause.items():
        if cash == size:
            return cause
    total = sum(cash_by_cause.values(), ZERO)
    if cash_by_cause and total == size:
        return max(cash_by_cause, key=lambda cause: abs(cash_by_cause[cause]))
    return "read late" if late else "unknown"
