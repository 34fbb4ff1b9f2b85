"""Holding the lease over a real journal that goes away, comes back, and is taken by another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever
from cluster.leader import JournalWriter, LeaderElection
from journal import archive
from journal.lease import Lease
from journal.sqlite import SqliteJournal
from tests.support.eventually import eventually


class Worker:
    """A keeper at work. duty: what it does while it holds the lease."""

    def __init__(self, journal: SqliteJournal, duty: Callable[[], Awaitable[None]], **pace: float) -> None:
        self.health, self.began, self.ended = ComponentHealth("lease"), 0, 0
        self._duty = duty
        recorder = JournalWriter(journal, lambda entries: None, ComponentHealth("recorder"))
        self.keeper = LeaderElection(
            journal, recorder, "me", self._duties, lambda: "", lambda text: None, self.health, **{"renew": 0.04} | pace
        )

    async def _duties(self, left_behind: str) -> None:
        self.began += 1
        try:
            await self._duty()
        finally:
            self.ended += 1


async def for_ever() -> None:
    """A duty without a mistake."""
    await asyncio.Event().wait()


def away(path: Path) -> None:
    """The journal's file is gone."""
    path.rename(path.with_suffix(".away"))


def back(path: Path) -> None:
    """It is there again."""
    path.with_suffix(".away").rename(path)


@contextlib.asynccontextmanager
async def leading(worker: Worker) -> AsyncIterator[None]:
    """Run a worker that has begun its term, until the block ends."""
    task = asyncio.create_task(worker.keeper.run())
    try:
        await eventually(lambda: worker.began)
        yield
    finally:
        await cancel_and_wait(task)


async def renew_epoch(path: Path) -> None:
    """Give the journal a new epoch, as another process does."""
    other = SqliteJournal(path)
    await other.open()
    await archive.renew_epoch(other)
    await other.close()


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    """An open one."""
    found = SqliteJournal(path)
    await found.open()
    yield found
    await found.close()


async def test_a_journal_that_is_away_is_waited_for(path: Path, journal: SqliteJournal) -> None:
    """No term begins without the lease; health has the reason, and the term begins once the file is back."""
    worker = Worker(journal, for_ever)
    away(path)
    task = asyncio.create_task(worker.keeper.run())
    await eventually(lambda: worker.health.counters["failures"] > 2)
    assert "was moved or deleted" in worker.health.reason
    assert worker.began == 0
    back(path)
    await eventually(lambda: worker.began)
    assert worker.health.state == "ok"
    await cancel_and_wait(task)
    assert await journal.acquire("another", 6) is not None, "it was not given back"


async def test_a_holder_goes_on_while_the_journal_is_away(path: Path, journal: SqliteJournal) -> None:
    """The work of the leader continues through an outage of the journal, in the same term."""
    worker = Worker(journal, for_ever)
    async with leading(worker):
        away(path)
        await eventually(lambda: worker.health.counters["failures"] > 2)
        assert worker.health.state == "degraded"
        back(path)
        await eventually(lambda: worker.health.state == "ok")
        assert (worker.began, worker.ended) == (1, 0)


async def test_a_lease_that_cannot_be_released_is_logged(path: Path, journal: SqliteJournal) -> None:
    """The stop does not wait for it; the next leader waits for the term."""
    worker = Worker(journal, for_ever)
    async with leading(worker):
        away(path)
    assert "the lease was not released; the next leader waits for its term" in worker.health.reason
    back(path)
    assert await journal.acquire("another", 6) is None


