"""The journal's door: turns, pages read ahead, and nothing left behind."""

import asyncio

import pytest

from journal.errors import JournalUnavailable
from streams.replay import Replay, Replays
from tests.support.eventually import eventually
from tests.support.pages import Pages, trades


async def page(replay: Replay, after: int) -> list[int]:
    """The seqs of the next page, waited for."""
    found: list[list[int]] = []

    def there() -> bool:
        entries = replay.page(after)
        if entries is not None:
            found.append([entry.seq for entry in entries])
        return entries is not None

    await eventually(there, every=0.001)
    return found[0]


async def test_pages_follow_one_another() -> None:
    """Each begins after the last; the end is an empty page."""
    replay = Replays(Pages(trades(1, 5)), page=2).start(0, lambda: None)  # type: ignore[arg-type]
    assert [await page(replay, after) for after in (0, 2, 4, 5)] == [[1, 2], [3, 4], [5], []]
    replay.close()


async def test_the_next_page_is_read_while_this_one_is_written() -> None:
    """A full page starts the next read; a short one does not."""
    pages = Pages(trades(1, 3))
    replay = Replays(pages, page=2).start(0, lambda: None)  # type: ignore[arg-type]
    await page(replay, 0)
    await eventually(lambda: pages.reads == 2)
    await page(replay, 2)
    await asyncio.sleep(0.01)
    assert pages.reads == 2
    replay.close()


async def test_a_page_read_ahead_for_another_place_is_not_given() -> None:
    """The reader may have been brought less than the page held."""
    replay = Replays(Pages(trades(1, 6)), page=3).start(0, lambda: None)  # type: ignore[arg-type]
    assert await page(replay, 0) == [1, 2, 3]
    assert await page(replay, 2) == [3, 4, 5]
    replay.close()


async def test_so_many_at_once_in_turn() -> None:
    """The third of two waits until one ends; who gives up waiting is passed over."""
    door = Replays(Pages(trades(1, 1)), at_once=2)  # type: ignore[arg-type]
    first, second, third, fourth = [door.start(0, lambda: None) for _ in range(4)]
    await page(first, 0)
    await asyncio.sleep(0.01)
    assert third.page(0) is None
    third.close()
    second.close()
    assert await page(fourth, 0) == [1]
    first.close()
    fourth.close()
    fourth.close()
    assert await page(door.start(0, lambda: None), 0) == [1]


async def test_wakes_its_reader_when_there_is_something() -> None:
    """Once the page, or the failure, is there."""
    pages, woken = Pages(trades(1, 1)), list[int]()
    replay = Replays(pages).start(0, lambda: woken.append(1))  # type: ignore[arg-type]
    await eventually(lambda: woken)
    assert replay.page(0)
    pages.fault = JournalUnavailable("gone")
    assert replay.page(1) is None
    await eventually(lambda: len(woken) == 2)
    with pytest.raises(JournalUnavailable):
        replay.page(1)
    replay.close()


async def test_closing_leaves_no_task() -> None:
    """In the middle of a read that hangs."""
    pages = Pages(trades(1, 1))
    pages.held = asyncio.Event()
    tasks = asyncio.all_tasks()
    replay = Replays(pages).start(0, lambda: None)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    replay.close()
    await eventually(lambda: asyncio.all_tasks() == tasks)
