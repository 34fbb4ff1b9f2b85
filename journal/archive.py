"""A whole journal as a stream of records, to back it up, move it or verify it.

First a header, then every entry by seq, then every id: the names under which the entries are known, without which a
journal that was moved would write yesterday's trades again.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from journal import append, chain, codec, fingerprint
from journal.entries import Correction, Draft, Entry, Trade
from journal.errors import ArchiveUnreadable, JournalDamaged
from journal.fingerprint import KnownId
from journal.schema import new_epoch
from journal.sql_journal import SqlJournal
from journal.statements import ENTRY_COLUMNS, Dialect, Statement, StatementSteps, entry

_PAGE = 1000
_LIMIT = 6 * 3600.0  # seconds that an import may take


@dataclass(frozen=True, slots=True)
class ArchiveHeader:
    """The journal's epoch, its length, its bookmarks, and the counts of a whole file."""

    epoch: str
    head: int
    marks: Mapping[str, str]
    checksum: str | None = None  # of the last entry; None in files of version 0.1
    ids: int = 0  # at least so many follow the entries


@dataclass(frozen=True, slots=True)
class ArchivedEntry:
    """An entry as it is stored. open: no second reporter has been matched to it yet."""

    entry: Entry
    open: bool


Record = ArchiveHeader | ArchivedEntry | KnownId


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Counts of entries that an import wrote and of those that were known, and the journal's epoch after it."""

    entries: int
    known: int
    epoch: str


@dataclass(slots=True)
class ArchiveCheck:
    """Check that records come in order and that none is missing, changed or swapped."""

    _header: ArchiveHeader | None = None
    _seq: int = 0
    _checksum: str = ""
    _ids: int = 0
    _identified: bytearray = field(default_factory=lambda: bytearray(b"\1"))  # by seq: 1 for an entry with an id

    def take(self, record: Record) -> Record:
        """Return the record, an entry with its checksum. Raises ArchiveUnreadable for one that does not follow."""
        if isinstance(record, ArchiveHeader):
            if self._header is not None:
                raise ArchiveUnreadable("a second header")
            self._header = record
            return record
        if self._header is None:
            raise ArchiveUnreadable("expected the header of a journal first")
        if isinstance(record, KnownId):
            return self._take_id(record)
        return ArchivedEntry(self._take_entry(record.entry, self._header), record.open)

    def _take_entry(self, entry: Entry, header: ArchiveHeader) -> Entry:
        self._seq += 1
        if entry.seq != self._seq or entry.seq > header.head:
            raise ArchiveUnreadable(f"expected entry {self._seq} of {header.head}, got entry {entry.seq}")
        self._identified.append(0)
        self._checksum = chain.checksum(self._checksum, entry.kind, entry.body)
        if entry.checksum not in ("", self._checksum):
            raise ArchiveUnreadable(f"entry {entry.seq} was changed: its checksum does not fit")
        return replace(entry, checksum=self._checksum)

    def _take_id(self, known: KnownId) -> KnownId:
        if not 1 <= known.seq <= self._seq:
            raise ArchiveUnreadable(f"an id of entry {known.seq}, but the entries end with {self._seq}")
        self._identified[known.seq] = 1
        self._ids += 1
        return known

    def finish(self) -> None:
        """Raise ArchiveUnreadable unless everything that the header promises has come."""
        header = self._header
        if header is None:
            raise ArchiveUnreadable("the file is empty; expected the header of a journal")
        if self._seq != header.head:
            raise ArchiveUnreadable(f"the file ends with entry {self._seq}; its header promises {header.head}")
        if header.checksum not in (None, self._checksum):
            raise ArchiveUnreadable("an entry was changed: the last checksum is not that of the header")
        if self._ids < header.ids:
            raise ArchiveUnreadable(f"the file ends after {self._ids} ids; its header promises {header.ids}")
        if (missing := self._identified.find(0)) != -1:
            raise ArchiveUnreadable(f"the file ends too early: entry {missing} has no id")


async def records(journal: SqlJournal) -> AsyncIterator[Record]:
    """Yield the journal as it is now, without what is appended meanwhile. Raises JournalDamaged for a missing entry.

    Stored checksums are not compared with the content here (see journal.verify); each entry has the one stored.
    """
    # The marks first: with older marks the poller asks again for what it has, with newer ones it would miss some.
    marks, head = await journal.marks(), await journal.read_head()
    yield ArchiveHeader(head.epoch, head.seq, marks, head.checksum, await journal.view(_count_ids(head.seq)))
    after = 0
    while after < head.seq:
        page = await journal.view(_entries(after, min(_PAGE, head.seq - after)))
        for archived in page:
            if archived.entry.seq != after + 1:
                break
            after += 1
            yield archived
        if not page or page[-1].entry.seq != after:
            raise JournalDamaged(f"entry {after + 1} is missing; restore a backup")
    last = KnownId("", "", 0)
    while ids := await journal.view(_known_ids(last)):
        for last in ids:
            if last.seq <= head.seq:
                yield last


