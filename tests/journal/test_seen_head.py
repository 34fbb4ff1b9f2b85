"""The last head that a handle has read or written, by which it notices a journal that went back in time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from journal.entries import Head
from journal.errors import JournalReverted
from journal.sqlite import SqliteJournal
from tests.support.drafts import trade


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    """A journal with one entry."""
    made = SqliteJournal(path)
    await made.open()
    await made.append([trade(trade_id="t1")])
    yield made
    await made.close()


async def test_an_older_reading_that_ends_later_takes_nothing_back(journal: SqliteJournal) -> None:
    """The head stays that of the append, so that the loss of its entry would be noticed."""
    read, release, view = asyncio.Event(), asyncio.Event(), journal.view

    async def held(steps: Any) -> Any:
        result = await view(steps)
        read.set()
        await release.wait()
        return result

    journal.view = held  # type: ignore[method-assign]
    following = asyncio.create_task(journal.follow(0, 10))
    await read.wait()
    await journal.append([trade(trade_id="t2", at=1)])
    release.set()
    assert len(await following) == 1
    assert journal.seen.seq == 2


async def test_what_another_handle_wrote_is_seen_with_the_next_reading(journal: SqliteJournal, path: Path) -> None:
    """The head moves to the end of the journal, with its checksum; a lost entry is an error from then on."""
    other = SqliteJournal(path)
    await other.open()
    done = await other.append([trade(trade_id="t2", at=1)])
    assert journal.seen.seq == 1
    await journal.follow(1, 10)
    assert (journal.seen.seq, journal.seen.checksum) == (2, done.entries[-1].checksum)
    await other.close()
    journal.seen = Head(journal.epoch, 3, "0" * 16)
    with pytest.raises(JournalReverted):
        await journal.follow(2, 10)
