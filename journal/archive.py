"""A whole journal as a stream of records, to move it, keep it elsewhere, or look it over.

First a header, then every entry by seq, then every sighting: the names under which the entries are known, without
which a journal that was moved would take yesterday's trades for new ones.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from journal import append, codec
from journal.base import Appended
from journal.entries import Draft, Entry
from journal.errors import JournalDamaged
from journal.fingerprint import KnownId
from journal.schema import new_epoch
from journal.sql_journal import SqlJournal, epoch_and_head
from journal.statements import Statement, StatementSteps, entry, marks, parts

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ArchiveHeader:
    """Which journal it is, how long it was, and its bookmarks."""

    epoch: str
    head: int
    marks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ArchivedEntry:
    """An entry as it is kept; open: no second reporter has been matched to it yet."""

    entry: Entry
    open: bool


Record = ArchiveHeader | ArchivedEntry | KnownId


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did."""

    entries: int
    known: int
    epoch: str


async def records(journal: SqlJournal) -> AsyncIterator[Record]:
    """The journal as it stands now; what is appended meanwhile is left out."""
    # The marks first: with older marks the poller asks again for what it has, with newer ones it would miss some.
    header = ArchiveHeader(journal.epoch, await journal.head(), await journal.marks())
    yield header
    after = 0
    while after < header.head:
        entries = await journal.view(_entries(after, min(_PAGE, header.head - after)))
        for kept in entries:
            if kept.entry.seq != after + 1:
                break
            after += 1
            yield kept
        if not entries or entries[-1].entry.seq != after:
            raise JournalDamaged(f"entry {after + 1} is missing; restore a backup")
    last = KnownId("", "", 0)
    while page := await journal.view(_sightings(last)):
        for last in page:
            if last.seq <= header.head:
                yield last


async def restore(journal: SqlJournal, stream: AsyncIterator[Record]) -> ImportResult:
    """Puts records into a journal. An empty one becomes their journal, epoch and all, so that cursors stay valid.

    In one that has entries the new ones follow, each execution still once, and the epoch is a new one.
    Raises ValueError for records out of order; whatever came before them is kept, under an epoch of its own.
    """
    header = await anext(stream, None)
    if not isinstance(header, ArchiveHeader):
        raise ValueError("the file does not begin with the header of a journal")
    empty = await journal.head() == 0
    places: dict[int, int] = {}  # where entries went that did not keep their seq
    expected, added = 1, 0
    async for batch in _batches(stream):
        kept = [record for record in batch if isinstance(record, ArchivedEntry)]
        for record in kept:
            if record.entry.seq != expected:
                raise ValueError(f"entry {expected} was expected, not {record.entry.seq}")
            expected += 1
        if empty:
            added += len(kept)
            await journal.change(_write(kept))
        elif kept:
            done = await _merge(journal, kept)
            added += len(done.entries)
            places |= zip((record.entry.seq for record in kept), done.by_draft, strict=True)
        seen = [record for record in batch if isinstance(record, KnownId)]
        await journal.change(_see([KnownId(one.name, one.content, places.get(one.seq, one.seq)) for one in seen]))
    if expected != header.head + 1:
        raise ValueError(f"the file ends with entry {expected - 1}; its header promises {header.head}")
    journal.epoch = header.epoch if empty else new_epoch()
    await journal.change(_finish(journal.epoch, header.marks if empty else {}))
    return ImportResult(added, header.head - added, journal.epoch)


async def renew_epoch(journal: SqlJournal) -> str:
    """Gives the journal a new epoch, so that every cursor from before is answered with a reset."""
    journal.epoch = new_epoch()
    await journal.change(_finish(journal.epoch, {}))
    return journal.epoch


async def _merge(journal: SqlJournal, kept: Sequence[ArchivedEntry]) -> Appended:
    done = await journal.append([_draft(record.entry) for record in kept])
    closed = [seq for seq, record in zip(done.by_draft, kept, strict=True) if not record.open]
    await journal.change(_close(closed))
    return done


def _draft(entry: Entry) -> Draft:
    return codec.draft(entry.kind, entry.body)


async def _batches(stream: AsyncIterator[Record]) -> AsyncIterator[list[Record]]:
    batch: list[Record] = []
    async for record in stream:
        batch.append(record)
        if len(batch) == _PAGE:
            yield batch
            batch = []
    yield batch


def _entries(after: int, limit: int) -> StatementSteps[list[ArchivedEntry]]:
    columns = "seq, kind, timestamp, ticker, source, body, open"
    rows = yield Statement(f"SELECT {columns} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", [after, limit])
    return [ArchivedEntry(entry(row), bool(row[6])) for row in rows]


def _sightings(after: KnownId) -> StatementSteps[list[KnownId]]:
    # Said so that both databases start at the name in their index, which neither (name, life) > (?, ?) nor OR does.
    where = "name >= ? AND (name > ? OR life > ?)"
    sql = f"SELECT name, life, seq FROM sightings WHERE {where} ORDER BY name, life LIMIT ?"
    rows = yield Statement(sql, [after.name, after.name, after.content, _PAGE])
    return [KnownId(*row) for row in rows]


def _write(kept: Sequence[ArchivedEntry]) -> StatementSteps[None]:
    _, head = yield from epoch_and_head()
    if kept and kept[0].entry.seq != head + 1:
        raise JournalDamaged("another process wrote to the journal during the import; empty it and import again")
    yield from append.write([record.entry for record in kept], [record.open for record in kept], [])


def _see(sightings: Iterable[KnownId]) -> StatementSteps[None]:
    wanted = {(seen.name, seen.content): seen for seen in sightings}
    for names in parts({name for name, _ in wanted}):
        for row in (yield Statement(f"SELECT name, life FROM sightings WHERE name IN ({marks(names)})", names)):
            wanted.pop((row[0], row[1]), None)
    yield from append.write([], [], wanted.values())


def _close(seqs: Sequence[int]) -> StatementSteps[None]:
    if seqs:
        yield Statement("UPDATE entries SET open = 0 WHERE seq = ?", [(seq,) for seq in seqs], many=True)


def _finish(epoch: str, bookmarks: Mapping[str, str]) -> StatementSteps[None]:
    yield Statement("UPDATE journal SET epoch = ? WHERE id = 1", [epoch])
    if bookmarks:
        yield Statement("REPLACE INTO marks (name, value) VALUES (?, ?)", list(bookmarks.items()), many=True)
