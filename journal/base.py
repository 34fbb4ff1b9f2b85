"""A journal: entries 1, 2, 3 … without gaps, each execution once. Its steps are those of SQLite and MySQL alike."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from journal import entry_store
from journal import lease as leases
from journal.entries import Draft, Entry, Head
from journal.entry_store import Appended, Query
from journal.errors import JournalDamaged, JournalReverted
from journal.lease import Lease
from journal.schema import new_epoch
from journal.statements import Dialect, Row, StatementSteps, T, single

CHECKPOINT: Final = "ledger"  # name of the checkpoint among the bookmarks


class Journal(ABC):
    """A store of entries. Every method may raise JournalError; one that hangs raises it within its time limit."""

    dialect: Dialect

    def __init__(self) -> None:
        self.seen = Head("", 0)  # what this handle has read or written last
        self.identity = ""  # of the physical journal, computed when it is opened; 16 hex digits

    @property
    def epoch(self) -> str:
        """The epoch that this handle works in: known once open, changed by recover()."""
        return self.seen.epoch

    @abstractmethod
    async def open(self) -> None:
        """Connect, make or migrate the schema (safe to run twice and from two processes at once)."""

    @abstractmethod
    async def close(self) -> None:
        """Give back threads, files and connections."""

    @abstractmethod
    async def size(self) -> int:
        """Return the bytes on disk, as reported by the store."""

    @abstractmethod
    async def change(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        """Return the result of steps that write, in one durable transaction. limit: seconds, None for the journal's."""

    @abstractmethod
    async def view(self, steps: StatementSteps[T]) -> T:
        """Return the result of steps that only read, all in one snapshot of the journal."""

    async def rows(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of one statement that only reads."""
        return await self.view(single(sql, args))

    async def refresh(self) -> Head:
        """Set the present head as the last one read by this handle, and return it."""
        self.seen = await self.read_head()
        return self.seen

    async def head(self) -> int:
        """Return the last seq, 0 when empty."""
        return (await self.read_head()).seq

    async def read_head(self) -> Head:
        """Return the epoch, the last seq and its checksum."""
        return await self.view(entry_store.read_head())

    async def append(
        self, drafts: Sequence[Draft], lease: Lease | None = None, marks: Mapping[str, str] | None = None
    ) -> Appended:
        """Check the lease, drop known executions, assign seqs, and store entries and marks in one durable transaction.

        Raises LeaseLost, and JournalReverted when the journal lacks what was read before; then nothing is written.
        """
        done, head = await self._guarded(lambda head: entry_store.append(self.dialect, head, drafts, lease, marks))
        self._advance(Head(head.epoch, done.entries[-1].seq, done.entries[-1].checksum) if done.entries else head)
        return done

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Return the entries with a seq greater than after, ascending. Raises JournalDamaged for a missing one."""
        return await self.view(entry_store.read(after, limit))

    async def follow(self, after: int, limit: int) -> list[Entry]:
        """Return the entries that follow after. Raises JournalReverted when the journal lost what was read before."""
        entries, head = await self.view(_with_head("", self.seen, lambda head: entry_store.read(after, limit)))
        self._advance(head)
        return entries

    async def recover(self) -> Head:
        """Accept the journal as it is after JournalReverted; return its head, under a new epoch if it lost entries."""
        await self.change(_recover(self.dialect.lock, self.seen))
        return await self.refresh()

    async def history(self, query: Query) -> list[Entry]:
        """Return one page of entries; the cost does not grow with the journal."""
        return await self.view(entry_store.history(self.dialect, query))

    async def verify(self, after: int, limit: int) -> int:
        """Return the last of at most limit whole entries after a seq, or that seq. Raises JournalDamaged for others."""
        try:
            return await self.view(entry_store.verified(after, limit))
        except JournalDamaged as error:
            if limit == 1:
                raise JournalDamaged(f"entry {after + 1}: {error}") from error
            middle = await self.verify(after, limit // 2)
            return await self.verify(middle, limit - limit // 2)

    async def integrity(self) -> list[str]:
        """Return what the database itself finds wrong with its tables and indexes."""
        found = [str(row[-1]) for row in await self.rows(self.dialect.check)]
        return [text for text in found if text.lower() not in ("ok", "table is already up to date")]

    async def marks(self) -> dict[str, str]:
        """Return the poller's bookmarks, stored with the entries that they belong to."""
        rows = await self.rows("SELECT name, value FROM marks WHERE name <> ?", [CHECKPOINT])
        return {name: value for name, value in rows}

    async def checkpoint(self) -> str:
        """Return the last text of store_checkpoint; "" before the first."""
        rows = await self.rows("SELECT value FROM marks WHERE name = ?", [CHECKPOINT])
        return str(rows[0][0]) if rows else ""

    async def store_checkpoint(self, text: str) -> None:
        """Store what a reader of all entries has made of them, in place of the last. No entry depends on it."""
        await self.change(entry_store.write_marks({CHECKPOINT: text}))

    async def acquire(self, holder: str, term: float) -> Lease | None:
        """Take the lease for term seconds; None when another worker holds it. Raises JournalReverted as append does."""
        return (await self._guarded(lambda head: leases.acquire(self.dialect, holder, term, head.epoch)))[0]

    async def renew(self, lease: Lease, term: float, status: str) -> Lease:
        """Hold the lease for another term, with the bot's status. Raises LeaseLost, and JournalReverted as append."""
        return (await self._guarded(lambda head: leases.renew(self.dialect, lease, term, status, head.epoch)))[0]

    async def release(self, lease: Lease) -> None:
        """Let another worker become leader at once; nothing happens when the lease is another's."""
        sql = "UPDATE lease SET expires = 0 WHERE id = 1 AND holder = ? AND token = ?"
        await self.change(single(sql, [lease.holder, lease.token]))

    async def lease(self) -> Lease | None:
        """Return the lease as it stands, of any holder; None when there never was one."""
        rows = await self.rows("SELECT holder, token, expires, bot_status FROM lease WHERE id = 1 AND token > 0")
        return Lease(*rows[0]) if rows else None

    async def _guarded(self, steps: Callable[[Head], StatementSteps[T]]) -> tuple[T, Head]:
        """Run steps if the journal has all that this handle has read. Return their result and the head before them."""
        # Locking the row of the head first puts writers in line: one at a time reads the head and gives seqs.
        result, head = await self.change(_with_head(self.dialect.lock, self.seen, steps))
        self._advance(head)
        return result, head

    def _advance(self, head: Head) -> None:
        if head.epoch == self.seen.epoch and head.seq > self.seen.seq:
            self.seen = head


def _with_head(lock: str, seen: Head, steps: Callable[[Head], StatementSteps[T]]) -> StatementSteps[tuple[T, Head]]:
    head = yield from entry_store.read_head(lock)
    yield from _check_history(seen, head)
    return (yield from steps(head)), head


def _recover(lock: str, seen: Head) -> StatementSteps[None]:
    head = yield from entry_store.read_head(lock)
    # Of several workers that notice the same, one gives the epoch and the others find it.
    if head.epoch == seen.epoch and not (yield from _contains(seen, head)):
        yield from entry_store.set_epoch(new_epoch())


def _contains(seen: Head, head: Head) -> StatementSteps[bool]:
    """Return True if the journal that ends at head has the entry at which seen ended, whatever their epochs."""
    if head.seq == seen.seq:
        return head.checksum == seen.checksum
    return head.seq > seen.seq and (not seen.seq or (yield from entry_store.checksum(seen.seq)) == seen.checksum)


def _check_history(seen: Head, head: Head) -> StatementSteps[None]:
    if not (yield from _contains(seen, head)):
        raise JournalReverted(
            f"the journal ends at {head} and no longer contains {seen}: an older backup was restored or the journal was"
            " replaced; every reader gets a reset", lost=True,
        )  # fmt: skip
    if head.epoch != seen.epoch:
        raise JournalReverted(f"the journal has a new epoch, {head.epoch}; every reader gets a reset", lost=False)
