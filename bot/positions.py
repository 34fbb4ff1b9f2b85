"""Our own positions, fees and profit from executions and settlements, each counted once, by the ledger's FIFO lots."""

from bisect import insort
from collections.abc import Mapping
from copy import deepcopy
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from bot.state_values import read_cost, read_count, read_dollars, read_quantity, read_seconds
from bot.strategy_types import ZERO, Execution, signed
from ledger.amounts import CENT, complement
from ledger.market_book import MarketBook, OpenLot
from ledger.marks import value_position
from ledger.records import SettlementRecord, TradeRecord

_RECENT = 300  # seconds within which an execution may arrive late and still be put in its place
_FOLD_AT = 100  # executions of one market that are kept for that at least


class OpenPosition:
    """One market's book. Executions are counted in the order of their times, even if one arrives late."""

    __slots__ = ("_base", "_recent", "book")

    def __init__(self, book: MarketBook | None = None) -> None:
        self.book = book or MarketBook("")
        self._base = deepcopy(self.book)  # the book before the recent executions
        self._recent: list[tuple[Decimal, int, TradeRecord]] = []

    @property
    def quantity(self) -> Decimal:
        """Contracts: + YES, - NO."""
        return self.book.quantity

    @property
    def cost(self) -> Decimal:
        """Dollars paid for the open contracts, without fees."""
        return self.book.cost

    @property
    def fees(self) -> Decimal:
        """Dollars of fees."""
        return self.book.fees

    def trade(self, record: TradeRecord) -> None:
        """Count an execution."""
        in_order = self.book.accepts(record)
        insort(self._recent, (record.timestamp, record.seq, record), key=lambda item: item[:2])
        if in_order:
            self.book.trade(record)
        else:
            self.book = deepcopy(self._base)
            for _, _, each in self._recent:
                self.book.trade(each)
        while len(self._recent) > _FOLD_AT and self._recent[0][0] < record.timestamp - _RECENT:
            self._base.trade(self._recent.pop(0)[2])


class Positions:
    """Positions by ticker."""

    def __init__(self) -> None:
        # all mutable state: open books, the number of executions, and profit and fees of settled markets
        self.by_ticker: dict[str, OpenPosition] = {}
        self.trades = 0
        self._past_realized = self._past_fees = ZERO

    def __repr__(self) -> str:
        return f"Positions(trades={self.trades}, open={sum(1 for p in self.by_ticker.values() if p.quantity)})"

    def position(self, ticker: str) -> Decimal:
        """Return the contracts open_quantity: + YES, - NO."""
        position = self.by_ticker.get(ticker)
        return position.quantity if position else ZERO

    def holding(self, ticker: str) -> tuple[Decimal, Decimal]:
        """Return the open contracts and the dollars paid for them."""
        position = self.by_ticker.get(ticker)
        return (position.book.quantity, position.book.cost) if position else (ZERO, ZERO)

    def trade(self, execution: Execution) -> None:
        """Count an execution, which must be new."""
        if execution.ticker not in self.by_ticker:
            self.by_ticker[execution.ticker] = OpenPosition(MarketBook(execution.ticker))
        self.trades += 1
        self.by_ticker[execution.ticker].trade(TradeRecord(
            self.trades, execution.timestamp, execution.ticker, signed(execution.side, execution.quantity),
            execution.price, execution.fee,
        ))  # fmt: skip

    def settle(self, ticker: str, value: Decimal) -> bool:
        """Close a market that paid value dollars for each YES. Returns False without a book of it."""
        position = self.by_ticker.pop(ticker, None)
        if position is None:
            return False
        book = position.book
        # the exchange rounds a payout down to whole cents
        paid = (abs(book.quantity) * (value if book.quantity >= 0 else complement(value))).quantize(CENT, ROUND_FLOOR)
        book.settle(SettlementRecord(self.trades, ZERO, ticker, "", value, book.quantity, paid, ZERO))
        self._past_realized += book.realized
        self._past_fees += book.fees
        return True

    def profit(self, marks: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return realized, unrealized, fees and total in dollars; a position without a mark counts at cost."""
        realized, fees, unrealized = self._past_realized, self._past_fees, ZERO
        for ticker, position in self.by_ticker.items():
            realized += position.book.realized
            fees += position.fees
            unrealized += value_position(position.quantity, position.cost, marks.get(ticker)).unrealized or ZERO
        return {"realized": realized, "unrealized": unrealized, "fees": fees, "total": realized + unrealized - fees}

    def dump(self) -> dict[str, Any]:
        """Return the positions as JSON-ready values, exact."""
        return {
            "trades": self.trades,
            "past": [str(self._past_realized), str(self._past_fees)],
            "positions": {ticker: _dump_book(position.book) for ticker, position in self.by_ticker.items()},
        }

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "Positions":
        """Return the positions that dump gave. Raises KeyError, TypeError or ValueError for anything else."""
        positions = cls()
        positions.trades = read_count(stored["trades"])
        realized, fees = stored["past"]
        positions._past_realized, positions._past_fees = read_dollars(realized), read_cost(fees)
        for ticker, values in stored["positions"].items():
            book = _load_old_book(ticker, values) if isinstance(values, list) else _load_book(ticker, values)
            positions.by_ticker[ticker] = OpenPosition(book)
        return positions


def _dump_book(book: MarketBook) -> dict[str, Any]:
    lots = [
        [str(lot.quantity), str(lot.left), str(lot.cost), str(lot.fee), None if lot.opened is None else str(lot.opened)]
        for lot in book.lots
    ]
    return {
        "quantity": str(book.quantity), "cost": str(book.cost), "lots": lots, "realized": str(book.realized),
        "fees": str(book.known_fees), "traded": str(book.traded), "trades": book.trades,
        "last": None if book.last is None else [str(book.last[0]), book.last[1]],
    }  # fmt: skip


def _load_book(ticker: str, values: Mapping[str, Any]) -> MarketBook:
    book = MarketBook(ticker)
    book.quantity, book.cost = read_quantity(values["quantity"]), read_cost(values["cost"])
    for quantity, left, cost, fee, opened in values["lots"]:
        book.lots.append(OpenLot(
            read_quantity(quantity), read_quantity(left), read_cost(cost), read_dollars(fee),
            None if opened is None else read_seconds(opened),
        ))  # fmt: skip
    if sum((lot.left for lot in book.lots), ZERO) != abs(book.quantity):
        raise ValueError(f"{ticker}: lots do not add up to {book.quantity} contracts")
    book.realized, book.known_fees = read_dollars(values["realized"]), read_cost(values["fees"])
    book.traded, book.trades = read_dollars(values["traded"]), read_count(values["trades"])
    if values["last"] is not None:
        book.last = read_seconds(values["last"][0]), read_count(values["last"][1])
    return book


def _load_old_book(ticker: str, values: list[Any]) -> MarketBook:
    """Return the book of a file of version 0.1: quantity, cost, cash of YES trades and fees, without lots."""
    quantity, cost, cash, fees = values
    book = MarketBook(ticker)
    open_quantity, paid, moved = read_quantity(quantity), read_cost(cost), read_dollars(cash)
    if open_quantity:
        book.open(open_quantity, paid, ZERO, None)
    book.traded = moved + min(open_quantity, ZERO)
    book.realized = book.traded + paid
    book.known_fees = read_cost(fees)
    return book
