"""The cause of each difference between journal, exchange and bot, found by reading the market's fills again."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cache.decimal_json import loads
from ingest.journal_ledgers import market_entries
from journal.base import Journal
from kalshi.account_models import AccountSettlement
from kalshi.client import KalshiClient
from ledger.account_ledger import AccountLedger
from ledger.amounts import ZERO
from ledger.causes import Cause, ExecutionRecord, FillEvidence, cause_of_content, cause_of_quantity, match_executions
from ledger.reconcile import AccountReading, Figure, TrackedDifference
from ledger.records import TradeRecord, read_trade

HARMLESS: Final[frozenset[Cause]] = frozenset({"method", "mark", "outside the bot"})  # named, and nothing is wrong


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference and its cause. lasting: it has been there long enough to be real."""

    difference: TrackedDifference
    cause: Cause
    lasting: bool

    @property
    def text(self) -> str:
        """Return the difference in words that stay the same while it lasts."""
        mismatch, size = self.difference.mismatch, self.difference.size
        return f"{mismatch.ticker or 'account'}: {mismatch.figure} differs by {size.normalize():f} ({self.cause})"

    @property
    def degrades(self) -> bool:
        """Return True for a lasting difference that an operator should look into."""
        return self.lasting and self.cause not in HARMLESS

    def as_json(self) -> dict[str, Any]:
        """Return the difference for the API: theirs less ours, in dollars or contracts (+ YES, - NO)."""
        mismatch = self.difference.mismatch
        return {
            "figure": mismatch.figure, "ticker": mismatch.ticker or None, "journal": mismatch.ours,
            "other": mismatch.theirs, "difference": self.difference.size, "cause": self.cause,
            "since": round(self.difference.since, 3), "lasting": self.lasting,
        }  # fmt: skip


@dataclass(slots=True)
class CauseFinder:
    """Causes of the differences of one comparison. late: the journal is not complete up to the reading."""

    journal: Journal
    exchange: KalshiClient
    ledger: AccountLedger
    reading: AccountReading
    late: bool
    _cash: defaultdict[Cause, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # that each cause explains

    async def explain(self, tracked: list[TrackedDifference]) -> list[Finding]:
        """Return each difference with its cause. Raises KalshiError and JournalError."""
        groups: dict[str, list[TrackedDifference]] = {}
        for each in tracked:
            groups.setdefault(each.mismatch.ticker, []).append(each)
        causes: dict[tuple[Figure, str], Cause] = {}
        for ticker, group in groups.items():
            if ticker:
                causes |= {(figure, ticker): cause for figure, cause in (await self._of_market(ticker, group)).items()}
        causes |= {(each.mismatch.figure, ""): self._of_cash(each.size) for each in groups.get("", ())}
        now = float(self.reading.latest)
        return [
            Finding(each, causes[each.mismatch.figure, each.mismatch.ticker], each.lasting(now)) for each in tracked
        ]

    async def _of_market(self, ticker: str, group: list[TrackedDifference]) -> dict[Figure, Cause]:
        """Return the cause of each figure of a market, and note the cash that it explains."""
        book, theirs = self.ledger.books.get(ticker), self.reading.positions.get(ticker)
        others = [each for each in group if each.mismatch.figure != "bot_quantity"]
        cause = await self._of_figures(ticker, others) if others else "unknown"
        found: dict[Figure, Cause] = {}
        for each in group:
            is_outside = each.mismatch.figure == "bot_quantity" and book is not None and each.size == -book.outside
            found[each.mismatch.figure] = "outside the bot" if is_outside else cause
        if not others or (book is not None and book.settlement is not None):
            return found
        if book is not None and theirs is not None:
            self._cash[cause] += theirs.traded_cash - (book.realized - book.cost - book.fees)
        elif cause == "settled meanwhile" and (row := await self._settlement(ticker)) is not None:
            self._cash[cause] += row.revenue
        return found

    async def _of_figures(self, ticker: str, group: list[TrackedDifference]) -> Cause:
        mismatches = [each.mismatch for each in group]
        figure, book = mismatches[0].figure, self.ledger.books.get(ticker)
        if cause_of_content(mismatches, FillEvidence()) == "method" and figure != "quantity":
            return "method"
        if book is not None and book.settlement is not None:
            if figure == "quantity":
                return "settled meanwhile"  # the exchange's positions still hold a market that has paid
        elif await self._settlement(ticker) is not None:
            return "settled meanwhile"
        if self.late:
            return "read late"
        evidence = await self._evidence(ticker)
        if figure in ("quantity", "settlement"):
            return cause_of_quantity(group[0].size, evidence)
        return cause_of_content(mismatches, evidence)

    def _of_cash(self, size: Decimal) -> Cause:
        """Return the cause of the markets whose cash explains size; unknown for interest and what has no endpoint."""
        for cause, cash in self._cash.items():
            if cash == size:
                return cause
        if self._cash and sum(self._cash.values(), ZERO) == size:
            return max(self._cash, key=lambda cause: abs(self._cash[cause]))
        return "read late" if self.late else "unknown"

    async def _settlement(self, ticker: str) -> AccountSettlement | None:
        book, begun = self.ledger.books.get(ticker), self.ledger.begun or ZERO
        since = book.last[0] if book is not None and book.last is not None else begun
        async for row in self.exchange.settlements(min_ts=float(since)):
            if row.ticker == ticker:
                return row
        return None

    async def _evidence(self, ticker: str) -> FillEvidence:
        begun = self.ledger.begun or ZERO
        fills = [
            ExecutionRecord(
                row.fill_id, row.timestamp, row.quantity if row.side == "BUY" else -row.quantity, row.yes_price, row.fee
            )
            async for row in self.exchange.fills(min_ts=float(begun), ticker=ticker)
            if row.timestamp > begun
        ]
        found: dict[int, tuple[str, TradeRecord]] = {}  # with the content that counts
        async for entry in market_entries(self.journal, ticker):
            if entry.kind in ("trade", "correction"):
                body = loads(entry.body)
                trade = read_trade(body)
                found[trade.corrects or trade.seq] = body["trade_id"], trade
        entries = [
            ExecutionRecord(trade_id, trade.timestamp, trade.quantity, trade.price, trade.fee)
            for trade_id, trade in found.values()
            if trade.quantity and trade.timestamp > begun
        ]
        return match_executions(entries, fills)
