"""Reading and writing entries as steps: the transaction that appends, and pages at a cost that does not grow."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from journal import codec, deduplication, fingerprint, statements
from journal.deduplication import NewEntry
from journal.entries import Draft, Entry, Head, Trade
from journal.errors import JournalDamaged
from journal.fingerprint import Candidate, KnownId, KnownIds
from journal.lease import Lease, check
from journal.statements import ENTRY_COLUMNS, SPAN, Dialect, Row, Statement, StatementSteps, findable, marks, micros

UNFIT: Final = " does not fit its checksum: it or the entry before it was changed or swapped"
_FEW: Final = 5000  # up to so many matches are sorted for a page; with more, a walk by seq soon finds enough


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of a batch: the new entries in order, and how many drafts were known already."""

    entries: list[Entry] = field(default_factory=list)
    known: int = 0
    heuristic: int = 0  # of the known ones, those matched by fingerprint and time alone
    by_draft: list[int] = field(default_factory=list)  # for each draft, in order, the seq of its entry, 0 for none


@dataclass(frozen=True, slots=True)
class Query:
    """The conditions of a page of history. after, before: seqs (exclusive); since, until: Unix seconds (inclusive).

    With after or since the page runs forward and is ascending; else backward from before (or the head), descending.
    """

    limit: int = 100
    after: int | None = None
    before: int | None = None
    since: Decimal | None = None
    until: Decimal | None = None
    ticker: str | None = None


def append(
    dialect: Dialect, head: Head, drafts: Sequence[Draft], lease: Lease | None, bookmarks: Mapping[str, str] | None
) -> StatementSteps[Appended]:
    """Match and write one batch after head, whose row is locked. Raises LeaseLost before anything is written."""
    if lease is not None:
        yield from check(dialect, lease, head.epoch)
    ids, candidates = yield from _known(dialect, drafts)
    plan = deduplication.match(drafts, ids, candidates, head.seq)
    entries = _entries(plan.fresh, head.checksum)
    yield from write(entries)
    yield from write_ids(plan.ids)
    yield from close(plan.closed)
    if bookmarks:
        yield from write_marks(bookmarks)
    return Appended(entries, len(drafts) - len(entries), plan.heuristic, plan.by_draft)


def read_head(lock: str = "") -> StatementSteps[Head]:
    """Return the journal's epoch, last seq and its checksum."""
    [(epoch, seq, checksum)] = yield Statement(f"SELECT epoch, head, checksum FROM journal WHERE id = 1{lock}")
    return Head(epoch, seq, checksum)


def set_epoch(epoch: str) -> StatementSteps[list[Row]]:
    """Give the journal another epoch."""
    return statements.single("UPDATE journal SET epoch = ? WHERE id = 1", [epoch])


