"""A reader's queue: its bounds, its order, what wakes its taker."""

import asyncio

import pytest

from streams.chunk import Chunk
from streams.send_queue import SendQueue


def chunk(text: str, size: int = 1) -> Chunk:
    """A piece of so many bytes."""
    return Chunk(text.encode() * size, 1)


def test_bounded_in_pieces() -> None:
    """The third of two is refused and the two stay."""
    inbox = SendQueue(2, 1000)
    inbox.put_nowait(chunk("a"))
    inbox.put_nowait(chunk("b"))
    with pytest.raises(asyncio.QueueFull):
        inbox.put_nowait(chunk("c"))
    assert [one.body for one in inbox.take()] == [b"a", b"b"]


def test_bounded_in_bytes_but_one_always_fits() -> None:
    """A large piece alone is taken; nothing joins it."""
    inbox = SendQueue(100, 10)
    inbox.put_nowait(chunk("a", 50))
    with pytest.raises(asyncio.QueueFull):
        inbox.put_nowait(chunk("b"))
    assert inbox.qsize() == 1
    inbox.take()
    assert inbox.empty()
    inbox.put_nowait(chunk("b", 10))


async def test_it_is_a_queue() -> None:
    """get() gives one after the other and waits for what is not there yet."""
    inbox = SendQueue(10, 1000)
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait(chunk("a"))
    inbox.put_nowait(chunk("b"))
    assert (await waiting).body == b"a"
    assert (await inbox.get()).body == b"b"


@pytest.mark.parametrize("cause", ["put", "wake", "time"])
async def test_what_ends_a_wait(cause: str) -> None:
    """Something put, somebody's wake, or the time; no timer is left."""
    inbox = SendQueue(10, 1000)
    waiting = asyncio.create_task(inbox.wait(0.01 if cause == "time" else 60))
    await asyncio.sleep(0)
    if cause == "put":
        inbox.put_nowait(chunk("a"))
    elif cause == "wake":
        inbox.wake()
    await asyncio.wait_for(waiting, 1)


async def test_a_wake_before_the_wait_is_not_lost() -> None:
    """It ends the next wait at once, and only that one."""
    inbox = SendQueue(10, 1000)
    inbox.wake()
    await asyncio.wait_for(inbox.wait(60), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.wait(60), 0.01)