async def restore(journal: SqlJournal, stream: Iterable[Record]) -> ImportResult:
    """Import checked records (see ArchiveCheck) in one transaction: all of them, or none when stream raises.

    An empty journal becomes their journal, epoch and cursors included. In one that has entries the new ones follow,
    each execution still once, and the epoch is a new one.
    """
    result = await journal.change(_import(journal.dialect, iter(stream)), _LIMIT)
    await journal.refresh()
    return result


async def renew_epoch(journal: SqlJournal) -> str:
    """Give the journal a new epoch, so that every cursor from before is answered with a reset. Return it."""
    await journal.change(_set_epoch(new_epoch()))
    return (await journal.refresh()).epoch


def _import(dialect: Dialect, stream: Iterator[Record]) -> StatementSteps[ImportResult]:
    header = next(stream, None)
    if not isinstance(header, ArchiveHeader):
        raise ArchiveUnreadable("expected the header of a journal first")
    start = yield from append.read_head(dialect.lock)
    seqs: dict[int, int] = {}  # of entries that did not keep their seq
    for batch in _batches(stream):
        ids = [record for record in batch if isinstance(record, KnownId)]
        entries = [record for record in batch if isinstance(record, ArchivedEntry)]
        if start.seq:
            yield from _merge(dialect, entries, seqs)
        elif entries:
            yield from append.write([record.entry for record in entries], [record.open for record in entries], [])
            ids += _ids_for_corrections(entries)
        if ids:
            sql = f"INSERT INTO sightings (name, life, seq) VALUES (?, ?, ?){dialect.skip_known}"
            rows = [(known.name, known.content, seqs.get(known.seq, known.seq)) for known in ids]
            yield Statement(sql, rows, many=True)
    epoch = new_epoch() if start.seq else header.epoch
    yield from _set_epoch(epoch)
    if header.marks and not start.seq:
        yield Statement("REPLACE INTO marks (name, value) VALUES (?, ?)", list(header.marks.items()), many=True)
    added = (yield from append.read_head()).seq - start.seq
    return ImportResult(added, header.head - added, epoch)


def _merge(dialect: Dialect, entries: Sequence[ArchivedEntry], seqs: dict[int, int]) -> StatementSteps[None]:
    """Append entries of another journal; seqs gets the seq that each of them has here."""
    if not entries:
        return
    drafts = [_draft(archived.entry, seqs) for archived in entries]
    head = yield from append.read_head()
    done = yield from append.append(dialect, head, drafts, None, None)
    seqs |= zip((archived.entry.seq for archived in entries), done.by_draft, strict=True)
    closed = [(seqs[archived.entry.seq],) for archived in entries if not archived.open]
    if closed:
        yield Statement("UPDATE entries SET open = 0 WHERE seq = ?", closed, many=True)


def _draft(entry: Entry, seqs: Mapping[int, int]) -> Draft:
    draft = codec.draft(entry.kind, entry.body)
    return replace(draft, corrects=seqs[draft.corrects]) if isinstance(draft, Correction) else draft


def _ids_for_corrections(entries: Iterable[ArchivedEntry]) -> list[KnownId]:
    """Return the names by which trades are corrected; files of version 0.1 have none."""
    found = []
    for archived in entries:
        trade = codec.draft(archived.entry.kind, archived.entry.body)
        if isinstance(trade, Trade):
            name, content = fingerprint.report_name(trade), fingerprint.content_digest(trade)
            found.append(KnownId(name, content, archived.entry.seq))
    return found


def _batches(stream: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield pages of records. A correction begins a new page, so that what it corrects has its new seq."""
    batch: list[Record] = []
    for record in stream:
        correction = isinstance(record, ArchivedEntry) and record.entry.kind == "correction"
        if batch and (correction or len(batch) == _PAGE):
            yield batch
            batch = []
        batch.append(record)
    yield batch


def _entries(after: int, limit: int) -> StatementSteps[list[ArchivedEntry]]:
    sql = f"SELECT {ENTRY_COLUMNS}, open FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
    rows = yield Statement(sql, [after, limit])
    return [ArchivedEntry(entry(row), bool(row[7])) for row in rows]


def _known_ids(after: KnownId) -> StatementSteps[list[KnownId]]:
    # Written so that both databases start at the name in their index; with (name, life) > (?, ?) or OR neither does.
    where = "name >= ? AND (name > ? OR life > ?)"
    sql = f"SELECT name, life, seq FROM sightings WHERE {where} ORDER BY name, life LIMIT ?"
    rows = yield Statement(sql, [after.name, after.name, after.content, _PAGE])
    return [KnownId(*row) for row in rows]


def _count_ids(head: int) -> StatementSteps[int]:
    [(count,)] = yield Statement("SELECT COUNT(*) FROM sightings WHERE seq <= ?", [head])
    return int(count)


def _set_epoch(epoch: str) -> StatementSteps[None]:
    yield Statement("UPDATE journal SET epoch = ? WHERE id = 1", [epoch])
