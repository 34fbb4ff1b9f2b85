"""History as CSV and by time: everything that the filter means, with real columns, and no cell that is a formula."""

import asyncio
import csv
import io
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.decimal_json import dumps
from journal.dsn import open_journal
from journal.entries import Entry, Trade
from routes.history import COLUMNS, FORMULA, csv_lines
from tests.support.server import Server, running_server

COUNT = 1234
FIRST = 1_700_000_000
CSV = {"Accept": "text/csv"}


def trade(number: int) -> Trade:
    """Return one of the trades; the ids begin like a formula."""
    return Trade(
        timestamp=Decimal(FIRST + number), ticker=f"T{number % 3}", side="BUY", quantity=Decimal(2),
        price=Decimal("0.4125"), trade_id=f"=HYPERLINK({number})", source="bot_live", mode="live", fee=Decimal("-0.5"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose journal holds more trades than one page."""
    folder: Path = tmp_path_factory.mktemp("history")

    async def fill() -> None:
        journal = open_journal(f"sqlite:///{folder}/journal.db")
        await journal.open()
        await journal.append([trade(number) for number in range(COUNT)])
        await journal.close()

    asyncio.run(fill())
    away = "http://127.0.0.1:1/"
    with running_server(folder, BOT_STATUS_ENDPOINT=away, BOT_TRADES_ENDPOINT=away) as server:
        yield server


def rows(text: str) -> list[dict[str, str]]:
    """Return the lines of a CSV by column."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", range(COUNT)),
        ("?limit=5", range(COUNT)),
        ("?ticker=T1", range(1, COUNT, 3)),
        ("?after=1200", range(1200, COUNT)),
        ("?before=701", range(700)),
        ("?after=100&before=801", range(100, 800)),
        (f"?since={FIRST + 600}", range(600, COUNT)),
        (f"?until={FIRST + 600}.5", range(601)),
        (f"?since={FIRST + 10}&until={FIRST + 700}&ticker=T0", range(12, 701, 3)),
        ("?ticker=NONE", range(0)),
    ],
)
def test_csv_holds_everything_that_the_filter_means(filled: Server, query: str, numbers: range) -> None:
    """All entries of the filter, beyond the limit of a JSON page, in the order of seq."""
    answer = filled.get(f"/portfolio/trades/history{query}", headers=CSV)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [int(row["timestamp"]) - FIRST for row in rows(answer.text)] == list(numbers)


def test_csv_has_real_columns_and_no_formula(filled: Server) -> None:
    """Numbers keep their decimal text; a text that a spreadsheet would run is made a text."""
    answer = filled.get("/portfolio/trades/history?before=2", headers=CSV)
    (row,) = rows(answer.text)
    assert tuple(row) == COLUMNS
    assert (row["seq"], row["kind"], row["quantity"], row["price"], row["fee"]) == ("1", "trade", "2", "0.4125", "-0.5")
    assert row["trade_id"] == "'=HYPERLINK(0)"


def test_json_stays_the_default(filled: Server) -> None:
    """A browser that accepts everything, or JSON as well, gets a page of JSON."""
    for accept in ("*/*", "application/json", "text/csv, application/json"):
        answer = filled.get("/portfolio/trades/history", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["count"] == 100


def test_a_time_of_python_is_accepted(filled: Server) -> None:
    """str(time.time()) has up to seven decimals."""
    assert filled.get(f"/portfolio/trades/history?since={FIRST}.1234567&limit=1").json()["count"] == 1
    assert filled.get(f"/portfolio/trades/history?since={time.time()!s}").json()["count"] == 0


@given(st.text(max_size=20))
def test_a_text_cell_is_neutral_and_reads_back(text: str) -> None:
    """No cell begins like a formula, and a CSV reader returns the text."""
    lines = csv_lines([Entry(1, "trade", Decimal(0), "T", "bot_live", dumps({"seq": 1, "why": text}))])
    (line,) = csv.DictReader(io.StringIO(lines, newline=""), COLUMNS, strict=True)
    assert line["seq"] == "1"
    assert not line["why"].startswith(FORMULA)
    assert line["why"].removeprefix("'") == text.removeprefix("'") or line["why"] == text