def write(entries: Sequence[Entry]) -> StatementSteps[None]:
    """Write entries that follow the head, and the spans in which they lie."""
    if not entries:
        return
    rows = [
        (it.seq, it.kind, micros(it.timestamp), findable(it.ticker), it.source, it.body, it.checksum, int(it.open))
        for it in entries
    ]
    yield Statement(f"INSERT INTO entries ({ENTRY_COLUMNS}, open) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows, many=True)
    yield from _widen([(row[0], row[2]) for row in rows])
    yield Statement("UPDATE journal SET head = ?, checksum = ? WHERE id = 1", [entries[-1].seq, entries[-1].checksum])


def write_ids(ids: Iterable[KnownId], suffix: str = "") -> StatementSteps[None]:
    """Write names under which entries are known. suffix: ends the INSERT."""
    if rows := [(known.name, known.content, known.seq) for known in ids]:
        yield Statement(f"INSERT INTO sightings (name, life, seq) VALUES (?, ?, ?){suffix}", rows, many=True)


def write_marks(bookmarks: Mapping[str, str]) -> StatementSteps[None]:
    """Write bookmarks, each in place of the one of its name."""
    yield Statement("REPLACE INTO marks (name, value) VALUES (?, ?)", list(bookmarks.items()), many=True)


def close(seqs: Iterable[int]) -> StatementSteps[None]:
    """Note that nothing more may be matched to these entries."""
    if rows := [(seq,) for seq in seqs]:
        yield Statement("UPDATE entries SET open = 0 WHERE seq = ?", rows, many=True)


def _entries(fresh: Iterable[NewEntry], checksum: str) -> list[Entry]:
    """Return the entries of new drafts, chained to the checksum of the entry before them."""
    entries = []
    for new in fresh:
        draft, body = new.draft, codec.body(new.draft, new.seq)
        checksum = codec.checksum(checksum, draft.kind, body)
        place = new.seq, draft.kind, draft.timestamp, draft.ticker, draft.source
        entries.append(Entry(*place, body, checksum, new.open))
    return entries


def _known(dialect: Dialect, drafts: Sequence[Draft]) -> StatementSteps[tuple[KnownIds, dict[int, Candidate]]]:
    """Read the ids (by name) and the candidates (by seq) that may bear on the drafts."""
    ids: dict[str, list[KnownId]] = defaultdict(list)
    for part in statements.parts(fingerprint.names_of(drafts)):
        for row in (yield Statement(f"SELECT name, life, seq FROM sightings WHERE name IN ({marks(part)})", part)):
            ids[row[0]].append(KnownId(*row))
    rows = []
    near = (
        f"SELECT seq, kind, open, body FROM entries{dialect.by('by_time_of_ticker')}"
        " WHERE ticker = ? AND timestamp BETWEEN ? AND ? AND open = 1 AND (source = ?) = ?"
    )
    for windows in statements.parts(fingerprint.windows(drafts, ids), 50):
        # Together, since a server on another host is a round trip away.
        places = [
            (findable(ticker), micros(since), micros(until), fingerprint.EXCHANGE, int(exchange))
            for ticker, since, until, exchange in windows
        ]
        sql = " UNION ALL ".join([near] * len(places))
        rows += yield Statement(sql, [arg for place in places for arg in place])
    for part in statements.parts(fingerprint.sharing_an_id(drafts, ids) - {row[0] for row in rows}):
        rows += yield Statement(f"SELECT seq, kind, open, body FROM entries WHERE seq IN ({marks(part)})", part)
    candidates = {}
    for seq, kind, open, body in rows:
        trade = codec.draft(kind, body)
        assert isinstance(trade, Trade), "ids and the open column lead to trades and corrections only"
        candidates[seq] = Candidate.of(seq, trade, bool(open))
    return ids, candidates


def _widen(places: Iterable[tuple[int, int]]) -> StatementSteps[None]:
    """Widen the spans of new entries (seq, microseconds)."""
    spans: dict[int, tuple[int, int]] = {}
    for seq, time in places:
        span = (seq - 1) // SPAN
        earliest, latest = spans.get(span, (time, time))
        spans[span] = (min(earliest, time), max(latest, time))
    first = min(spans)  # only the first can exist already
    for earliest, latest in (yield Statement("SELECT earliest, latest FROM spans WHERE span = ?", [first])):
        spans[first] = (min(earliest, spans[first][0]), max(latest, spans[first][1]))
    rows = [(span, *times) for span, times in spans.items()]
    yield Statement("REPLACE INTO spans (span, earliest, latest) VALUES (?, ?, ?)", rows, many=True)


def read(after: int, limit: int) -> StatementSteps[list[Entry]]:
    """Return the entries that follow a seq. Raises JournalDamaged for one that is missing."""
    sql = f"SELECT {ENTRY_COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
    entries = [statements.entry(row) for row in (yield Statement(sql, [after, limit]))]
    for seq, found in enumerate(entries, after + 1):
        if found.seq != seq:
            raise _missing(seq)
    last = after + len(entries)
    if len(entries) < limit and (yield from read_head()).seq > last:
        raise _missing(last + 1)
    return entries


def _missing(seq: int) -> JournalDamaged:
    return JournalDamaged(f"entry {seq} is missing; run `server.py journal verify` and restore a backup")


def verified(after: int, limit: int) -> StatementSteps[int]:
    """Return the last seq of a page of entries. Raises JournalDamaged unless their checksums follow from each other."""
    previous = yield from checksum(after)
    for found in (yield from read(after, limit)):
        if found.checksum != codec.checksum(previous, found.kind, found.body):
            raise JournalDamaged(f"entry {found.seq}{UNFIT}; restore a backup")
        previous, after = found.checksum, found.seq
    return after


def checksum(seq: int) -> StatementSteps[str]:
    """Return the checksum of an entry, "" when there is none at seq."""
    rows = yield Statement("SELECT checksum FROM entries WHERE seq = ?", [seq])
    return str(rows[0][0]) if rows else ""


def history(dialect: Dialect, query: Query) -> StatementSteps[list[Entry]]:
    """Return one page.

    A window of time is no range of seqs, since backfilled trades come late. Few matches are taken from the index by
    time and sorted by seq; many are found by walking those ranges of seqs whose span meets the window.
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
    return [statements.entry(row) for row in rows]


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
