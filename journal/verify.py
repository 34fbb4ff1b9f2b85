"""Verifies a whole journal: no entry missing, changed or swapped, columns that agree with bodies, an id for each."""

from collections.abc import AsyncIterator

from journal import archive, chain, codec
from journal.append import read_head
from journal.archive import ArchivedEntry, ArchiveHeader
from journal.errors import JournalDamaged
from journal.sql_journal import SqlJournal
from journal.statements import SPAN, Statement, StatementSteps, findable, micros


async def problems(journal: SqlJournal) -> AsyncIterator[str]:
    """Yield a sentence for each problem; nothing when the journal is whole."""
    try:
        for problem in await journal.integrity():
            yield f"the database reports: {problem}"
        spans = await journal.view(_spans())
        checksum, identified = "", bytearray()
        async for record in archive.records(journal):
            if isinstance(record, ArchiveHeader):
                identified = bytearray(record.head + 1)
            elif isinstance(record, ArchivedEntry):
                for problem in [*_entry(record, checksum), *_span(record, spans)]:
                    yield problem
                checksum = record.entry.checksum
            elif 1 <= record.seq < len(identified):
                identified[record.seq] = 1
        for seq in range(1, len(identified)):
            if not identified[seq]:
                yield f"entry {seq} has no id: the same report would be written again"
        for problem in await journal.view(_ends()):
            yield problem
    except JournalDamaged as error:
        yield str(error)


def _entry(record: ArchivedEntry, previous: str) -> list[str]:
    entry = record.entry
    found = []
    if entry.checksum != chain.checksum(previous, entry.kind, entry.body):
        found.append(f"entry {entry.seq} does not fit its checksum: it or the entry before it was changed or swapped")
    try:
        draft, seq = codec.draft(entry.kind, entry.body), codec.seq(entry.body)
    except ValueError as error:
        return [*found, f"entry {entry.seq}: {error}"]
    pairs = [
        ("seq", entry.seq, seq),
        ("timestamp", micros(entry.timestamp), micros(draft.timestamp)),
        ("ticker", entry.ticker, findable(draft.ticker)),
        ("source", entry.source, draft.source),
    ]
    wrong = [(name, column, body) for name, column, body in pairs if column != body]
    return found + [
        f"entry {entry.seq}: its {name} is {column!r}, its body has {body!r}" for name, column, body in wrong
    ]


def _span(record: ArchivedEntry, spans: dict[int, tuple[int, int]]) -> list[str]:
    span = (record.entry.seq - 1) // SPAN
    earliest, latest = spans.get(span, (1, 0))
    if earliest <= micros(record.entry.timestamp) <= latest:
        return []
    return [f"entry {record.entry.seq} is not within the times of span {span}: pages by time may miss it"]


def _spans() -> StatementSteps[dict[int, tuple[int, int]]]:
    rows = yield Statement("SELECT span, earliest, latest FROM spans")
    return {span: (earliest, latest) for span, earliest, latest in rows}


def _ends() -> StatementSteps[list[str]]:
    """Compare the head with the last entry, and the ids with the entries."""
    head = yield from read_head()
    last = yield Statement("SELECT seq, checksum FROM entries ORDER BY seq DESC LIMIT 1")
    seq, checksum = last[0] if last else (0, "")
    found = []
    if (seq, checksum) != (head.seq, head.checksum):
        found.append(f"the head is {head.seq} ({head.checksum}), but the last entry is {seq} ({checksum})")
    [(orphans,)] = yield Statement("SELECT COUNT(*) FROM sightings WHERE seq < 1 OR seq > ?", [seq])
    if orphans:
        found.append(f"{orphans} ids belong to entries that do not exist")
    return found
