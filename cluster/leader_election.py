"""Elects the leader: the worker that holds the lease in the journal. Another takes over within the lease's term."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.journal_writer import JournalWriter
from journal.base import Journal, Lease
from journal.errors import JournalError, JournalReverted, LeaseLost


class LeaderElection:
    """Hold the lease or wait for it.

    lead: the leader's work, called with the status that the last leader left; it runs while this worker holds the
    lease. status: returns what each renewal stores for the others. on_status: called with what the leader stored.
    term: seconds after which a lease that is not renewed is free. renew: seconds between two renewals.
    """

    def __init__(
        self, journal: Journal, writer: JournalWriter, holder: str, lead: Callable[[str], Awaitable[None]],
        status: Callable[[], str], on_status: Callable[[str], None], health: ComponentHealth,
        term: float = 6.0, renew: float = 2.0,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._writer = writer
        self._lead = lead
        self._status = status
        self._on_status = on_status
        self._term = term
        self._renew = renew
        self.holder = holder
        self.health = health
        self.lease: Lease | None = None

    async def run(self) -> None:
        """Try to become leader, lead, and begin again."""
        while True:
            try:
                lease = await self._journal.acquire(self.holder, self._term)
                other = None if lease else await self._journal.lease()
            except JournalError as error:
                self.health.fail(str(error))
            else:
                if lease is not None:
                    await self._hold(lease)
                    continue
                self._follow(other)
            await asyncio.sleep(self._renew / 2)

    def _follow(self, lease: Lease | None) -> None:
        self.health.succeed("another worker polls")
        if lease is not None and lease.status:
            self._on_status(lease.status)

    async def _hold(self, lease: Lease) -> None:
        """Lead until another worker has the lease or the work ends."""
        self.lease = self._writer.lease = lease
        self._writer.lost.clear()
        self.health.counters["terms"] += 1
        self.health.succeed("this worker polls")
        leading = asyncio.ensure_future(self._lead(lease.status))
        lost = asyncio.ensure_future(self._writer.lost.wait())
        try:
            while not (leading.done() or lost.done()):
                await asyncio.wait({leading, lost}, timeout=self._renew, return_when=asyncio.FIRST_COMPLETED)
                if not await self._renewed():
                    break
        finally:
            try:
                await _end(leading, lost)
            finally:
                await self._writer.settle()
                self._writer.lease = None
                await self._release()

    async def _renewed(self) -> bool:
        """Return False when the term is over: another worker has the lease, or the journal went back in time.

        While the journal is unavailable the term goes on: each write checks the lease in its own transaction.
        """
        assert self.lease is not None
        try:
            self.lease = self._writer.lease = await self._journal.renew(self.lease, self._term, self._status())
        except LeaseLost:
            self.health.fail("another worker took over")
            return False
        except JournalReverted as error:
            self.health.fail(str(error))
            return False
        except JournalError as error:
            self.health.fail(str(error))
        else:
            self.health.succeed("this worker polls")
        return True

    async def _release(self) -> None:
        lease, self.lease = self.lease, None
        if lease is not None:
            try:
                await self._journal.release(lease)
            except JournalError as error:
                self.health.fail(f"the lease was not released; the next leader waits for its term: {error}")


async def _end(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel and wait. The work ends by itself with LeaseLost; any other error is raised."""
    await cancel_and_wait(*tasks)
    for task in tasks:
        result = None if task.cancelled() else task.exception()
        if isinstance(result, BaseExceptionGroup):
            _, result = result.split((LeaseLost, asyncio.CancelledError))
        if isinstance(result, BaseException) and not isinstance(result, LeaseLost | asyncio.CancelledError):
            raise result
