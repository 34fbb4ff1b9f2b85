"""The only way into the journal for a leader: drafts are written, and only then announced."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from cluster.component_health import ComponentHealth
from journal.base import Appended, Journal, Lease
from journal.entries import Draft, Entry
from journal.errors import JournalError, JournalReverted, LeaseLost

Announce = Callable[[Sequence[Entry]], None]
Marks = Callable[[], Mapping[str, str]]


class JournalWriter:
    """Write under the lease, one batch after the other. marks are asked for inside the turn, so none is outdated."""

    def __init__(self, journal: Journal, announce: Announce, health: ComponentHealth) -> None:
        self._journal = journal
        self._announce = announce
        self._turn = asyncio.Lock()
        self._writing: set[asyncio.Task[Appended]] = set()
        self.health = health
        self.lease: Lease | None = None  # set by the election while this worker is the leader
        self.lost = asyncio.Event()  # this leader's term is over: all of its work must stop

    async def record(self, drafts: Sequence[Draft], marks: Marks = dict) -> Appended:
        """Write drafts and marks in one commit, then announce what is new.

        Raises LeaseLost when this worker is not the leader any more, or the journal went back in time, so that a new
        term must begin with its marks; and JournalError. Then nothing was written. A caller that is cancelled does not
        cut the write in two: what was committed is also announced.
        """
        task = asyncio.create_task(self._record(drafts, marks))
        self._writing.add(task)
        task.add_done_callback(self._written)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Wait for writes in progress; they are bounded by the journal's own time limit."""
        if self._writing:
            await asyncio.wait(self._writing)

    def _written(self, task: "asyncio.Task[Appended]") -> None:
        self._writing.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved here, in case that the caller was cancelled

    async def _record(self, drafts: Sequence[Draft], marks: Marks) -> Appended:
        async with self._turn:
            if self.lease is None:
                raise LeaseLost("this worker is not the leader")
            try:
                done = await self._journal.append(drafts, self.lease, marks())
            except LeaseLost:
                self.lost.set()
                raise
            except JournalReverted as error:
                self.lost.set()
                raise LeaseLost(f"a new term must begin: {error}") from error
            except JournalError as error:
                self.health.fail(str(error))
                raise
            self.health.succeed()
            self._count(done)
            if done.entries:
                self._announce(done.entries)
            return done

    def _count(self, done: Appended) -> None:
        self.health.counters["commits"] += 1
        self.health.counters["known"] += done.known
        self.health.counters["heuristic"] += done.heuristic
        for entry in done.entries:
            self.health.counters[f"{entry.kind}s"] += 1
