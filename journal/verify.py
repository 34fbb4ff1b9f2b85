"""Verify a whole journal: its database, its checksums, its bodies, its ids and its end."""

from collections.abc import AsyncIterator

from journal import codec, entry_store
from journal.archive import ArchiveHeader, records
from journal.base import Journal
from journal.entries import Entry
from journal.errors import JournalDamaged
from journal.statements import SPAN, Statement, StatementSteps, findable, micros


async def problems(journal: Journal) -> AsyncIterator[str]:
    """Yield a sentence for each problem; nothing when the journal is whole."""
    try:
        for problem in await journal.integrity():
            yield f"the database reports: {problem}"
        spans = {span: times for span, *times in await journal.rows("SELECT span, earliest, latest FROM spans")}
        checksum, identified = "", bytearray()
        async for record in records(journal):
            if isinstance(record, ArchiveHeader):
                identified = bytearray(record.head + 1)
            elif isinstance(record, Entry):
                for problem in _entry_problems(record, checksum):
                    yield f"entry {record.seq}{problem}"
                span = (record.seq - 1) // SPAN
                earliest, latest = spans.get(span, (1, 0))
                if not earliest <= micros(record.timestamp) <= latest:
                    yield f"entry {record.seq} is not within the times of span {span}: pages by time may miss it"
                checksum = record.checksum
            elif 1 <= record.seq < len(identified):
                identified[record.seq] = 1
        for seq in range(1, len(identified)):
            if not identified[seq]:
                yield f"entry {seq} has no id: the same report would be written again"
        for problem in await journal.view(_end_problems()):
            yield problem
    except JournalDamaged as error:
        yield str(error)


def _entry_problems(entry: Entry, previous: str) -> list[str]:
    found = []
    if entry.checksum != codec.checksum(previous, entry.kind, entry.body):
        found.append(entry_store.UNFIT)
    try:
        draft, seq = codec.draft(entry.kind, entry.body), codec.seq(entry.body)
    except ValueError as error:
        return [*found, f": {error}"]
    pairs = [
        ("seq", entry.seq, seq),
        ("timestamp", micros(entry.timestamp), micros(draft.timestamp)),
        ("ticker", entry.ticker, findable(draft.ticker)),
        ("source", entry.source, draft.source),
    ]
    wrong = [(name, column, body) for name, column, body in pairs if column != body]
    return found + [f": its {name} is {column!r}, its body has {body!r}" for name, column, body in wrong]


def _end_problems() -> StatementSteps[list[str]]:
    """Compare the head with the last entry, and the ids with the entries."""
    head = yield from entry_store.read_head()
    last = yield Statement("SELECT seq, checksum FROM entries ORDER BY seq DESC LIMIT 1")
    seq, checksum = last[0] if last else (0, "")
    found = []
    if (seq, checksum) != (head.seq, head.checksum):
        found.append(f"the head is {head.seq} ({head.checksum}), but the last entry is {seq} ({checksum})")
    [(orphans,)] = yield Statement("SELECT COUNT(*) FROM sightings WHERE seq < 1 OR seq > ?", [seq])
    if orphans:
        found.append(f"{orphans} ids belong to entries that do not exist")
    return found
