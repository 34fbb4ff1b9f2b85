"""The queue of replays: turns, shared pages, failures."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from journal.errors import JournalDamaged, JournalUnavailable
from streams.event import Chunk
from streams.replay import PAGES_PER_TURN, ReplayQueue
from streams.stats import Stats
from tests.support.eventually import eventually
from tests.support.pages import EPOCH, Pages, trades


def queue(pages: Any, **options: Any) -> ReplayQueue:
    """Return a queue over these pages."""
    return ReplayQueue(pages, Stats(), **options)


def seqs(chunk: Chunk | None) -> list[int]:
    """Return the seqs in a chunk."""
    return [] if chunk is None else [int(part.split(b",")[0]) for part in chunk.body.split(b'"seq":')[1:]]


async def test_pages_follow_one_another_and_end_at_multiples() -> None:
    """The first page of a reader is shorter, so that the following ones are the same for all."""
    replays = queue(Pages(trades(1, 7)), page_size=3)
    assert [seqs(await replays.page(after, "a")) for after in (1, 3, 6, 7)] == [[2, 3], [4, 5, 6], [7], []]


async def test_a_chunk_names_its_last_place() -> None:
    """Its seq and its cursor."""
    chunk = await queue(Pages(trades(1, 3))).page(0, "a")
    assert chunk is not None
    assert (chunk.last, chunk.last_id) == (3, f"{EPOCH}-3")


async def test_full_pages_are_read_once() -> None:
    """Readers that return together share them; a short page is read again, for it may have grown."""
    pages = Pages(trades(1, 4))
    replays = queue(pages, page_size=3)
    for _ in range(5):
        assert seqs(await replays.page(0, "a")) == [1, 2, 3]
    assert pages.reads == 1
    assert [seqs(await replays.page(3, "a")) for _ in range(2)] == [[4], [4]]
    assert pages.reads == 3


async def test_readers_that_wait_for_one_page_share_its_read() -> None:
    """A hundred requests for a short page are two reads: one that ran already, and one for all later requests."""
    pages = Pages(trades(1, 4))
    pages.held = asyncio.Event()
    replays = queue(pages, concurrent=1)
    first = replays.page(0, "a")
    others = [replays.page(0, "a") for _ in range(100)]
    await eventually(lambda: pages.reads == 1)
    pages.held.set()
    assert [seqs(await each) for each in (first, *others)] == [[1, 2, 3, 4]] * 101
    assert pages.reads == 2


async def test_a_page_goes_to_a_few_readers_in_each_turn_of_the_loop() -> None:
    """Each of them writes 100 KB: a thousand in one turn would keep every other request waiting."""
    pages = Pages(trades(1, 4))
    pages.held = asyncio.Event()
    replays = queue(pages, page_size=4)
    waiting = [replays.page(0, "a") for _ in range(100)]
    pages.held.set()
    done = [0]
    while done[-1] < 100:
        await asyncio.sleep(0)
        done.append(sum(page.done() for page in waiting))
    assert max(later - earlier for earlier, later in pairwise(done)) == PAGES_PER_TURN


async def test_networks_take_turns() -> None:
    """The only request of one network is read after one of the hundred of another, not after all of them."""
    pages = Pages(trades(1, 300))
    pages.held = asyncio.Event()
    replays = queue(pages, concurrent=1, page_size=2)
    order: list[str] = []
    for number in range(100):
        replays.page(2 * number, "crowd").add_done_callback(lambda _: order.append("crowd"))
    replays.page(299, "honest").add_done_callback(lambda _: order.append("honest"))
    await eventually(lambda: pages.reads == 1)
    pages.held.set()
    await eventually(lambda: len(order) == 101)
    assert order.index("honest") <= 2


async def test_so_many_reads_run_at_once() -> None:
    """The others wait and are counted."""
    pages, stats = Pages(trades(1, 300)), Stats()
    pages.held = asyncio.Event()
    replays = ReplayQueue(pages, stats, concurrent=2, page_size=2)  # type: ignore[arg-type]
    waiting = [replays.page(2 * number, "a") for number in range(10)]
    await eventually(lambda: pages.reading == 2)
    assert (stats.replays_running, stats.replays_waiting) == (2, 8)
    pages.held.set()
    await asyncio.gather(*waiting)
    assert pages.most == 2
    await eventually(lambda: (stats.replays_running, stats.replays_waiting) == (0, 0))


async def test_a_page_without_waiting_readers_is_not_read() -> None:
    """A reader that left before its turn costs no read."""
    pages = Pages(trades(1, 300))
    pages.held = asyncio.Event()
    replays = queue(pages, concurrent=1, page_size=2)
    first, gone, last = (replays.page(after, "a") for after in (0, 2, 4))
    gone.cancel()
    pages.held.set()
    await asyncio.gather(first, last)
    assert pages.reads == 2


async def test_a_failed_read_fails_its_page_alone() -> None:
    """The next request reads again."""
    pages = Pages(trades(1, 3))
    replays = queue(pages)
    pages.fault = JournalUnavailable("gone")
    with pytest.raises(JournalUnavailable):
        await replays.page(0, "a")
    pages.fault = None
    assert seqs(await replays.page(0, "a")) == [1, 2, 3]


async def test_a_missing_entry_is_damage() -> None:
    """A page that does not follow its cursor is refused; the entries behind it are not shown in its place."""
    pages = Pages(trades(1, 9))
    del pages.entries[5]
    with pytest.raises(JournalDamaged, match="entry 1 "):
        await queue(pages).page(0, "a")


async def test_pages_by_default() -> None:
    """500 entries a page, four reads at once, and the newest 16 full pages are kept encoded."""
    pages = Pages(trades(1, 9100))
    pages.held = asyncio.Event()
    replays = queue(pages)
    first = [replays.page(500 * number, "a") for number in range(18)]
    await eventually(lambda: pages.reading == 4)
    pages.held.set()
    chunks = await asyncio.gather(*first)
    assert [chunk.last for chunk in chunks if chunk] == [500 * number for number in range(1, 19)]
    assert (pages.most, pages.reads) == (4, 18)
    for after in range(1000, 9000, 500):
        await replays.page(after, "a")
    assert pages.reads == 18
    await replays.page(500, "a")
    assert pages.reads == 19


async def test_one_entry_is_read_alone() -> None:
    """It is not taken from a page, and a page is not taken from it."""
    pages = Pages(trades(1, 9))
    replays = queue(pages, page_size=3)
    assert seqs(await replays.entry(3, "a")) == [3]
    assert seqs(await replays.page(2, "a")) == [3]
    assert seqs(await replays.page(0, "a")) == [1, 2, 3]
    assert seqs(await replays.entry(1, "a")) == [1]
    assert await replays.entry(10, "a") is None
    assert pages.reads == 5


async def test_a_read_without_waiting_readers_is_cancelled() -> None:
    """It ends when the last of them has left, not before; its place goes to the next page."""
    pages = Pages(trades(1, 300))
    pages.held = asyncio.Event()
    stats = Stats()
    replays = ReplayQueue(pages, stats, concurrent=1, page_size=2)  # type: ignore[arg-type]
    blocking = replays.page(100, "a")
    one, other, later = replays.page(0, "a"), replays.page(0, "b"), replays.page(2, "a")
    await eventually(lambda: pages.reads == 1)
    blocking.cancel()
    await eventually(lambda: pages.reads == 2)
    assert stats.replays_waiting == 1
    one.cancel()
    await asyncio.sleep(0)
    assert pages.reading == 1
    other.cancel()
    await eventually(lambda: pages.reads == 3)
    pages.held.set()
    assert seqs(await later) == [3, 4]
    await eventually(lambda: (stats.replays_running, stats.replays_waiting) == (0, 0))
