"""The cause of each difference between journal, exchange and bot, found by reading the market's fills again."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal

from cache.decimal_json import loads
from ingest.journal_ledgers import market_entries
from journal.base import Journal
from kalshi.account_models import AccountSettlement
from kalshi.client import KalshiClient
from ledger.account_ledger import AccountLedger
from ledger.amounts import ZERO
from ledger.causes import ExecutionRecord, FillEvidence, cause_of_content, cause_of_quantity, match_executions
from ledger.reconcile import AccountReading, Cause, Difference
from ledger.records import TradeRecord, read_trade


@dataclass(slots=True)
class CauseFinder:
    """Causes of the differences of one comparison. late: the journal is not complete up to the reading."""

    journal: Journal
    exchange: KalshiClient
    ledger: AccountLedger
    reading: AccountReading
    late: bool
    _cash: defaultdict[Cause, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # that each cause explains

    async def explain(self, differences: list[Difference]) -> list[Difference]:
        """Return the differences with their causes, that of the cash first. Raises KalshiError and JournalError."""
        found: list[Difference] = []
        for ticker in sorted({each.ticker for each in differences if each.ticker}):
            found += await self._of_market(ticker, [each for each in differences if each.ticker == ticker])
        for each in differences:
            if not each.ticker and sum(self._cash.values(), ZERO) not in each.sizes:
                await self._of_settled(each.size)
        return [*(self._of_cash(each) for each in differences if not each.ticker), *found]

    async def _of_market(self, ticker: str, group: list[Difference]) -> list[Difference]:
        """Return the differences of a market with their causes, and note the cash that these explain."""
        book, theirs = self.ledger.books.get(ticker), self.reading.positions.get(ticker)
        others = [each for each in group if each.figure != "bot_quantity"]
        cause = await self._of_figures(ticker, others) if others else "unknown"
        outside = -book.outside if book is not None else ZERO
        found = [
            replace(each, cause="outside the bot" if each not in others and each.size == outside else cause)
            for each in group
        ]
        if not others or (book is not None and book.settlement is not None):
            return found
        if book is not None and theirs is not None:
            self._cash[cause] += theirs.traded_cash - (book.realized - book.cost - book.fees)
        elif cause == "settled meanwhile" and (row := await self._settlement(ticker)) is not None:
            self._cash[cause] += row.revenue
        return found

    async def _of_figures(self, ticker: str, group: list[Difference]) -> Cause:
        figure, book = group[0].figure, self.ledger.books.get(ticker)
        if cause_of_content(group, FillEvidence()) == "method" and figure != "quantity":
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
        return cause_of_content(group, evidence)

    async def _of_settled(self, size: Decimal) -> None:
        """Note the cash of the settled market whose profit differs by size; open positions do not include it."""
        for row in await self.exchange.positions("settled"):
            book = self.ledger.books.get(row.ticker)
            if (
                book is not None
                and book.settlement
                and row.realized_pnl - row.fees - (book.realized - book.fees) == size
            ):
                found = (await self._evidence(row.ticker)).causes()
                self._cash[next(iter(found), "correction")] += size
                return

    def _of_cash(self, difference: Difference) -> Difference:
        """Add the cause of the markets whose cash explains it; unknown for interest and what has no endpoint."""
        size, found = difference.size, self._cash
        cause: Cause = "read late" if self.late else "unknown"
        if found and sum(found.values(), ZERO) == size:
            cause = max(found, key=lambda each: abs(found[each]))
        return replace(difference, cause=next((each for each, cash in found.items() if cash == size), cause))

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