async def test_a_term_ends_when_another_worker_took_over(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    """A holder that was too slow finds out at its next renewal, without a failed write, and follows."""
    worker = Worker(journal, for_ever, term=0.05, renew=0.4)
    async with leading(worker):
        await eventually(lambda: journal.acquire("another", 60))
        assert worker.ended == 0
        await eventually(lambda: worker.ended)
        assert "no longer by me" in caplog.text
        await eventually(lambda: worker.health.reason == "another worker polls")
        assert worker.began == 1


async def test_a_term_ends_when_the_journal_went_back_in_time(path: Path, journal: SqliteJournal) -> None:
    """The renewal finds it, without a write; once the journal is accepted a new term begins, and never before."""
    worker = Worker(journal, for_ever, renew=0.05)
    async with leading(worker):
        await renew_epoch(path)
        await eventually(lambda: worker.ended)
        await eventually(lambda: worker.health.counters["failures"] > 2)
        assert "a new epoch" in worker.health.reason
        assert worker.began == 1
        await journal.recover()
        await eventually(lambda: worker.began == 2)


async def test_a_term_ends_also_when_the_journal_was_accepted_before_the_renewal(
    path: Path, journal: SqliteJournal
) -> None:
    """A read on this worker may accept the journal's new state first; the leader's marks are of the old one."""
    worker = Worker(journal, for_ever, renew=0.2)
    async with leading(worker):
        await renew_epoch(path)
        await journal.recover()
        await eventually(lambda: worker.began == 2)
        assert worker.ended == 1


async def test_a_mistake_in_the_duties_is_seen_and_they_begin_anew(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not taken for a lost lease, and while it is being mended another worker may have the lease."""
    mistakes = [ZeroDivisionError("a mistake")]

    async def duty() -> None:
        if mistakes:
            raise mistakes.pop()
        await for_ever()

    worker = Worker(journal, duty)
    task = asyncio.create_task(run_forever(worker.keeper.run, worker.health, restart_delay=0.3))
    await eventually(lambda: worker.health.reason == "unexpected ZeroDivisionError")
    other = await journal.acquire("another", 6)
    assert other is not None, "the one that broke still holds the lease"
    await journal.release(other)
    await eventually(lambda: worker.began == 2)
    assert "a mistake" in caplog.text
    await cancel_and_wait(task)


async def test_a_follower_passes_on_what_the_leader_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status that is not empty, twice in each interval of the renewals; no lease at all is no status."""
    pauses: list[float] = []
    statuses: list[str] = []
    leases = [Lease("other", 1, 0.0, status="online"), Lease("other", 1, 0.0, status=""), None]

    class Followed:
        async def acquire(self, holder: str, term: float) -> None:
            assert (holder, term) == ("me", 6.0)

        async def lease(self) -> Lease | None:
            return leases.pop(0)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if not leases:
            raise asyncio.CancelledError

    async def lead(status: str) -> None:
        raise AssertionError

    monkeypatch.setattr("asyncio.sleep", pause)
    journal: Any = Followed()
    health = ComponentHealth("lease")
    writer = JournalWriter(journal, lambda entries: None, ComponentHealth("recorder"))
    election = LeaderElection(journal, writer, "me", lead, lambda: "", statuses.append, health)
    with pytest.raises(asyncio.CancelledError):
        await election.run()
    assert statuses == ["online"]
    assert pauses == [1.0, 1.0, 1.0]
    assert (health.state, health.reason) == ("ok", "another worker polls")


async def test_a_leader_stores_its_status_and_counts_its_terms(journal: SqliteJournal) -> None:
    """Each renewal carries the status; a term that ends by itself is followed by another one, with what was stored."""
    left: list[str] = []
    go_on = asyncio.Event()

    async def lead(status: str) -> None:
        left.append(status)
        await go_on.wait()

    health = ComponentHealth("lease")
    writer = JournalWriter(journal, lambda entries: None, ComponentHealth("recorder"))
    election = LeaderElection(journal, writer, "me", lead, lambda: "stored", print, health, renew=0.02)
    task = asyncio.create_task(election.run())

    async def stored() -> bool:
        lease = await journal.lease()
        return lease is not None and lease.status == "stored"

    await eventually(stored)
    assert (health.state, health.reason, health.counters["terms"]) == ("ok", "this worker polls", 1)
    assert writer.lease is not None
    go_on.set()
    await eventually(lambda: len(left) >= 2)
    await cancel_and_wait(task)
    assert left[:2] == ["", "stored"]
    assert health.counters["terms"] == len(left)
    assert writer.lease is None
