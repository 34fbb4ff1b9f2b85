"""Entries in order, each once; what is missing is read from the journal, and another history begins anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import cast

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.journal_tailer import REVERTED_FOR, JournalTailer
from journal.base import Journal
from journal.entries import Entry, Head
from journal.errors import JournalReverted, JournalUnavailable
from tests.support.clock import Clock
from tests.support.eventually import eventually


def entry(seq: int) -> Entry:
    """Return one place in the journal."""
    return Entry(seq, "trade", Decimal(seq), "T", "bot_live", str(seq))


class ScriptedJournal:
    """As much of a journal as a tailer reads."""

    def __init__(self) -> None:
        self.head = 0
        self.reads = 0
        self.error: Exception | None = None
        self.recovers = True

    async def follow(self, after: int, limit: int) -> list[Entry]:
        """Entries after a seq."""
        self.reads += 1
        assert limit == 500
        if self.error is not None:
            raise self.error
        return [entry(seq) for seq in range(after + 1, min(self.head, after + limit) + 1)]

    async def recover(self) -> Head:
        """Accept the journal."""
        if not self.recovers:
            raise JournalUnavailable("not now")
        self.error = None
        return Head("new", self.head)


class Tailed:
    """A tailer on a scripted journal, and what its listeners received."""

    def __init__(self, interval: float = 60.0) -> None:
        self.journal = ScriptedJournal()
        self.received: list[int] = []
        self.heads: list[Head] = []
        self.clock = Clock()
        self.tailer = JournalTailer(
            cast(Journal, self.journal),
            0,
            ComponentHealth("feed"),
            lambda: interval,
            self.heads.append,
            lambda: self.clock.now,
        )
        self.tailer.listen(lambda entries: self.received.extend(each.seq for each in entries))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the tailer run."""
        task = asyncio.create_task(self.tailer.run())
        try:
            yield
        finally:
            await cancel_and_wait(task)


def test_entries_that_join_are_passed_on_at_once() -> None:
    """Without a loop; what is known is dropped, what does not join waits for the journal."""
    it = Tailed()
    it.tailer.offer([entry(1), entry(2)])
    it.tailer.offer([entry(2), entry(3)])
    it.tailer.offer([entry(5)])
    it.tailer.offer([entry(1)])
    it.tailer.offer([])
    assert it.received == [1, 2, 3]


async def test_missing_entries_are_read_from_the_journal() -> None:
    """At once, in pages; meanwhile offers go on."""
    it = Tailed()
    async with it.running():
        it.journal.head = 1203
        it.tailer.offer([entry(1203)])
        await eventually(lambda: len(it.received) == 1203)
        it.tailer.offer([entry(1204)])
        assert it.received == list(range(1, 1205))
        assert it.journal.reads <= 4
        assert it.tailer.health.counters["tailed"] == 1203


async def test_an_announcement_causes_a_read_of_the_journal() -> None:
    """For any announcement the entries come from the journal; one that is known causes no read."""
    it = Tailed()
    async with it.running():
        it.journal.head = 3
        it.tailer.announce(9)
        await eventually(lambda: it.received == [1, 2, 3])
        reads = it.journal.reads
        it.tailer.announce(3)
        await asyncio.sleep(0)
        assert it.journal.reads == reads


async def test_the_journal_is_followed_and_an_outage_survived() -> None:
    """Without announcements the journal is read after each interval; while it is unavailable health shows it."""
    it = Tailed(interval=0.02)
    async with it.running():
        it.journal.head = 2
        await eventually(lambda: it.received == [1, 2])
        it.journal.error = JournalUnavailable("away")
        await eventually(lambda: it.tailer.health.state == "degraded")
        it.journal.error, it.journal.head = None, 3
        await eventually(lambda: it.received == [1, 2, 3])
        await eventually(lambda: it.tailer.health.state == "ok")


@pytest.mark.parametrize("lost", [True, False])
async def test_another_history_begins_at_its_head(lost: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Listeners continue after the new head. Health shows for an hour that entries were lost, but no new epoch."""
    it = Tailed(interval=0.02)
    async with it.running():
        it.journal.head = 5
        await eventually(lambda: it.received == [1, 2, 3, 4, 5])
        it.journal.head, it.journal.error = 3, JournalReverted("an older backup", lost=lost)
        await eventually(lambda: it.heads == [Head("new", 3)])
        it.journal.head = 4
        await eventually(lambda: it.received[5:] == [4])
        reads = it.journal.reads
        await eventually(lambda: it.journal.reads > reads + 2)
        assert it.tailer.health.state == ("degraded" if lost else "ok")
        assert it.tailer.health.counters["resets"] == 1
        assert "an older backup (head now new-3-)" in caplog.text
        it.clock.now += REVERTED_FOR
        await eventually(lambda: it.tailer.health.state == "ok")


async def test_a_recovery_that_fails_is_tried_again() -> None:
    """Until the journal accepts it the listeners receive nothing."""
    it = Tailed(interval=0.02)
    it.journal.recovers, it.journal.error = False, JournalReverted("replaced", lost=True)
    async with it.running():
        await eventually(lambda: it.tailer.health.reason == "not now")
        assert it.heads == []
        it.journal.recovers = True
        await eventually(lambda: it.heads == [Head("new", 0)])


async def test_pages_are_read_until_one_is_not_full() -> None:
    """A full page may have others behind it; a shorter one is the last, and no read follows it at once."""
    it = Tailed()
    async with it.running():
        for head, reads in ((499, 1), (999, 3), (1000, 4)):
            it.journal.head = head
            it.tailer.announce(head)
            await eventually(lambda: it.tailer.position == it.journal.head)
            await asyncio.sleep(0)
            assert it.journal.reads == reads
    assert it.tailer.health.counters == {"tailed": 1000}


async def test_offered_entries_are_not_counted_as_read() -> None:
    """Those of this worker's own writer, and those that a page repeats."""
    it = Tailed()
    async with it.running():
        it.tailer.offer([entry(1), entry(2)])
        it.journal.head = 3
        it.tailer.announce(3)
        await eventually(lambda: it.received == [1, 2, 3])
        assert it.tailer.health.counters["tailed"] == 1


async def test_health_of_a_journal_that_lost_entries_stays_for_an_hour() -> None:
    """Not a moment longer, and later reads do not begin the hour again."""
    it = Tailed(interval=0.01)
    it.journal.error = JournalReverted("an older backup", lost=True)
    async with it.running():
        await eventually(lambda: it.heads)
        it.clock.now += 3599
        reads = it.journal.reads
        await eventually(lambda: it.journal.reads > reads + 1)
        assert it.tailer.health.state == "degraded"
        it.clock.now += 1
        await eventually(lambda: it.tailer.health.state == "ok")
