"""SQL statements as steps, independent of the database that runs them.

Steps are a generator for one transaction: it yields statements, is sent their rows, and returns the result. So every
rule stands once, and SQLite's thread and MySQL's connection only run them.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from journal.entries import Entry

T = TypeVar("T")
Row = tuple[Any, ...]

SPAN: Final = 1024  # entries per row of the table spans, which has the earliest and latest time of a stretch of seqs
TICKER_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, ? for each argument; with many it is run for each row of args and returns no rows."""

    sql: str
    args: Sequence[Any] = ()
    many: bool = False


StatementSteps = Generator[Statement, list[Row], T]


def advance(steps: StatementSteps[T], rows: list[Row] | None) -> tuple[Statement | None, T | None]:
    """Send the rows of the last statement, None at the start; return the next statement, or None and the result."""
    try:
        return (next(steps) if rows is None else steps.send(rows)), None
    except StopIteration as end:
        return None, end.value


def single(sql: str, args: Sequence[Any] = ()) -> StatementSteps[list[Row]]:
    """Return the steps that are one statement; their result is its rows."""
    return (yield Statement(sql, args))


@dataclass(frozen=True, slots=True)
class Dialect:
    """The parts of statements in which the databases differ."""

    now: str  # the clock of leases, Unix seconds
    lock: str  # ends a SELECT whose rows must not change before the transaction ends
    by: Callable[[str], str]  # stands behind a table's name and holds the plan to one index
    skip_known: str  # ends an INSERT that leaves rows whose key exists as they are
    check: str  # has the database check itself; each row ends with a message


def micros(timestamp: Decimal) -> int:
    """Return whole microseconds, the form in which both databases store and compare time."""
    return int((timestamp * 1_000_000).to_integral_value())


ENTRY_COLUMNS: Final = "seq, kind, timestamp, ticker, source, body, checksum"


def entry(row: Row) -> Entry:
    """Return the entry in a row that begins with ENTRY_COLUMNS."""
    return Entry(row[0], row[1], Decimal(row[2]).scaleb(-6), *row[3:7])


def findable(ticker: str) -> str:
    """Return the ticker as its column holds it: for finding only, the body has the whole text."""
    return ticker[:TICKER_LENGTH].encode("utf-8", "replace").decode()


def marks(values: Sequence[object]) -> str:
    """Return as many ?, ?, ? as there are values."""
    return ", ".join("?" * len(values))


def parts(values: Iterable[Any], size: int = 1000) -> Iterable[list[Any]]:
    """Return the values in lists that are short enough for one statement."""
    whole = list(values)
    return (whole[start : start + size] for start in range(0, len(whole), size))
