"""The state of an account's ledger as JSON text of exact decimals, so that a start need not read the whole journal."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ledger.account_ledger import AccountLedger, ProfitTotals
from ledger.cash_flows import CashFlows
from ledger.lots import OpenLot
from ledger.market_book import MarketBook
from ledger.records import BaselineRecord, OpeningRecord, SettlementRecord, TransferRecord

VERSION: Final = 1


def dump(ledger: AccountLedger) -> str:
    """Return the ledger as text. Raises ValueError while markets wait for a replay: their sums are not final."""
    if ledger.unordered:
        raise ValueError(f"markets wait for a replay: {', '.join(sorted(ledger.unordered))[:200]}")
    baseline = ledger.baseline
    return json.dumps({
        "version": VERSION, "seq": ledger.seq, "first": _optional(ledger.first),
        "baseline": baseline and [baseline.seq, str(baseline.timestamp), _optional(baseline.balance)],
        "openings": baseline and {name: _texts(each) for name, each in baseline.positions.items()},
        "flows": {cause: str(amount) for cause, amount in ledger.flows.as_mapping().items()},
        "totals": [str(ledger.totals.realized), str(ledger.totals.fees), ledger.totals.trades, ledger.totals.settled],
        "corrections": ledger.corrections, "corrected_by": ledger.corrected_by,
        "transfers": [_texts(each) for each in ledger.transfers.values()],
        "repeated_settlements": ledger.repeated_settlements,
        "books": {ticker: _dump_book(book) for ticker, book in ledger.books.items()},
    }, separators=(",", ":"))  # fmt: skip


def load(text: str) -> AccountLedger:
    """Return the ledger that dump gave. Raises ValueError for any other text."""
    try:
        return _load(json.loads(text))
    except (KeyError, TypeError, AttributeError, IndexError, InvalidOperation) as error:
        raise ValueError(f"not the state of a ledger: {error!r:.80}") from error


def _load(kept: dict[str, Any]) -> AccountLedger:
    if kept["version"] != VERSION:
        raise ValueError(f"state of version {kept['version']!r:.20}, expected {VERSION}")
    ledger = AccountLedger()
    ledger.seq = kept["seq"]
    ledger.first = kept["first"] and Decimal(kept["first"])
    if kept["baseline"] is not None:
        seq, timestamp, balance = kept["baseline"]
        openings = {name: OpeningRecord(*map(Decimal, each)) for name, each in kept["openings"].items()}
        ledger.baseline = BaselineRecord(seq, Decimal(timestamp), balance and Decimal(balance), openings)
    ledger.flows = CashFlows.load(kept["flows"])
    realized, fees, trades, settled = kept["totals"]
    ledger.totals = ProfitTotals(Decimal(realized), Decimal(fees), trades, settled)
    ledger.corrections = {int(seq): by for seq, by in kept["corrections"].items()}
    ledger.corrected_by = {int(seq): root for seq, root in kept["corrected_by"].items()}
    for seq, timestamp, name, direction, amount, fee, status in kept["transfers"]:
        ledger.transfers[name] = TransferRecord(
            int(seq), Decimal(timestamp), name, direction, Decimal(amount), Decimal(fee), status
        )
    ledger.repeated_settlements = dict(kept["repeated_settlements"])
    found = ledger.baseline.positions if ledger.baseline else {}
    for ticker, book in kept["books"].items():
        ledger.books[ticker] = _load_book(ticker, found.get(ticker), book)
    return ledger


def _dump_book(book: MarketBook) -> list[Any]:
    lots = [
        [str(lot.quantity), str(lot.left), str(lot.cost), str(lot.fee), _optional(lot.opened)] for lot in book.lots.lots
    ]
    return [
        str(book.quantity), str(book.cost), lots, str(book.realized), str(book.known_fees), book.missing_fees,
        str(book.traded), book.trades, book.last and [str(book.last[0]), book.last[1]],
        book.settlement and _texts(book.settlement), str(book.settlement_position), str(book.outside),
    ]  # fmt: skip


def _load_book(ticker: str, opening: OpeningRecord | None, kept: list[Any]) -> MarketBook:
    book = MarketBook(ticker)
    book.opening = opening
    quantity, cost, lots, realized, known_fees, missing_fees, traded, trades, last, paid, settled_position, outside = (
        kept
    )
    book.lots.quantity, book.lots.cost = Decimal(quantity), Decimal(cost)
    for count, left, lot_cost, fee, opened in lots:
        book.lots.lots.append(OpenLot(
            Decimal(count), Decimal(left), Decimal(lot_cost), Decimal(fee), opened and Decimal(opened),
        ))  # fmt: skip
    book.realized, book.known_fees, book.missing_fees = Decimal(realized), Decimal(known_fees), missing_fees
    book.traded, book.trades, book.last = Decimal(traded), trades, last and (Decimal(last[0]), last[1])
    if paid is not None:
        seq, timestamp, name, result, *amounts = paid
        book.settlement = SettlementRecord(int(seq), Decimal(timestamp), name, result, *map(Decimal, amounts))
    book.settlement_position, book.outside = Decimal(settled_position), Decimal(outside)
    return book


def _texts(record: OpeningRecord | SettlementRecord | TransferRecord) -> list[str]:
    return [str(getattr(record, name)) for name in type(record).__slots__]


def _optional(number: Decimal | None) -> str | None:
    return None if number is None else str(number)
