"""The transaction that makes entries: checks the lease, judges the drafts, gives seqs, keeps the marks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from journal import deduplication, fingerprint
from journal.base import Appended, Lease
from journal.codec import draft
from journal.entries import Draft, Entry
from journal.fingerprint import Candidate, KnownEntries, KnownId, trade_in
from journal.lease import check
from journal.statements import SPAN, Dialect, Row, Statement, StatementSteps, findable, marks, micros, parts


def append(
    dialect: Dialect, drafts: Sequence[Draft], lease: Lease | None, bookmarks: Mapping[str, str] | None
) -> StatementSteps[Appended]:
    """Judges and writes one batch. Raises LeaseLost before anything is written."""
    # Locking this row first puts writers in line: one at a time reads the head and gives seqs.
    [(head,)] = yield Statement(f"SELECT head FROM journal WHERE id = 1{dialect.lock}")
    if lease is not None:
        yield from check(dialect, lease)
    known = yield from _known(dialect, drafts)
    plan = deduplication.match(drafts, known, head)
    entries = [
        Entry(new.seq, new.draft.kind, new.draft.timestamp, new.draft.ticker, new.draft.source, new.draft.body(new.seq))
        for new in plan.fresh
    ]
    yield from write(entries, [new.open for new in plan.fresh], plan.ids)
    if plan.closed:
        yield Statement("UPDATE entries SET open = 0 WHERE seq = ?", [(seq,) for seq in plan.closed], many=True)
    if bookmarks:
        yield Statement("REPLACE INTO marks (name, value) VALUES (?, ?)", list(bookmarks.items()), many=True)
    return Appended(entries, len(drafts) - len(entries), plan.heuristic, plan.by_draft)


def write(entries: Sequence[Entry], open: Sequence[bool], ids: Iterable[KnownId]) -> StatementSteps[None]:
    """Write entries that follow the head, the spans in which they lie, and the ids under which they are known."""
    if entries:
        rows = [
            (each.seq, each.kind, micros(each.timestamp), findable(each.ticker), each.source, int(may), each.body)
            for each, may in zip(entries, open, strict=True)
        ]
        columns = "seq, kind, timestamp, ticker, source, open, body"
        yield Statement(f"INSERT INTO entries ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows, many=True)
        yield from _widen([(row[0], row[2]) for row in rows])
        yield Statement("UPDATE journal SET head = ? WHERE id = 1", [entries[-1].seq])
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
    """Stretches the spans that new entries (seq, microseconds) lie in."""
    spans: dict[int, tuple[int, int]] = {}
    for seq, time in places:
        span = (seq - 1) // SPAN
        earliest, latest = spans.get(span, (time, time))
        spans[span] = (min(earliest, time), max(latest, time))
    first = min(spans)  # only the first can have stood there before
    for earliest, latest in (yield Statement("SELECT earliest, latest FROM spans WHERE span = ?", [first])):
        spans[first] = (min(earliest, spans[first][0]), max(latest, spans[first][1]))
    rows = [(span, *times) for span, times in spans.items()]
    yield Statement("REPLACE INTO spans (span, earliest, latest) VALUES (?, ?, ?)", rows, many=True)
