"""What is asked of an SQL database, step by step, whoever carries the questions there and the rows back.

A `Steps` is a generator: it yields questions, is sent their rows, and returns the result. So every rule stands once,
and SQLite's thread and MySQL's connection only carry. Each is meant for one transaction.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from journal.entries import Entry

T = TypeVar("T")
Row = tuple[Any, ...]

SPAN: Final = 1024
"""Entries per row of the table spans, which says from when to when the entries of a stretch of seqs are."""

TICKER_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, ? for each argument; with many it is run for each row of them and gives no rows back."""

    sql: str
    args: Sequence[Any] = ()
    many: bool = False


StatementSteps = Generator[Statement, list[Row], T]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The few words in which the databases differ."""

    now: str  # the expression for the clock that leases go by, Unix seconds
    lock: str  # ends a SELECT whose rows must not change before the transaction ends
    by: Callable[[str], str]  # stands behind a table's name and holds the plan to one index


def micros(timestamp: Decimal) -> int:
    """Whole microseconds, the form in which both databases keep and compare time."""
    return int((timestamp * 1_000_000).to_integral_value())


def entry(row: Row) -> Entry:
    """The entry in a row of seq, kind, timestamp, ticker, source, body."""
    return Entry(row[0], row[1], Decimal(row[2]).scaleb(-6), row[3], row[4], row[5])


def findable(ticker: str) -> str:
    """The ticker as its column holds it; the body keeps the whole text, the column is for finding only."""
    return ticker[:TICKER_LENGTH].encode("utf-8", "replace").decode()


def marks(values: Sequence[object]) -> str:
    """As many ?, ?, ? as there are values."""
    return ", ".join("?" * len(values))


def parts(values: Iterable[Any], size: int = 1000) -> Iterable[list[Any]]:
    """The values in lists that are short enough for one statement."""
    whole = list(values)
    return (whole[start : start + size] for start in range(0, len(whole), size))
