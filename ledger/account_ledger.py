"""The ledger of one account in one mode: every market's book and the cash, kept up entry by entry."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal

from ledger import records
from ledger.amounts import ZERO
from ledger.market_book import MarketBook, OnClose
from ledger.records import BaselineRecord, Body, ReportedPosition, SettlementRecord, TradeRecord, TransferRecord

APPLIED = "applied"  # the only state of a transfer in which the balance has moved


@dataclass(slots=True)
class CashFlows:
    """Dollars that each cause added to the balance; negative where it took them."""

    trades: Decimal = ZERO  # contracts bought and sold
    fees: Decimal = ZERO
    settlements: Decimal = ZERO
    deposits: Decimal = ZERO
    withdrawals: Decimal = ZERO
    transfer_fees: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Return the sum of all causes."""
        return sum(self.as_mapping().values(), ZERO)

    def __add__(self, other: "CashFlows") -> "CashFlows":
        return CashFlows(*(getattr(self, cause) + getattr(other, cause) for cause in CAUSES))

    def __sub__(self, other: "CashFlows") -> "CashFlows":
        return CashFlows(*(getattr(self, cause) - getattr(other, cause) for cause in CAUSES))

    def as_mapping(self) -> dict[str, Decimal]:
        """Return dollars by cause."""
        return {cause: getattr(self, cause) for cause in CAUSES}


CAUSES = tuple(field.name for field in fields(CashFlows))


def transfer_flows(record: TransferRecord) -> CashFlows:
    """Return the cash that a transfer moved: none before it is applied, and none when it failed or was returned."""
    if record.status != APPLIED:
        return CashFlows()
    if record.direction == "deposit":
        return CashFlows(deposits=record.amount, transfer_fees=-record.fee)
    return CashFlows(withdrawals=-record.amount, transfer_fees=-record.fee)


@dataclass(slots=True)
class ProfitTotals:
    """Sums over all markets in dollars; realized and fees include what the baseline's positions brought with them."""

    realized: Decimal = ZERO
    fees: Decimal = ZERO
    trades: int = 0
    settled: int = 0

    @property
    def net(self) -> Decimal:
        """Return realized profit less fees."""
        return self.realized - self.fees


