"""Looks a whole journal over: no hole, no body that tells another story than its columns, no name for nothing."""

from collections.abc import AsyncIterator

from journal import archive, codec
from journal.archive import ArchivedEntry
from journal.errors import JournalDamaged
from journal.sql_journal import SqlJournal, epoch_and_head
from journal.statements import SPAN, Statement, StatementSteps, findable, micros


async def problems(journal: SqlJournal) -> AsyncIterator[str]:
    """What is wrong, one sentence each; nothing when the journal is whole."""
    spans = await journal.view(_spans())
    try:
        async for record in archive.records(journal):
            if isinstance(record, ArchivedEntry):
                for problem in [*_entry(record), *_span(record, spans)]:
                    yield problem
    except JournalDamaged as error:
        yield str(error)
    head, last, orphans = await journal.view(_ends())
    if last != head:
        yield f"the head is {head}, but the last entry is {last}"
    if orphans:
        yield f"{orphans} names stand for entries that do not exist"


def _entry(record: ArchivedEntry) -> list[str]:
    entry = record.entry
    try:
        told, seq = codec.draft(entry.kind, entry.body), codec.seq(entry.body)
    except ValueError as error:
        return [f"entry {entry.seq}: {error}"]
    pairs = [
        ("seq", entry.seq, seq),
        ("timestamp", micros(entry.timestamp), micros(told.timestamp)),
        ("ticker", entry.ticker, findable(told.ticker)),
        ("source", entry.source, told.source),
    ]
    return [
        f"entry {entry.seq}: its {name} is {kept!r}, its body says {said!r}"
        for name, kept, said in pairs
        if kept != said
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


def _ends() -> StatementSteps[tuple[int, int, int]]:
    """The head as it is written down, the last entry there is, and how many names lie beyond it."""
    _, head = yield from epoch_and_head()
    [(last,)] = yield Statement("SELECT COALESCE(MAX(seq), 0) FROM entries")
    [(orphans,)] = yield Statement("SELECT COUNT(*) FROM sightings WHERE seq < 1 OR seq > ?", [last])
    return head, int(last), orphans
