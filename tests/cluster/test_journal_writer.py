"""The one way into the journal: nothing without the lease, and no write cut in two."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cluster.component_health import ComponentHealth
from cluster.journal_writer import JournalWriter
from journal.entries import Entry
from journal.errors import LeaseLost
from journal.sqlite import SqliteJournal
from tests.support.drafts import trade


class Desk:
    """A recorder over a real journal, and what it announced."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal
        self.announced: list[Entry] = []
        self.recorder = JournalWriter(journal, self.announced.extend, ComponentHealth("recorder"))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """It is not the leader yet."""
    journal = SqliteJournal(tmp_path / "journal.db")
    await journal.open()
    yield Desk(journal)
    await journal.close()


async def test_without_the_lease_nothing_is_written(desk: Desk) -> None:
    """Another worker polls: what this one still had to say is not told either."""
    with pytest.raises(LeaseLost, match="is not the leader"):
        await desk.recorder.record([trade()])
    assert (await desk.journal.head(), desk.announced) == (0, [])


async def left_waiting(desk: Desk, folder: Path) -> sqlite3.Connection:
    """The other process, which holds the file that a write waits for whose caller was cancelled."""
    other = sqlite3.connect(folder / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    caller = asyncio.create_task(desk.recorder.record([trade()]))
    await asyncio.sleep(0.05)
    caller.cancel()
    await asyncio.wait([caller])
    assert caller.cancelled()
    return other


async def test_a_write_under_way_outlives_its_caller(desk: Desk, tmp_path: Path) -> None:
    """Cancelled while another process held the file: it is committed, announced, and waited for by who ends us."""
    desk.recorder.lease = await desk.journal.acquire("me", 30)
    other = await left_waiting(desk, tmp_path)
    settling = asyncio.create_task(desk.recorder.settle())
    await asyncio.sleep(0.05)
    assert not settling.done()
    other.execute("ROLLBACK")
    await settling
    other.close()
    assert [entry.seq for entry in desk.announced] == [1] == [entry.seq for entry in await desk.journal.read(0, 9)]
    await desk.recorder.settle()  # with nothing under way


async def test_what_fails_when_nobody_waits_is_not_forgotten(desk: Desk, tmp_path: Path) -> None:
    """Health has the reason, though its caller has gone; no warning of a lost exception (warnings are errors here)."""
    desk.recorder.lease = await desk.journal.acquire("me", 30)
    other = await left_waiting(desk, tmp_path)
    other.execute("UPDATE lease SET holder = 'another', token = token + 1")
    other.execute("COMMIT")
    other.close()
    await desk.recorder.settle()
    assert desk.recorder.lost.is_set()
    assert (await desk.journal.head(), desk.announced) == (0, [])
