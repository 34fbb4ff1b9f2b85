"""A journal in an SQL database: every promise of `journal.base`, except running statements (SQLite and MySQL do)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from journal import append, chain, queries
from journal import lease as leases
from journal.base import Appended, Lease, Query
from journal.entries import Draft, Entry
from journal.errors import JournalDamaged, JournalReverted
from journal.head import Head
from journal.schema import new_epoch
from journal.statements import Dialect, Statement, StatementSteps, T


class SqlJournal(ABC):
    """The part that both databases share; a subclass runs the steps."""

    dialect: Dialect

    def __init__(self) -> None:
        self.seen = Head("", 0)
        self.identity = ""

    @property
    def epoch(self) -> str:
        """The epoch of the head that this handle read last."""
        return self.seen.epoch

    @abstractmethod
    async def open(self) -> None:
        """Connect, make or migrate the schema (safe to run twice and from two processes at once)."""

    @abstractmethod
    async def close(self) -> None:
        """Give back threads, files and connections."""

    @abstractmethod
    async def size(self) -> int:
        """Return the bytes on disk, as far as the store says."""

    @abstractmethod
    async def change(self, steps: StatementSteps[T], limit: float | None = None) -> T:
        """Return the result of steps that write, run in one durable transaction after every other writer's.

        limit: seconds, None for that of the journal.
        """

    @abstractmethod
    async def view(self, steps: StatementSteps[T]) -> T:
        """Return the result of steps that only read, all in one snapshot of the journal."""

    async def refresh(self) -> Head:
        """Take the journal as it is now for what this handle has read; return its head."""
        self.seen = await self.view(append.read_head())
        return self.seen

    async def head(self) -> int:
        """Return the last seq, 0 when empty."""
        return (await self.read_head()).seq

    async def read_head(self) -> Head:
        """Return the epoch, the last seq and its checksum."""
        return await self.view(append.read_head())

    async def checksum(self, seq: int) -> str:
        """Return the checksum of an entry, "" when there is none at seq."""
        return await self.view(queries.checksum(seq))

    async def append(
        self, drafts: Sequence[Draft], lease: Lease | None = None, marks: Mapping[str, str] | None = None
    ) -> Appended:
        """Check the lease, drop what is known, give seqs, store entries and marks in one durable transaction."""
        done, head = await self._guarded(lambda head: append.append(self.dialect, head, drafts, lease, marks))
        self._advance(Head(head.epoch, done.entries[-1].seq, done.entries[-1].checksum) if done.entries else head)
        return done

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Return the entries with a seq greater than after, ascending. Raises JournalDamaged that names the place."""
        return await self.view(queries.read(after, limit))

    async def follow(self, after: int, limit: int) -> list[Entry]:
        """Return the entries that follow after. Raises JournalReverted when the journal lost what was read before."""
        seen = self.seen

        def steps() -> StatementSteps[tuple[Head, list[Entry]]]:
            head = yield from append.read_head()
            yield from _check_history(seen, head)
            return head, (yield from queries.read(after, limit))

        head, entries = await self.view(steps())
        self._advance(head)
        return entries

    async def recover(self) -> Head:
        """Accept the journal as it is after JournalReverted; return its head, under a new epoch if it lost entries.

        Of several workers that notice the same, one gives the epoch and the others find it.
        """
        seen = self.seen

        def steps() -> StatementSteps[None]:
            head = yield from append.read_head(self.dialect.lock)
            if head.epoch == seen.epoch and not (yield from chain.contains(seen, head)):
                yield Statement("UPDATE journal SET epoch = ? WHERE id = 1", [new_epoch()])

        await self.change(steps())
        return await self.refresh()

    async def history(self, query: Query) -> list[Entry]:
        """Return one page of entries."""
        return await self.view(queries.history(self.dialect, query))

    async def verify(self, after: int, limit: int) -> int:
        """Return the last of up to limit entries that follow after, all of them whole; after at the journal's end.

        Raises JournalDamaged that names the first entry that is missing, changed or cannot be read.
        """
        try:
            return await self.view(queries.verified(after, limit))
        except JournalDamaged as error:
            if limit == 1:
                raise JournalDamaged(f"entry {after + 1}: {error}") from error
            middle = await self.verify(after, limit // 2)
            return await self.verify(middle, limit - limit // 2)

    async def integrity(self) -> list[str]:
        """Return what the database itself finds wrong with its tables and indexes."""
        return await self.view(queries.integrity(self.dialect))

    async def marks(self) -> dict[str, str]:
        """Return the poller's bookmarks."""
        return await self.view(_marks())

    async def acquire(self, holder: str, term: float) -> Lease | None:
        """Take the lease when it is free, expired or this holder's; None when another holds it."""
        return (await self._guarded(lambda head: leases.acquire(self.dialect, holder, term, head.epoch)))[0]

    async def renew(self, lease: Lease, term: float, status: str) -> Lease:
        """Hold the lease for another term. Raises LeaseLost."""
        return (await self._guarded(lambda head: leases.renew(self.dialect, lease, term, status, head.epoch)))[0]

    async def release(self, lease: Lease) -> None:
        """Let another worker become leader at once."""
        await self.change(leases.release(self.dialect, lease))

    async def lease(self) -> Lease | None:
        """Return the lease as it stands."""
        return await self.view(leases.current())

    async def _guarded(self, steps: Callable[[Head], StatementSteps[T]]) -> tuple[T, Head]:
        """Run steps if the journal has all that this handle has read. Return their result and the head before them."""
        seen = self.seen

        def guarded() -> StatementSteps[tuple[T, Head]]:
            # Locking this row first puts writers in line: one at a time reads the head and gives seqs.
            head = yield from append.read_head(self.dialect.lock)
            yield from _check_history(seen, head)
            return (yield from steps(head)), head

        result, head = await self.change(guarded())
        self._advance(head)
        return result, head

    def _advance(self, head: Head) -> None:
        if head.epoch == self.seen.epoch and head.seq > self.seen.seq:
            self.seen = head


def _check_history(seen: Head, head: Head) -> StatementSteps[None]:
    if not (yield from chain.contains(seen, head)):
        raise JournalReverted(
            f"the journal ends at {head} and no longer contains {seen}: an older backup was restored or"
            " the journal was replaced; every reader gets a reset",
            lost=True,
        )
    if head.epoch != seen.epoch:
        raise JournalReverted(f"the journal has a new epoch, {head.epoch}; every reader gets a reset", lost=False)


def _marks() -> StatementSteps[dict[str, str]]:
    return {name: value for name, value in (yield Statement("SELECT name, value FROM marks"))}
