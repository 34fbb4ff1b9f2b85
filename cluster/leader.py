"""The leader: the worker that holds the journal's lease, elected among all, and the only one that writes entries."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster.component_health import ComponentHealth, cancel_and_wait
from journal.base import Journal
from journal.entries import Draft, Entry
from journal.entry_store import Appended
from journal.errors import JournalError, JournalReverted, LeaseLost
from journal.lease import Lease

Marks = Callable[[], Mapping[str, str]]


@dataclass(eq=False)
class JournalWriter:
    """Write under the lease, one batch after the other. marks are read just before the write, so none is outdated."""

    journal: Journal
    announce: Callable[[Sequence[Entry]], None]
    health: ComponentHealth
    lease: Lease | None = None  # set by the election while this worker is the leader
    lost: asyncio.Event = field(default_factory=asyncio.Event)  # this leader's term is over: all of its work must stop
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writing: set[asyncio.Task[Appended]] = field(default_factory=set)

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
                done = await self.journal.append(drafts, self.lease, marks())
            except (LeaseLost, JournalReverted) as error:
                self.lost.set()
                raise LeaseLost(f"a new term must begin: {error}") from error
            except JournalError as error:
                self.health.fail(str(error))
                raise
            self.health.succeed()
            self.health.counters.update({"commits": 1, "known": done.known, "heuristic": done.heuristic})
            self.health.counters.update(f"{entry.kind}s" for entry in done.entries)
            if done.entries:
                self.announce(done.entries)
            return done


@dataclass(eq=False)
class LeaderElection:
    """Hold the lease or wait for it; another worker takes over within the lease's term."""

    journal: Journal
    writer: JournalWriter
    holder: str
    lead: Callable[[str], Awaitable[None]]  # the leader's work, called with the status that the last leader left
    status: Callable[[], str]  # returns what each renewal stores for the others
    on_status: Callable[[str], None]  # called with what the leader stored
    health: ComponentHealth
    term: float = 6.0  # seconds after which a lease that is not renewed is free
    renew: float = 2.0  # seconds between two renewals

    async def run(self) -> None:
        while True:
            try:
                lease = await self.journal.acquire(self.holder, self.term)
                other = None if lease else await self.journal.lease()
            except JournalError as error:
                self.health.fail(str(error))
            else:
                if lease is not None:
                    await self._hold(lease)
                    continue
                self.health.succeed("another worker polls")
                if other is not None and other.status:
                    self.on_status(other.status)
            await asyncio.sleep(self.renew / 2)

    async def _hold(self, lease: Lease) -> None:
        self.writer.lease = lease
        self.writer.lost.clear()
        self.health.counters["terms"] += 1
        self.health.succeed("this worker polls")
        leading = asyncio.ensure_future(self.lead(lease.status))
        lost = asyncio.ensure_future(self.writer.lost.wait())
        try:
            while not (leading.done() or lost.done()):
                await asyncio.wait({leading, lost}, timeout=self.renew, return_when=asyncio.FIRST_COMPLETED)
                try:
                    self.writer.lease = lease = await self.journal.renew(lease, self.term, self.status())
                    self.health.succeed("this worker polls")
                except JournalError as error:
                    self.health.fail(str(error))
                    # While the journal is unavailable the term goes on: each write checks the lease in its transaction.
                    if isinstance(error, LeaseLost | JournalReverted):
                        break
        finally:
            try:
                await _end(leading, lost)
            finally:
                await self.writer.settle()
                self.writer.lease = None
                await self._release(lease)

    async def _release(self, lease: Lease) -> None:
        try:
            await self.journal.release(lease)
        except JournalError as error:
            self.health.fail(f"the lease was not released; the next leader waits for its term: {error}")


async def _end(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel the work and wait. LeaseLost is expected and dropped; any other error is raised."""
    await cancel_and_wait(*tasks)
    for task in tasks:
        result = None if task.cancelled() else task.exception()
        if isinstance(result, BaseExceptionGroup):
            _, result = result.split((LeaseLost, asyncio.CancelledError))
        if isinstance(result, BaseException) and not isinstance(result, LeaseLost | asyncio.CancelledError):
            raise result
