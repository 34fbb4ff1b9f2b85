"""The queue of one reader: its bounds and its order."""

import asyncio

import pytest

from streams.event import Chunk
from streams.subscriber import SendQueue


def chunk(text: str, size: int = 1, events: int = 1) -> Chunk:
    """Return a chunk of so many bytes."""
    return Chunk(text.encode() * size, events)


def test_queue_is_bounded_in_events() -> None:
    """The third event of two is refused, and the two stay in order."""
    queue = SendQueue(2, 1000)
    queue.put_nowait(chunk("a"))
    queue.put_nowait(chunk("b"))
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(chunk("c"))
    assert len(queue) == 2
    assert [one.body for one in queue.take_all()] == [b"a", b"b"]


@pytest.mark.parametrize("large", [chunk("a", size=50), chunk("a", events=200)], ids=["bytes", "events"])
def test_one_large_chunk_always_fits(large: Chunk) -> None:
    """A chunk beyond a bound is taken alone; nothing joins it until it is removed."""
    queue = SendQueue(100, 10)
    queue.put_nowait(large)
    with pytest.raises(asyncio.QueueFull):
        queue.put_nowait(chunk("b"))
    assert queue.take_all() == [large]
    assert len(queue) == 0
    queue.put_nowait(chunk("b", 10))


def test_an_empty_queue_gives_nothing() -> None:
    """Before the first chunk and after the last one."""
    queue = SendQueue(1, 1)
    assert queue.take_all() == []
    queue.put_nowait(chunk("a"))
    queue.take_all()
    assert queue.take_all() == []


def test_an_emptied_queue_has_its_whole_room_again() -> None:
    """An emptied queue takes as many bytes and events as a new one."""
    queue = SendQueue(2, 10)
    for _ in range(2):
        for _ in range(2):
            queue.put_nowait(chunk("a", 5))
        queue.take_all()
        assert len(queue) == 0
