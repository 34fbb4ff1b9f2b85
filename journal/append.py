"""The transaction that writes entries: checks the lease, matches the drafts, gives seqs, stores the marks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from journal import chain, deduplication, fingerprint
from journal.base import Appended, Lease
from journal.codec import draft
from journal.deduplication import NewEntry
from journal.entries import Draft, Entry
from journal.fingerprint import Candidate, KnownEntries, KnownId, trade_in
from journal.head import Head
from journal.lease import check
from journal.statements import SPAN, Dialect, Row, Statement, StatementSteps, findable, marks, micros, parts


def append(
    dialect: Dialect, head: Head, drafts: Sequence[Draft], lease: Lease | None, bookmarks: Mapping[str, str] | None
) -> StatementSteps[Appended]:
    """Match and write one batch after head, whose row is locked. Raises LeaseLost before anything is written."""
    if lease is not None:
        yield from check(dialect, lease, head.epoch)
    known = yield from _known(dialect, drafts)
    plan = deduplication.match(drafts, known, head.seq)
    entries = _entries(plan.fresh, head.checksum)
    yield from write(entries, [new.open for new in plan.fresh], plan.ids)
    if plan.closed:
        yield Statement("UPDATE entries SET open = 0 WHERE seq = ?", [(seq,) for seq in plan.closed], many=True)
    if bookmarks:
        yield Statement("REPLACE INTO marks (name, value) VALUES (?, ?)", list(bookmarks.items()), many=True)
    return Appended(entries, len(drafts) - len(entries), plan.heuristic, plan.by_draft)


def read_head(lock: str = "") -> StatementSteps[Head]:
    """Return the journal's epoch, last seq and its checksum."""
    [(epoch, seq, checksum)] = yield Statement(f"SELECT epoch, head, checksum FROM journal WHERE id = 1{lock}")
    return Head(epoch, seq, checksum)


def _entries(fresh: Iterable[NewEntry], checksum: str) -> list[Entry]:
    """Return the entries of new drafts, chained to the checksum of the entry before them."""
    entries = []
    for new in fresh:
        body = new.draft.body(new.seq)
        checksum = chain.checksum(checksum, new.draft.kind, body)
        entries.append(
            Entry(new.seq, new.draft.kind, new.draft.timestamp, new.draft.ticker, new.draft.source, body, checksum)
        )
    return entries


def write(entries: Sequence[Entry], open: Sequence[bool], ids: Iterable[KnownId]) -> StatementSteps[None]:
    """Write entries that follow the head, the spans in which they lie, and the ids under which they are known."""
    if entries:
        rows = [
            (
                each.seq,
                each.kind,
                micros(each.timestamp),
                findable(each.ticker),
                each.source,
                int(may),
                each.body,
                each.checksum,
            )
            for each, may in zip(entries, open, strict=True)
        ]
        columns = "seq, kind, timestamp, ticker, source, open, body, checksum"
        yield Statement(f"INSERT INTO entries ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows, many=True)
        yield from _widen([(row[0], row[2]) for row in rows])
        yield Statement(
            "UPDATE journal SET head = ?, checksum = ? WHERE id = 1", [entries[-1].seq, entries[-1].checksum]
        )
    new = [(known.name, known.content, known.seq) for known in ids]
    if new:
        yield Statement("INSERT INTO sightings (name, life, seq) VALUES (?, ?, ?)", new, many=True)


def _known(dialect: Dialect, drafts: Sequence[Draft]) -> StatementSteps[KnownEntries]:
    """Read what the journal knows that may bear on the drafts."""
    if not drafts:
        return KnownEntries()
    ids: dict[str, list[KnownId]] = defaultdict(list)
    for part in parts(fingerprint.names_of(drafts)):
        for row in (yield Statement(f"SELECT name, life, seq FROM sightings WHERE name IN ({marks(part)})", part)):
            ids[row[0]].append(KnownId(*row))
    candidates: dict[int, Candidate] = {}
    near = (
        f"SELECT seq, kind, open, body FROM entries{dialect.by('by_time_of_ticker')}"
        " WHERE ticker = ? AND timestamp BETWEEN ? AND ? AND open = 1 AND (source = ?) = ?"
    )
    for windows in parts(fingerprint.windows(drafts, ids), 50):
        # Together, since a server on another host is a round trip away.
        places = [
            (findable(ticker), micros(since), micros(until), fingerprint.EXCHANGE, int(exchange))
            for ticker, since, until, exchange in windows
        ]
        sql = " UNION ALL ".join([near] * len(places))
        _add(candidates, (yield Statement(sql, [arg for place in places for arg in place])))
    for part in parts(fingerprint.sharing_an_id(drafts, ids) - candidates.keys()):
        _add(
            candidates,
            (yield Statement(f"SELECT seq, kind, open, body FROM entries WHERE seq IN ({marks(part)})", part)),
        )
    return KnownEntries(ids, candidates)


def _add(candidates: dict[int, Candidate], rows: Iterable[Row]) -> None:
    for seq, kind, open, body in rows:
        trade = trade_in(draft(kind, body))
        assert trade is not None, "ids and the open column lead to trades and corrections only"
        candidates[seq] = Candidate.of(seq, trade, bool(open))


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
