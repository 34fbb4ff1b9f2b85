"""The only way into the journal: nothing without the lease, and no write cut in two."""

import asyncio
import gc
import sqlite3
import weakref
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from cluster.component_health import ComponentHealth
from cluster.leader import JournalWriter
from journal import archive
from journal.entries import Entry
from journal.errors import JournalError, LeaseLost
from journal.sqlite import SqliteJournal
from tests.support.drafts import fill, gap, trade


class Writing:
    """A writer over a real journal, and what it announced."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal
        self.announced: list[Entry] = []
        self.writer = JournalWriter(journal, self.announced.extend, ComponentHealth("recorder"))


@pytest.fixture
async def writing(tmp_path: Path) -> AsyncIterator[Writing]:
    """It is not the leader yet."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    yield Writing(journal)
    await journal.close()


async def test_without_the_lease_nothing_is_written(writing: Writing) -> None:
    """Another worker is the leader: entries of this one are not announced either."""
    with pytest.raises(LeaseLost, match="is not the leader"):
        await writing.writer.record([trade()])
    assert (await writing.journal.head(), writing.announced) == (0, [])


async def left_waiting(writing: Writing, folder: Path) -> sqlite3.Connection:
    """The other process, which holds the file that a write waits for whose caller was cancelled."""
    other = sqlite3.connect(folder / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    caller = asyncio.create_task(writing.writer.record([trade()]))
    await asyncio.sleep(0.05)
    caller.cancel()
    await asyncio.wait([caller])
    assert caller.cancelled()
    return other


async def test_a_running_write_is_completed_after_its_caller_is_cancelled(writing: Writing, tmp_path: Path) -> None:
    """Cancelled while another process held the file: it is committed and announced, and the stop waits for it."""
    writing.writer.lease = await writing.journal.acquire("me", 30)
    other = await left_waiting(writing, tmp_path)
    settling = asyncio.create_task(writing.writer.settle())
    await asyncio.sleep(0.05)
    assert not settling.done()
    other.execute("ROLLBACK")
    await settling
    other.close()
    assert (
        [entry.seq for entry in writing.announced] == [1] == [entry.seq for entry in await writing.journal.read(0, 9)]
    )
    await writing.writer.settle()  # with nothing under way


async def test_a_failure_after_the_caller_left_is_in_health(writing: Writing, tmp_path: Path) -> None:
    """Health has the reason, though its caller has gone; no warning of a lost exception (warnings are errors here)."""
    writing.writer.lease = await writing.journal.acquire("me", 30)
    other = await left_waiting(writing, tmp_path)
    other.execute("UPDATE lease SET holder = 'another', token = token + 1")
    other.execute("COMMIT")
    other.close()
    await writing.writer.settle()
    assert writing.writer.lost.is_set()
    assert (await writing.journal.head(), writing.announced) == (0, [])


async def test_a_journal_that_went_back_in_time_ends_the_term(writing: Writing) -> None:
    """Nothing is written or announced; the next term begins with the marks of the journal."""
    writing.writer.lease = await writing.journal.acquire("me", 30)
    await writing.writer.record([trade()])
    writing.announced.clear()
    other = SqliteJournal(writing.journal.path)
    await other.open()
    await archive.renew_epoch(other)
    await other.close()
    with pytest.raises(LeaseLost, match="a new term must begin: the journal has a new epoch"):
        await writing.writer.record([trade(trade_id="t2")])
    assert writing.writer.lost.is_set()
    assert (await writing.journal.head(), writing.announced) == (1, [])


async def test_a_finished_write_leaves_nothing(writing: Writing) -> None:
    """Its task is dropped, however many follow; health counts commits, known drafts and entries of each kind."""
    writing.writer.lease = await writing.journal.acquire("me", 30)
    tasks: list[weakref.ref[object]] = []

    def announce(entries: Sequence[Entry]) -> None:
        tasks.append(weakref.ref(asyncio.current_task()))

    writing.writer.announce = announce
    await writing.writer.record([trade(), trade(trade_id="t2"), gap()], lambda: {"bot": "a"})
    done = await writing.writer.record([trade(), fill(at=2)])
    assert (done.entries, done.known, done.heuristic) == ([], 2, 1)
    await writing.writer.record([trade(trade_id="t3")])
    await writing.writer.settle()
    gc.collect()
    assert [task() for task in tasks] == [None, None]
    assert writing.writer.health.counters == {"commits": 3, "known": 2, "heuristic": 1, "trades": 3, "gaps": 1}
    assert writing.writer.health.state == "ok"
    assert await writing.journal.marks() == {"bot": "a"}


async def test_a_journal_that_cannot_be_written_degrades_the_writer(writing: Writing) -> None:
    """The lease is still held: the term goes on, and the next write that works is a success."""
    writing.writer.lease = await writing.journal.acquire("me", 30)
    away = writing.journal.path.with_suffix(".away")
    writing.journal.path.rename(away)
    with pytest.raises(JournalError, match="was moved or deleted"):
        await writing.writer.record([trade()])
    assert (writing.writer.health.state, writing.writer.lost.is_set()) == ("degraded", False)
    away.rename(writing.journal.path)
    await writing.writer.record([trade()])
    assert writing.writer.health.state == "ok"