class AccountLedger:
    """Add up entries of one mode in the order of their seq.

    Profit follows (timestamp, seq), so an entry that belongs before one that was added, and every correction, puts
    its market into `unordered`. Such a market stands still until replay is called with all of its entries. The caller
    adds the market of a trade that a correction moved to another one.
    """

    def __init__(self) -> None:
        self.first: Decimal | None = None  # Unix seconds of the first entry added
        self.books: dict[str, MarketBook] = {}
        self.baseline: BaselineRecord | None = None
        self.flows = CashFlows()
        self.totals = ProfitTotals()
        self.unordered: set[str] = set()
        self.corrections: dict[int, int] = {}  # seq of a corrected trade: seq of its last correction
        self.corrected_by: dict[int, int] = {}  # seq of a correction: seq of the trade that it corrects
        self.moved_to: dict[int, str] = {}  # seq of a corrected trade: market of its last correction
        self.transfers: dict[str, TransferRecord] = {}  # by direction and id: last state
        self.repeated_settlements: dict[str, int] = {}  # by ticker: rows beyond the first

    @property
    def begun(self) -> Decimal | None:
        """Unix seconds of the baseline, which includes what came before; without one those of the first entry."""
        return self.baseline.timestamp if self.baseline else self.first

    def apply(self, kind: str, body: Body) -> None:
        """Add an entry. A gap has no cash flow. Raises RecordError; the entry then has no effect."""
        match kind:
            case "trade" | "correction":
                trade = records.read_trade(body)
                if self._counts(trade.timestamp):
                    self._trade(trade) if trade.corrects is None else self._correct(trade)
            case "settlement":
                paid = records.read_settlement(body)
                if self._counts(paid.timestamp):
                    self._settle(paid)
            case "transfer":
                self._transfer(records.read_transfer(body))
            case "baseline":
                self._begin(records.read_baseline(body))

    def replay(self, ticker: str, entries: Iterable[tuple[str, Body]], on_close: OnClose | None = None) -> None:
        """Add a market up again from all of its entries (trades, corrections, settlement), in any order.

        on_close receives each closed tax lot. Raises RecordError before anything has changed.
        """
        trades: dict[int, TradeRecord] = {}
        settlements: list[SettlementRecord] = []
        for kind, body in entries:
            if kind == "settlement":
                settlements.append(records.read_settlement(body))
            elif kind in ("trade", "correction") and (trade := self._current(records.read_trade(body))) is not None:
                trades[trade.seq] = trade
        book = MarketBook(ticker, self._opening(ticker))
        for trade in sorted(trades.values(), key=lambda each: (each.timestamp, each.seq)):
            if trade.quantity and not self._included(trade.timestamp):
                book.trade(trade, on_close)
        paid = sorted((each for each in settlements if not self._included(each.timestamp)), key=lambda each: each.seq)
        if paid:
            book.settle(paid[0], on_close)
        self._count(self.books.get(ticker), -1)
        self._count(book, 1)
        self.books[ticker] = book
        self.unordered.discard(ticker)

    def _counts(self, timestamp: Decimal) -> bool:
        """Return True for an entry after the baseline; note the time of the first entry of all."""
        if self.first is None:
            self.first = timestamp
        return not self._included(timestamp)

    def _included(self, timestamp: Decimal) -> bool:
        """Return True for what happened before the baseline was read."""
        return self.baseline is not None and timestamp <= self.baseline.timestamp

    def _opening(self, ticker: str) -> ReportedPosition | None:
        return self.baseline.positions.get(ticker) if self.baseline else None

    def _book(self, ticker: str) -> MarketBook:
        book = self.books.get(ticker)
        if book is None:
            book = self.books[ticker] = MarketBook(ticker, self._opening(ticker))
        return book

    def _trade(self, record: TradeRecord) -> None:
        book = self._book(record.ticker)
        if record.ticker in self.unordered or not book.accepts(record):
            self.unordered.add(record.ticker)
            return
        cash, realized = book.trade(record)
        flows, totals = self.flows, self.totals
        flows.trades += cash
        totals.realized += realized
        totals.trades += 1
        if record.fee:
            flows.fees -= record.fee
            totals.fees += record.fee

    def _correct(self, record: TradeRecord) -> None:
        root = self.corrected_by.get(record.corrects or 0, record.corrects or 0)
        self.corrections[root] = record.seq
        self.corrected_by[record.seq] = root
        self._book(record.ticker)
        self.unordered |= {record.ticker, self.moved_to.get(root, record.ticker)}
        self.moved_to[root] = record.ticker

    def _current(self, trade: TradeRecord) -> TradeRecord | None:
        """Return the trade with the content that counts, at the seq of the original; None for replaced content."""
        if trade.corrects is None:
            return trade if trade.seq not in self.corrections else None
        root = self.corrected_by.get(trade.seq, trade.corrects)
        if self.corrections.get(root, trade.seq) != trade.seq:
            return None
        return trade._replace(seq=root)

    def _settle(self, record: SettlementRecord) -> None:
        book = self._book(record.ticker)
        if book.settlement is not None:
            self.repeated_settlements[record.ticker] = self.repeated_settlements.get(record.ticker, 0) + 1
            return
        if record.ticker in self.unordered:
            return
        before = book.fees
        self.totals.realized += book.settle(record)
        self.flows.settlements += record.revenue
        self.flows.fees -= book.fees - before
        self.totals.fees += book.fees - before
        self.totals.settled += 1

    def _transfer(self, record: TransferRecord) -> None:
        """Count the last state of each transfer; the baseline's balance holds the states before it."""
        name = f"{record.direction} {record.transfer_id}"
        before = self.transfers.get(name)
        self.transfers[name] = record
        if not self._included(record.timestamp):
            if before is not None:
                self.flows -= transfer_flows(before)
            self.flows += transfer_flows(record)

    def _begin(self, record: BaselineRecord) -> None:
        """Begin at the newest baseline. Markets that were added up before must be replayed from it."""
        if self.baseline is not None and record.timestamp < self.baseline.timestamp:
            return
        self.baseline = record
        self.flows, self.totals = CashFlows(), ProfitTotals()
        known = self.books.keys() | record.positions.keys()
        self.unordered |= self.books.keys()
        self.books = {ticker: MarketBook(ticker, record.positions.get(ticker)) for ticker in known}
        for book in self.books.values():
            self._count(book, 1)
        for transfer in self.transfers.values():
            if not self._included(transfer.timestamp):
                self.flows += transfer_flows(transfer)

    def _count(self, book: MarketBook | None, sign: int) -> None:
        """Add a book's sums to those of the account, or take them away. Fees of the opening moved no cash since."""
        if book is None:
            return
        opening_fees = book.opening.fees if book.opening else ZERO
        fees = book.fees
        self.totals.realized += sign * book.realized
        self.totals.fees += sign * fees
        self.totals.trades += sign * book.trades
        self.totals.settled += sign * (book.settlement is not None)
        moved = CashFlows(book.traded, opening_fees - fees, book.revenue)
        self.flows = self.flows + moved if sign > 0 else self.flows - moved


def fold(entries: Iterable[tuple[str, Body]], on_close: OnClose | None = None) -> AccountLedger:
    """Return the ledger of entries (kind and body, in the order of their seq) with every market in order.

    on_close receives each closed tax lot, market by market. Raises RecordError.
    """
    ledger = AccountLedger()
    by_ticker: dict[str, list[tuple[str, Body]]] = {}
    traded: dict[int, str] = {}
    for kind, body in entries:
        ledger.apply(kind, body)
        if kind in ("trade", "correction", "settlement"):
            by_ticker.setdefault(body["ticker"], []).append((kind, body))
        if kind == "trade":
            traded[body["seq"]] = body["ticker"]
        elif kind == "correction" and (ticker := traded.get(ledger.corrected_by.get(body["seq"], 0))) is not None:
            ledger.unordered.add(ticker)
    for ticker in sorted(ledger.unordered if on_close is None else ledger.books):
        ledger.replay(ticker, by_ticker.get(ticker, []), on_close)
    return ledger
