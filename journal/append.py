"""The transaction that writes entries: checks the lease, matches the drafts, gives seqs, stores the marks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from journal import codec, deduplication, fingerprint
from journal.deduplication import NewEntry
from journal.entries import Draft, Entry, Head
from journal.fingerprint import Candidate, KnownId, KnownIds, trade_in
from journal.lease import Lease, check
from journal.statements import SPAN, Dialect, Statement, StatementSteps, findable, marks, micros, parts


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of a batch: the new entries in order, and how many drafts were known already."""

    entries: list[Entry] = field(default_factory=list)
    known: int = 0
    heuristic: int = 0  # of the known ones, those matched by fingerprint and time alone
    by_draft: list[int] = field(default_factory=list)  # for each draft, in order, the seq of its entry, 0 for none


def append(
    dialect: Dialect, head: Head, drafts: Sequence[Draft], lease: Lease | None, bookmarks: Mapping[str, str] | None
) -> StatementSteps[Appended]:
    """Match and write one batch after head, whose row is locked. Raises LeaseLost before anything is written."""
    if lease is not None:
        yield from check(dialect, lease, head.epoch)
    ids, candidates = yield from _known(dialect, drafts)
    plan = deduplication.match(drafts, ids, candidates, head.seq)
    entries = _entries(plan.fresh, head.checksum)
    yield from write(entries, [new.open for new in plan.fresh])
    yield from write_ids(plan.ids)
    yield from close(plan.closed)
    if bookmarks:
        yield from write_marks(bookmarks)
    return Appended(entries, len(drafts) - len(entries), plan.heuristic, plan.by_draft)


def read_head(lock: str = "") -> StatementSteps[Head]:
    """Return the journal's epoch, last seq and its checksum."""
    [(epoch, seq, checksum)] = yield Statement(f"SELECT epoch, head, checksum FROM journal WHERE id = 1{lock}")
    return Head(epoch, seq, checksum)


def set_epoch(epoch: str) -> StatementSteps[None]:
    """Give the journal another epoch."""
    yield Statement("UPDATE journal SET epoch = ? WHERE id = 1", [epoch])


def write(entries: Sequence[Entry], open: Sequence[bool]) -> StatementSteps[None]:
    """Write entries that follow the head, and the spans in which they lie. open: see deduplication.NewEntry."""
    if not entries:
        return
    rows = [
        (new.seq, new.kind, micros(new.timestamp), findable(new.ticker), new.source, int(may), new.body, new.checksum)
        for new, may in zip(entries, open, strict=True)
    ]
    columns = "seq, kind, timestamp, ticker, source, open, body, checksum"
    yield Statement(f"INSERT INTO entries ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows, many=True)
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
        entries.append(Entry(new.seq, draft.kind, draft.timestamp, draft.ticker, draft.source, body, checksum))
    return entries


def _known(dialect: Dialect, drafts: Sequence[Draft]) -> StatementSteps[tuple[KnownIds, dict[int, Candidate]]]:
    """Read the ids (by name) and the candidates (by seq) that may bear on the drafts."""
    ids: dict[str, list[KnownId]] = defaultdict(list)
    for part in parts(fingerprint.names_of(drafts)):
        for row in (yield Statement(f"SELECT name, life, seq FROM sightings WHERE name IN ({marks(part)})", part)):
            ids[row[0]].append(KnownId(*row))
    rows = []
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
        rows += yield Statement(sql, [arg for place in places for arg in place])
    for part in parts(fingerprint.sharing_an_id(drafts, ids) - {row[0] for row in rows}):
        rows += yield Statement(f"SELECT seq, kind, open, body FROM entries WHERE seq IN ({marks(part)})", part)
    candidates = {}
    for seq, kind, open, body in rows:
        trade = trade_in(codec.draft(kind, body))
        assert trade is not None, "ids and the open column lead to trades and corrections only"
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
