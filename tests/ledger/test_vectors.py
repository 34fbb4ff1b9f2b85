"""The shared vectors: the ledger computes the oracle's figures to the last digit, however the entries are added."""

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cache.decimal_json import loads, plain
from ledger.account_ledger import AccountLedger, fold
from ledger.market_book import MarketBook
from ledger.marks import sum_known, value_position
from tests.ledger.cases import CASES
from tests.ledger.maker import random_cases
from tests.ledger.oracle import by_mode

VECTORS = Path(__file__).parents[1] / "vectors" / "ledger"
Json = dict[str, Any]


def vectors(name: str) -> list[Json]:
    """The cases of a file with exact numbers."""
    found: list[Json] = loads((VECTORS / f"{name}.json").read_text())
    return found


def texts(row: Json) -> Json:
    """Amounts as the shortest exact text."""
    return {name: value if isinstance(value, str | int | None) else plain(value) for name, value in row.items()}


def position_row(book: MarketBook, yes_mark: Decimal | None) -> Json:
    """One market's figures; value and unrealized_pnl are null for a flat position."""
    valued = value_position(book.quantity, book.cost, yes_mark)
    is_open = bool(book.quantity)
    return {
        "ticker": book.ticker, "quantity": book.quantity,
        "outcome": ("yes" if book.quantity > 0 else "no") if is_open else None,
        "cost": book.cost, "average_price": valued.average_price, "mark": valued.mark,
        "value": valued.value if is_open else None, "unrealized_pnl": valued.unrealized if is_open else None,
        "realized_pnl": book.realized, "fees": book.fees, "trades": book.trades, "fees_unknown": book.fees_unknown,
    }  # fmt: skip


def figures(ledger: AccountLedger, marks: Json) -> Json:
    """The ledger's figures in the form of the vectors."""
    rows = [position_row(ledger.books[ticker], marks.get(ticker)) for ticker in sorted(ledger.books)]
    open_rows: list[Json] = [row for row in rows if row["outcome"] is not None]
    totals = {
        "realized_pnl": ledger.totals.realized, "fees": ledger.totals.fees, "net_realized": ledger.totals.net,
        "unrealized_pnl": sum_known(row["unrealized_pnl"] for row in open_rows),
        "unmarked": sum(row["unrealized_pnl"] is None for row in open_rows),
    }  # fmt: skip
    cash = ledger.flows.as_mapping() | {"total": ledger.flows.total}
    return {"positions": [texts(row) for row in rows], "totals": texts(totals), "cash": texts(cash)}


def of_mode(case: Json, mode: str) -> list[tuple[str, Json]]:
    """The case's entries in one mode."""
    return [(entry["kind"], entry) for entry in case["entries"] if entry.get("mode", mode) == mode]


def prices(case: Json) -> Json:
    """The case's marks as numbers."""
    return {ticker: loads(text) for ticker, text in case["marks"].items()}


@pytest.mark.parametrize("name", ["cases", "random"])
def test_the_ledger_computes_every_vector(name: str) -> None:
    """Positions, profit, fees and cash agree with the oracle to the last digit."""
    for case in vectors(name):
        for mode, expected in case["expected"].items():
            assert figures(fold(of_mode(case, mode)), prices(case)) == expected, f"{case['name']}, {mode}"


@pytest.mark.parametrize("name", ["cases", "random"])
def test_a_ledger_that_is_kept_up_entry_by_entry_is_the_same(name: str) -> None:
    """A market out of order is replayed at once, as the service does."""
    for case in vectors(name):
        for mode, expected in case["expected"].items():
            entries = of_mode(case, mode)
            ledger = AccountLedger()
            for at, (kind, body) in enumerate(entries):
                ledger.apply(kind, body)
                if kind == "correction":
                    ledger.unordered.add(next(e["ticker"] for _, e in entries if e["seq"] == body["corrects"]))
                for ticker in sorted(ledger.unordered):
                    ledger.replay(ticker, [entry for entry in entries[: at + 1] if entry[1].get("ticker") == ticker])
            assert figures(ledger, prices(case)) == expected, f"{case['name']}, {mode}"


def test_the_files_hold_the_oracles_figures() -> None:
    """The vectors on disk are those that the oracle writes."""
    for name, cases in (("cases", CASES), ("random", random_cases(100, random.Random(20261127)))):
        for kept, case in zip(json.loads((VECTORS / f"{name}.json").read_text()), cases, strict=True):
            assert kept == case | {"expected": by_mode(case["entries"], case["marks"])}
