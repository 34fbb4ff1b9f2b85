"""Reads the past: what a returning reader missed, and pages by seq, time and ticker whose cost does not grow."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from journal.base import Query
from journal.entries import Entry
from journal.statements import SPAN, Dialect, Row, Statement, StatementSteps, entry, findable, micros

_COLUMNS: Final = "seq, kind, timestamp, ticker, source, body"

_FEW: Final = 5000
"""Up to so many matches a page is sorted out of them all; of more, a walk by seq soon meets enough."""


def read(after: int, limit: int) -> StatementSteps[list[Entry]]:
    """The entries that follow a seq."""
    rows = yield Statement(f"SELECT {_COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", [after, limit])
    return [entry(row) for row in rows]


def history(dialect: Dialect, query: Query) -> StatementSteps[list[Entry]]:
    """One page. Times lie almost, but not quite, in the order of seq: what was healed comes late.

    So a window of time is neither a stretch of seqs nor can it be found by walking them. Few matches are sorted
    by seq out of the index by time; many are met by walking those stretches of seqs whose span meets the window.
    """
    forward = query.after is not None or query.since is not None
    page = _Page(dialect, query)
    if query.since is None and query.until is None:
        rows = yield page.walk(1, None, query.limit, forward)
    elif (few := (yield page.count())[0][0]) <= _FEW:
        rows = (yield page.sort(forward)) if few else []
    else:
        rows = []
        for first, last in _stretches((yield page.spans()), forward):
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
        """How many match, counted no further than a few."""
        found, args = self._found("by_time", 1, None)
        return Statement(f"SELECT COUNT(*) FROM ({found} LIMIT ?) AS matches", [*args, _FEW + 1])

    def sort(self, forward: bool) -> Statement:
        """Few matches, found by time and sorted by seq."""
        return self._page("by_time", 1, None, self._query.limit, forward)

    def walk(self, first: int, last: int | None, limit: int, forward: bool) -> Statement:
        """Matches met in the order of seq between first and last, both included."""
        return self._page("by_seq", first, last, limit, forward)

    def _page(self, index: str, first: int, last: int | None, limit: int, forward: bool) -> Statement:
        # The indexes hold all that the conditions look at; only the rows of the page itself are fetched.
        found, args = self._found(index, first, last)
        order = "ASC" if forward else "DESC"
        page = f"({found} ORDER BY seq {order} LIMIT ?) AS page"
        return Statement(
            f"SELECT {_COLUMNS} FROM {page} JOIN entries ON seq = place ORDER BY seq {order}", [*args, limit]
        )

    def _found(self, index: str, first: int, last: int | None) -> tuple[str, list[Any]]:
        """The seqs that match between first and last. One bound on each side: SQLite starts at only one of them."""
        query = self._query
        if query.ticker is not None:
            index = f"{index}_of_ticker"
        ends = [end for end in (last, None if query.before is None else query.before - 1) if end is not None]
        bounds = [("seq >= ?", max(first, (query.after or 0) + 1)), *([("seq <= ?", min(ends))] if ends else [])]
        where = " AND ".join([*self._conditions, *(bound for bound, _ in bounds)])
        sql = f"SELECT seq AS place FROM entries{self._by(index)} WHERE {where}"
        return sql, [*self._args, *(seq for _, seq in bounds)]

    def spans(self) -> Statement:
        """The spans that meet the window of time and the bounds of seq, ascending."""
        query = self._query
        where, args = ["span >= ?"], [(query.after or 0) // SPAN]
        if query.before is not None:
            where, args = [*where, "span <= ?"], [*args, query.before // SPAN]
        if query.since is not None:
            where, args = [*where, "latest >= ?"], [*args, micros(query.since)]
        if query.until is not None:
            where, args = [*where, "earliest <= ?"], [*args, micros(query.until)]
        return Statement(f"SELECT span FROM spans WHERE {' AND '.join(where)} ORDER BY span", args)


def _stretches(spans: Iterable[Row], forward: bool) -> list[tuple[int, int]]:
    """Neighbouring spans joined, as first and last seq, in the order of the walk."""
    found = []
    for _, group in groupby(enumerate(row[0] for row in spans), key=lambda pair: pair[1] - pair[0]):
        run = [span for _, span in group]
        found.append((run[0] * SPAN + 1, (run[-1] + 1) * SPAN))
    return found if forward else found[::-1]
