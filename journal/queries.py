"""Reads entries: what a returning reader missed, and pages by seq, time and ticker at a cost that does not grow."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from journal import codec
from journal.entries import Entry
from journal.errors import JournalDamaged
from journal.statements import ENTRY_COLUMNS, SPAN, Dialect, Row, Statement, StatementSteps, entry, findable, micros

_FEW: Final = 5000
"""Up to so many matches are sorted for a page; with more, a walk by seq soon finds enough."""


@dataclass(frozen=True, slots=True)
class Query:
    """The conditions of a page of history. after, before: seqs (exclusive); since, until: Unix seconds (inclusive).

    With after or since the page runs forward, else backward from before (or the head); rows come by seq
    ascending when forward, descending when backward.
    """

    limit: int = 100
    after: int | None = None
    before: int | None = None
    since: Decimal | None = None
    until: Decimal | None = None
    ticker: str | None = None


def read(after: int, limit: int) -> StatementSteps[list[Entry]]:
    """Return the entries that follow a seq. Raises JournalDamaged for one that is missing."""
    sql = f"SELECT {ENTRY_COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
    entries = [entry(row) for row in (yield Statement(sql, [after, limit]))]
    for seq, found in enumerate(entries, after + 1):
        if found.seq != seq:
            raise _missing(seq)
    if len(entries) < limit:
        last = after + len(entries)
        [(head,)] = yield Statement("SELECT head FROM journal WHERE id = 1")
        if head > last:
            raise _missing(last + 1)
    return entries


def _missing(seq: int) -> JournalDamaged:
    return JournalDamaged(f"entry {seq} is missing; run `server.py journal verify` and restore a backup")


def verified(after: int, limit: int) -> StatementSteps[int]:
    """Return the last seq of a page of entries. Raises JournalDamaged unless their checksums follow from each other."""
    previous = yield from checksum(after)
    for found in (yield from read(after, limit)):
        if found.checksum != codec.checksum(previous, found.kind, found.body):
            raise JournalDamaged(
                f"entry {found.seq} does not fit its checksum: it or the entry before it was changed or swapped;"
                " restore a backup"
            )
        previous, after = found.checksum, found.seq
    return after


def checksum(seq: int) -> StatementSteps[str]:
    """Return the checksum of an entry, "" when there is none at seq."""
    rows = yield Statement("SELECT checksum FROM entries WHERE seq = ?", [seq])
    return str(rows[0][0]) if rows else ""


def history(dialect: Dialect, query: Query) -> StatementSteps[list[Entry]]:
    """Return one page. Times are nearly, but not quite, in the order of seq: backfilled trades come late.

    So a window of time is no range of seqs. Few matches are taken from the index by time and sorted by seq; many are
    found by walking those ranges of seqs whose span meets the window.
    """
    forward = query.after is not None or query.since is not None
    if query.since is None and query.until is None:
        rows = yield _page(dialect, query, "by_seq", forward, query.limit)
    elif (few := (yield _count(dialect, query))[0][0]) <= _FEW:
        rows = (yield _page(dialect, query, "by_time", forward, query.limit)) if few else []
    else:
        rows = []
        for first, last in _ranges((yield _spans(query)), forward):
            rows += yield _page(dialect, query, "by_seq", forward, query.limit - len(rows), first, last)
            if len(rows) >= query.limit:
                break
    return [entry(row) for row in rows]


def _count(dialect: Dialect, query: Query) -> Statement:
    """Count the matches, no further than a few."""
    found, args = _matches(dialect, query, "by_time", 1, None)
    return Statement(f"SELECT COUNT(*) FROM ({found} LIMIT ?) AS matches", [*args, _FEW + 1])


def _page(
    dialect: Dialect, query: Query, index: str, forward: bool, limit: int, first: int = 1, last: int | None = None
) -> Statement:
    """Select matches between the seqs first and last, both included: sorted by seq, or by_seq in its order."""
    # The indexes hold all that the conditions look at; only the rows of the page itself are fetched.
    found, args = _matches(dialect, query, index, first, last)
    order = "ASC" if forward else "DESC"
    page = f"({found} ORDER BY seq {order} LIMIT ?) AS page"
    sql = f"SELECT {ENTRY_COLUMNS} FROM {page} JOIN entries ON seq = place ORDER BY seq {order}"
    return Statement(sql, [*args, limit])


def _matches(dialect: Dialect, query: Query, index: str, first: int, last: int | None) -> tuple[str, list[Any]]:
    """Return SQL for the seqs that match between first and last. One bound a side: SQLite starts at one of them."""
    if query.ticker is not None:
        index = f"{index}_of_ticker"
    ends = [end for end in (last, None if query.before is None else query.before - 1) if end is not None]
    where, args = _where(
        ("ticker = ?", None if query.ticker is None else findable(query.ticker)),
        ("timestamp >= ?", _micros(query.since)),
        ("timestamp <= ?", _micros(query.until)),
        ("seq >= ?", max(first, (query.after or 0) + 1)),
        ("seq <= ?", min(ends, default=None)),
    )
    return f"SELECT seq AS place FROM entries{dialect.by(index)} WHERE {where}", args


def _spans(query: Query) -> Statement:
    """Select the spans that meet the window of time and the bounds of seq, ascending."""
    where, args = _where(
        ("span >= ?", (query.after or 0) // SPAN),
        ("span <= ?", None if query.before is None else query.before // SPAN),
        ("latest >= ?", _micros(query.since)),
        ("earliest <= ?", _micros(query.until)),
    )
    return Statement(f"SELECT span FROM spans WHERE {where} ORDER BY span", args)


def _where(*conditions: tuple[str, Any]) -> tuple[str, list[Any]]:
    """Return SQL of the conditions that have an argument, and these arguments."""
    found = [(sql, arg) for sql, arg in conditions if arg is not None]
    return " AND ".join(sql for sql, _ in found), [arg for _, arg in found]


def _micros(timestamp: Decimal | None) -> int | None:
    return None if timestamp is None else micros(timestamp)


def _ranges(spans: Iterable[Row], forward: bool) -> list[tuple[int, int]]:
    """Join neighbouring spans; return first and last seq of each range, in the order of the walk."""
    found = []
    for _, group in groupby(enumerate(row[0] for row in spans), key=lambda pair: pair[1] - pair[0]):
        run = [span for _, span in group]
        found.append((run[0] * SPAN + 1, (run[-1] + 1) * SPAN))
    return found if forward else found[::-1]
