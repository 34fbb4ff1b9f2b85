"""A journal in an SQL database: every promise of `journal.base`, but for the carrying, which SQLite and MySQL do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from journal import append, past
from journal import lease as leases
from journal.ask import Ask, Dialect, Steps, T
from journal.base import Appended, Lease, Query
from journal.entry import Draft, Entry


class SqlJournal(ABC):
    """What both databases share. A subclass carries steps: `_write` in one durable transaction, `_read` in one view."""

    dialect: Dialect
    epoch: str

    @abstractmethod
    async def _write(self, steps: Steps[T]) -> T: ...

    @abstractmethod
    async def _read(self, steps: Steps[T]) -> T: ...

    async def head(self) -> int:
        """The last seq, 0 when empty."""
        return (await self._read(identity()))[1]

    async def append(
        self, drafts: Sequence[Draft], lease: Lease | None = None, marks: Mapping[str, str] | None = None
    ) -> Appended:
        """In one durable transaction: check the lease, drop what is known, give seqs, keep the marks."""
        return await self._write(append.append(self.dialect, drafts, lease, marks))

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Entries with a seq greater than after, ascending."""
        return await self._read(past.read(after, limit))

    async def history(self, query: Query) -> list[Entry]:
        """One page of the past."""
        return await self._read(past.history(self.dialect, query))

    async def marks(self) -> dict[str, str]:
        """The poller's bookmarks."""
        return await self._read(_marks())

    async def acquire(self, holder: str, term: float) -> Lease | None:
        """Take the lease when it is free, over or ours."""
        return await self._write(leases.acquire(self.dialect, holder, term))

    async def renew(self, lease: Lease, term: float, status: str) -> Lease:
        """Hold on for another term."""
        return await self._write(leases.renew(self.dialect, lease, term, status))

    async def release(self, lease: Lease) -> None:
        """Let another take over at once."""
        await self._write(leases.release(self.dialect, lease))

    async def lease(self) -> Lease | None:
        """The row as it stands."""
        return await self._read(leases.current())


def identity() -> Steps[tuple[str, int]]:
    """The epoch and the head."""
    [(epoch, head)] = yield Ask("SELECT epoch, head FROM journal WHERE id = 1")
    return epoch, head


def _marks() -> Steps[dict[str, str]]:
    return {name: value for name, value in (yield Ask("SELECT name, value FROM marks"))}
