"""Who polls: one worker of all that share the journal. The others follow, and one takes over within the term."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.journal_writer import JournalWriter
from journal.base import Journal, Lease
from journal.errors import JournalError, LeaseLost


class LeaderElection:
    """Holds the lease or waits for it. duties run while this worker holds it; pulse is what a renewal leaves behind."""

    def __init__(
        self, journal: Journal, recorder: JournalWriter, holder: str, duties: Callable[[str], Awaitable[None]],
        pulse: Callable[[], str], heard: Callable[[str], None], health: ComponentHealth,
        term: float = 6.0, renew: float = 2.0, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._recorder = recorder
        self._duties = duties
        self._pulse = pulse
        self._heard = heard
        self._term = term
        self._renew = renew
        self._monotonic = monotonic
        self.holder = holder
        self.health = health
        self.lease: Lease | None = None

    async def run(self) -> None:
        """Follow, hold, follow … for ever."""
        while True:
            try:
                before = await self._journal.lease()
                lease = await self._journal.acquire(self.holder, self._term)
            except JournalError as wrong:
                self.health.fail(str(wrong))
            else:
                if lease is not None:
                    await self._hold(lease, before.status if before else "")
                    continue
                self._follow(before)
            await asyncio.sleep(self._renew / 2)

    def _follow(self, row: Lease | None) -> None:
        self.health.succeed("another worker polls")
        if row is not None and row.status:
            self._heard(row.status)

    async def _hold(self, lease: Lease, left_behind: str) -> None:
        """Hold on until another has it or our duties end. left_behind: the last holder's pulse."""
        self.lease = self._recorder.lease = lease
        self._recorder.lost.clear()
        self.health.counters["terms"] += 1
        self.health.succeed("this worker polls")
        duties = asyncio.ensure_future(self._duties(left_behind))
        lost = asyncio.ensure_future(self._recorder.lost.wait())
        try:
            while not (duties.done() or lost.done()):
                await asyncio.wait({duties, lost}, timeout=self._renew, return_when=asyncio.FIRST_COMPLETED)
                if not await self._renewed():
                    break
        finally:
            try:
                await _end(duties, lost)
            finally:
                await self._recorder.settle()
                self._recorder.lease = None
                await self._release()

    async def _renewed(self) -> bool:
        """False when another has the lease. While the journal is away we hold on: every write is fenced by the row."""
        assert self.lease is not None
        try:
            self.lease = self._recorder.lease = await self._journal.renew(self.lease, self._term, self._pulse())
        except LeaseLost:
            self.health.fail("another worker took over")
            return False
        except JournalError as wrong:
            self.health.fail(str(wrong))
        else:
            self.health.succeed("this worker polls")
        return True

    async def _release(self) -> None:
        lease, self.lease = self.lease, None
        if lease is not None:
            try:
                await self._journal.release(lease)
            except JournalError as wrong:
                self.health.fail(f"not released, the next holder waits for the term: {wrong}")


async def _end(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel and wait. Duties end by themselves when the lease is lost; anything else is a mistake and must be seen."""
    await cancel_and_wait(*tasks)
    for task in tasks:
        result = None if task.cancelled() else task.exception()
        if isinstance(result, BaseExceptionGroup):
            _, result = result.split((LeaseLost, asyncio.CancelledError))
        if isinstance(result, BaseException) and not isinstance(result, LeaseLost | asyncio.CancelledError):
            raise result
