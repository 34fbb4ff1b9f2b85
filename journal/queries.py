"""Reads entries: what a returning reader missed, and pages by seq, time and ticker at a cost that does not grow."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from journal import chain
from journal.base import Query
from journal.entries import Entry
from journal.errors import JournalDamaged
from journal.statements import ENTRY_COLUMNS, SPAN, Dialect, Row, Statement, StatementSteps, entry, findable, micros

_FEW: Final = 5000
"""Up to so many matches are sorted for a page; with more, a walk by seq soon finds enough."""


def read(after: int, limit: int) -> StatementSteps[list[Entry]]:
    """Return the entries that follow a seq. Raises JournalDamaged for one that is missing."""
    sql = f"SELECT {ENTRY_COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
    entries = [entry(row) for row in (yield Statement(sql, [after, limit]))]
    for seq, found in enumerate(entries, after + 1):
        if found.seq != seq:
            raise missing(seq)
    if len(entries) < limit:
        last = after + len(entries)
        [(head,)] = yield Statement("SELECT head FROM journal WHERE id = 1")
        if head > last:
            raise missing(last + 1)
    return entries


def missing(seq: int) -> JournalDamaged:
    """Return the error for an entry that is not there."""
    return JournalDamaged(f"entry {seq} is missing; run `server.py journal verify` and restore a backup")


def verified(after: int, limit: int) -> StatementSteps[int]:
    """Return the last seq of a page of entries. Raises JournalDamaged unless their checksums follow from each other."""
    previous = yield from checksum(after)
    for found in (yield from read(after, limit)):
        if found.checksum != chain.checksum(previous, found.kind, found.body):
            raise JournalDamaged(
                f"entry {found.seq} does not fit its checksum: it or the entry before it was changed or swapped;"
                " restore a backup"
            )
        previous, after = found.checksum, found.seq
    return after


def integrity(dialect: Dialect) -> StatementSteps[list[str]]:
    """Return what the database finds wrong with its tables and indexes."""
    rows = yield Statement(dialect.check)
    return [str(row[-1]) for row in rows if str(row[-1]).lower() not in ("ok", "table is already up to date")]


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
    page = _Page(dialect, query)
    if query.since is None and query.until is None:
        rows = yield page.walk(1, None, query.limit, forward)
    elif (few := (yield page.count())[0][0]) <= _FEW:
        rows = (yield page.sort(forward)) if few else []
    else:
        rows = []
        for first, last in _ranges((yield page.spans()), forward):
            rows += yield page.walk(first, last, query.limit - len(rows), forward)
            if len(rows) >= query.limit:
                break
    return [entry(row) for row in rows]


class _Page:
    """The conditions of a query, and the statements made of them."""

    def __init__(self, dialect: Dialect, query: Query) -> None:
        self._by, self._query = dialect.by, query
        self._conditions: list[str] = []
        self._args: list[Any] = []
        if query.ticker is not None:
            self._where("ticker = ?", findable(query.ticker))
        if query.since is not None:
            self._where("timestamp >= ?", micros(query.since))
        if query.until is not None:
            self._where("timestamp <= ?", micros(query.until))

    def _where(self, condition: str, arg: object) -> None:
        self._conditions.append(condition)
        self._args.append(arg)

    def count(self) -> Statement:
        """Count the matches, no further than a few."""
        found, args = self._found("by_time", 1, None)
        return Statement(f"SELECT COUNT(*) FROM ({found} LIMIT ?) AS matches", [*args, _FEW + 1])

    def sort(self, forward: bool) -> Statement:
        """Select few matches, by time, and sort them by seq."""
        return self._page("by_time", 1, None, self._query.limit, forward)

    def walk(self, first: int, last: int | None, limit: int, forward: bool) -> Statement:
        """Select matches in the order of seq between first and last, both included."""
        return self._page("by_seq", first, last, limit, forward)

    def _page(self, index: str, first: int, last: int | None, limit: int, forward: bool) -> Statement:
        # The indexes hold all that the conditions look at; only the rows of the page itself are fetched.
        found, args = self._found(index, first, last)
        order = "ASC" if forward else "DESC"
        page = f"({found} ORDER BY seq {order} LIMIT ?) AS page"
        return Statement(
            f"SELECT {ENTRY_COLUMNS} FROM {page} JOIN entries ON seq = place ORDER BY seq {order}", [*args, limit]
        )

    def _found(self, index: str, first: int, last: int | None) -> tuple[str, list[Any]]:
        """Return SQL for the seqs that match between first and last. One bound a side: SQLite starts at one of them."""
        query = self._query
        if query.ticker is not None:
            index = f"{index}_of_ticker"
        ends = [end for end in (last, None if query.before is None else query.before - 1) if end is not None]
        bounds = [("seq >= ?", max(first, (query.after or 0) + 1)), *([("seq <= ?", min(ends))] if ends else [])]
        where = " AND ".join([*self._conditions, *(bound for bound, _ in bounds)])
        sql = f"SELECT seq AS place FROM entries{self._by(index)} WHERE {where}"
        return sql, [*self._args, *(seq for _, seq in bounds)]

    def spans(self) -> Statement:
        """Select the spans that meet the window of time and the bounds of seq, ascending."""
        query = self._query
        where, args = ["span >= ?"], [(query.after or 0) // SPAN]
        if query.before is not None:
            where, args = [*where, "span <= ?"], [*args, query.before // SPAN]
        if query.since is not None:
            where, args = [*where, "latest >= ?"], [*args, micros(query.since)]
        if query.until is not None:
            where, args = [*where, "earliest <= ?"], [*args, micros(query.until)]
        return Statement(f"SELECT span FROM spans WHERE {' AND '.join(where)} ORDER BY span", args)


def _ranges(spans: Iterable[Row], forward: bool) -> list[tuple[int, int]]:
    """Join neighbouring spans; return first and last seq of each range, in the order of the walk."""
    found = []
    for _, group in groupby(enumerate(row[0] for row in spans), key=lambda pair: pair[1] - pair[0]):
        run = [span for _, span in group]
        found.append((run[0] * SPAN + 1, (run[-1] + 1) * SPAN))
    return found if forward else found[::-1]
