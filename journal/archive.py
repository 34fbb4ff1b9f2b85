"""A whole journal as a stream of records, to back it up or move it: a header, every entry, every id.

Ids are the names under which entries are known, without which a moved journal would write known trades again.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from journal import codec, entry_store, fingerprint
from journal.base import Journal
from journal.entries import Draft, Entry, Trade
from journal.errors import ArchiveUnreadable, JournalDamaged
from journal.fingerprint import KnownId
from journal.schema import new_epoch
from journal.statements import ENTRY_COLUMNS, Dialect, StatementSteps, entry

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


Record = ArchiveHeader | Entry | KnownId


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Counts of entries that an import wrote and of those that were known, and the journal's epoch after it."""

    entries: int
    known: int
    epoch: str


def checked(stream: Iterator[Record]) -> Iterator[Record]:
    """Yield the records, entries with their checksums. Raises ArchiveUnreadable for one that is missing or changed."""
    header = _header(stream)
    yield header
    seq, checksum, ids = 0, "", 0
    identified = bytearray(b"\1")  # by seq: 1 for an entry with an id
    for record in stream:
        match record:
            case ArchiveHeader():
                raise ArchiveUnreadable("a second header")
            case Entry():
                seq += 1
                if record.seq != seq or seq > header.head:
                    raise ArchiveUnreadable(f"expected entry {seq} of {header.head}, got entry {record.seq}")
                identified.append(0)
                checksum = codec.checksum(checksum, record.kind, record.body)
                if record.checksum not in ("", checksum):
                    raise ArchiveUnreadable(f"entry {seq} was changed: its checksum does not fit")
                yield replace(record, checksum=checksum)
            case KnownId(seq=known):
                if not 1 <= known <= seq:
                    raise ArchiveUnreadable(f"an id of entry {known}, but the entries end with {seq}")
                identified[known] = 1
                ids += 1
                yield record
    _check_end(header, seq, checksum, ids, identified)


def _header(stream: Iterator[Record]) -> ArchiveHeader:
    header = next(stream, None)
    if not isinstance(header, ArchiveHeader):
        raise ArchiveUnreadable("the file is empty" if header is None else "expected the header of a journal first")
    return header


def _check_end(header: ArchiveHeader, seq: int, checksum: str, ids: int, identified: bytearray) -> None:
    if seq != header.head:
        raise ArchiveUnreadable(f"the file ends with entry {seq}; its header announces {header.head}")
    if header.checksum not in (None, checksum):
        raise ArchiveUnreadable("an entry was changed: the last checksum is not that of the header")
    if ids < header.ids:
        raise ArchiveUnreadable(f"the file ends after {ids} ids; its header announces {header.ids}")
    if (missing := identified.find(0)) != -1:
        raise ArchiveUnreadable(f"the file ends too early: entry {missing} has no id")


async def records(journal: Journal) -> AsyncIterator[Record]:
    """Yield the journal as it is now, with the stored checksums. Raises JournalDamaged for a missing entry."""
    # The marks first: with older marks the poller asks again for what it has, with newer ones it would miss some.
    marks, head = await journal.marks(), await journal.read_head()
    [(ids,)] = await journal.rows("SELECT COUNT(*) FROM sightings WHERE seq <= ?", [head.seq])
    yield ArchiveHeader(head.epoch, head.seq, marks, head.checksum, int(ids))
    after = 0
    sql = f"SELECT {ENTRY_COLUMNS}, open FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
    while after < head.seq:
        for row in await journal.rows(sql, [after, min(_PAGE, head.seq - after)]) or [(0,)]:
            if row[0] != after + 1:
                raise JournalDamaged(f"entry {after + 1} is missing; restore a backup")
            after += 1
            yield replace(entry(row), open=bool(row[7]))
    # Written so that both databases start at the name in their index; with (name, life) > (?, ?) or OR neither does.
    where = "name >= ? AND (name > ? OR life > ?)"
    sql = f"SELECT name, life, seq FROM sightings WHERE {where} ORDER BY name, life LIMIT ?"
    name = life = ""
    while rows := await journal.rows(sql, [name, name, life, _PAGE]):
        for name, life, seq in rows:
            if seq <= head.seq:
                yield KnownId(name, life, seq)


async def restore(journal: Journal, stream: Iterable[Record]) -> ImportResult:
    """Import checked records in one transaction: all of them, or none when stream raises.

    An empty journal becomes their journal, epoch and cursors included. In one that has entries the new ones follow,
    each execution still once, and the epoch is a new one.
    """
    result = await journal.change(_import(journal.dialect, iter(stream)), _LIMIT)
    await journal.refresh()
    return result


async def renew_epoch(journal: Journal) -> str:
    """Give the journal a new epoch, so that every cursor from before is answered with a reset. Return it."""
    await journal.change(entry_store.set_epoch(new_epoch()))
    return (await journal.refresh()).epoch


def _import(dialect: Dialect, stream: Iterator[Record]) -> StatementSteps[ImportResult]:
    header = _header(stream)
    start = yield from entry_store.read_head(dialect.lock)
    seqs: dict[int, int] = {}  # of entries that did not keep their seq
    for batch in _batches(stream):
        ids = [record for record in batch if isinstance(record, KnownId)]
        entries = [record for record in batch if isinstance(record, Entry)]
        if entries and start.seq:
            yield from _merge(dialect, entries, seqs)
        elif entries:
            yield from entry_store.write(entries)
            ids += fingerprint.own_ids((each.seq, each.kind, each.body) for each in entries)
        ids = [replace(known, seq=seqs.get(known.seq, known.seq)) for known in ids]
        yield from entry_store.write_ids(ids, dialect.skip_known)
    epoch = new_epoch() if start.seq else header.epoch
    yield from entry_store.set_epoch(epoch)
    if header.marks and not start.seq:
        yield from entry_store.write_marks(header.marks)
    added = (yield from entry_store.read_head()).seq - start.seq
    return ImportResult(added, header.head - added, epoch)


def _merge(dialect: Dialect, entries: Sequence[Entry], seqs: dict[int, int]) -> StatementSteps[None]:
    """Append entries of another journal; seqs gets the seq that each of them has here."""
    drafts = [_draft(entry, seqs) for entry in entries]
    head = yield from entry_store.read_head()
    done = yield from entry_store.append(dialect, head, drafts, None, None)
    seqs |= zip((entry.seq for entry in entries), done.by_draft, strict=True)
    yield from entry_store.close(seqs[entry.seq] for entry in entries if not entry.open)


def _draft(entry: Entry, seqs: Mapping[int, int]) -> Draft:
    draft = codec.draft(entry.kind, entry.body)
    if isinstance(draft, Trade) and draft.corrects is not None:
        return replace(draft, corrects=seqs[draft.corrects])
    return draft


def _batches(stream: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield pages of records. A correction begins a new page, so that what it corrects has its new seq."""
    batch: list[Record] = []
    for record in stream:
        correction = isinstance(record, Entry) and record.kind == "correction"
        if batch and (correction or len(batch) == _PAGE):
            yield batch
            batch = []
        batch.append(record)
    yield batch
