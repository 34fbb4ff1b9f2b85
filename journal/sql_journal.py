"""A journal in an SQL database: every promise of `journal.base`, but for the carrying, which SQLite and MySQL do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from journal import append, queries
from journal import lease as leases
from journal.base import Appended, Lease, Query
from journal.entries import Draft, Entry
from journal.statements import Dialect, Statement, StatementSteps, T


class SqlJournal(ABC):
    """What both databases share; a subclass carries the steps."""

    dialect: Dialect
    epoch: str

    @abstractmethod
    async def open(self) -> None:
        """Connect, make or migrate the schema (safe to run twice and from two processes at once)."""

    @abstractmethod
    async def close(self) -> None:
        """Give back threads, files and connections."""

    @abstractmethod
    async def size(self) -> int:
        """Bytes on disk, as far as the store says."""

    @abstractmethod
    async def change(self, steps: StatementSteps[T]) -> T:
        """The result of steps that write, run in one durable transaction after every other writer's."""

    @abstractmethod
    async def view(self, steps: StatementSteps[T]) -> T:
        """The result of steps that only read, all in one view of the journal."""

    async def head(self) -> int:
        """The last seq, 0 when empty."""
        return (await self.view(epoch_and_head()))[1]

    async def append(
        self, drafts: Sequence[Draft], lease: Lease | None = None, marks: Mapping[str, str] | None = None
    ) -> Appended:
        """In one durable transaction: check the lease, drop what is known, give seqs, keep the marks."""
        return await self.change(append.append(self.dialect, drafts, lease, marks))

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Entries with a seq greater than after, ascending."""
        return await self.view(queries.read(after, limit))

    async def history(self, query: Query) -> list[Entry]:
        """One page of the past."""
        return await self.view(queries.history(self.dialect, query))

    async def marks(self) -> dict[str, str]:
        """The poller's bookmarks."""
        return await self.view(_marks())

    async def acquire(self, holder: str, term: float) -> Lease | None:
        """Take the lease when it is free, over or ours."""
        return await self.change(leases.acquire(self.dialect, holder, term))

    async def renew(self, lease: Lease, term: float, status: str) -> Lease:
        """Hold on for another term."""
        return await self.change(leases.renew(self.dialect, lease, term, status))

    async def release(self, lease: Lease) -> None:
        """Let another take over at once."""
        await self.change(leases.release(self.dialect, lease))

    async def lease(self) -> Lease | None:
        """The row as it stands."""
        return await self.view(leases.current())


def epoch_and_head() -> StatementSteps[tuple[str, int]]:
    """The epoch and the head."""
    [(epoch, head)] = yield Statement("SELECT epoch, head FROM journal WHERE id = 1")
    return epoch, head


def _marks() -> StatementSteps[dict[str, str]]:
    return {name: value for name, value in (yield Statement("SELECT name, value FROM marks"))}
