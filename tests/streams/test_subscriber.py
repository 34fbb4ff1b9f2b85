"""One open stream: when it is sent to at once, when a chunk waits, and how it ends."""

import asyncio
import logging
from typing import Any

import pytest

from streams.event import Chunk
from streams.subscriber import EAGER_TASKS, ReaderStalled, SendQueue, Subscriber, Wants

CHUNK = Chunk(b"event: x\n\n", 1, last=5, last_id="e-5")
eager = pytest.mark.skipif(not EAGER_TASKS, reason="eager tasks need Python 3.12")


class Sink:
    """A send() that can be blocked or broken."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken: Exception | None = None

    async def send(self, message: Any) -> None:
        """Store the body once open."""
        await self.open.wait()
        if self.broken:
            raise self.broken
        self.sent.append(message["body"])


@pytest.fixture
def sink() -> Sink:
    """Return an open sink."""
    return Sink()


@pytest.fixture
def reader(sink: Sink) -> Subscriber:
    """Return an idle subscriber with two places in its queue and a tenth of a second for a write."""
    one = Subscriber("test", Wants(True, False), "local", 0.0, SendQueue(2, 1000), sink.send, 0.1)
    one.idle = True
    return one


def test_eager_tasks_are_used_where_python_has_them() -> None:
    """Deliveries are eager tasks from Python 3.12 on."""
    assert EAGER_TASKS is hasattr(asyncio, "eager_task_factory")


@eager
async def test_an_idle_reader_is_sent_to_at_once(reader: Subscriber, sink: Sink) -> None:
    """Nothing is queued, and the place is stored."""
    assert reader.offer(CHUNK)
    assert sink.sent == [CHUNK.body]
    assert (reader.position, reader.last_id) == (5, "e-5")
    assert len(reader.queue) == 0
    assert reader.idle


def test_a_new_reader_has_no_place(sink: Sink) -> None:
    """No cursor, no status and no end; its generator is not waiting yet, so nothing is sent past it."""
    one = Subscriber("test", Wants(True, True), "local", 0.0, SendQueue(2, 1000), sink.send, 0.1)
    assert (one.position, one.last_id, one.status_number, one.ended) == (None, None, 0, None)
    assert (one.idle, one.left) == (False, False)


async def test_a_busy_reader_waits(reader: Subscriber, sink: Sink) -> None:
    """While its generator has something in hand, a chunk goes behind it."""
    reader.idle = False
    assert not reader.offer(CHUNK)
    assert sink.sent == []
    assert reader.position is None
    assert reader.take_queued() == [CHUNK]
    assert reader.position == 5


async def test_without_eager_tasks_an_idle_reader_is_woken(sink: Sink) -> None:
    """The chunk goes through the queue, and the generator's wait ends."""
    reader = Subscriber("test", Wants(True, False), "local", 0.0, SendQueue(2, 1000), sink.send, 0.1, eager=False)
    waiting = asyncio.create_task(reader.wait(60, idle=True))
    await asyncio.sleep(0)
    assert not reader.offer(CHUNK)
    await asyncio.wait_for(waiting, 1)
    assert reader.take_queued() == [CHUNK]


@eager
async def test_a_delivery_that_waits_is_finished_before_what_follows(reader: Subscriber, sink: Sink) -> None:
    """The next chunk goes to the queue; the generator finishes the delivery first."""
    sink.open.clear()
    assert not reader.offer(CHUNK)
    assert not reader.offer(Chunk(b"second", 1))
    sink.open.set()
    assert await reader.finish_delivery() is CHUNK
    assert sink.sent == [CHUNK.body]
    assert len(reader.queue) == 1
    assert await reader.finish_delivery() is None


@eager
async def test_a_delivery_that_waits_wakes_the_generator(reader: Subscriber, sink: Sink) -> None:
    """It must finish the delivery; until then nothing else is sent at once."""
    waiting = asyncio.create_task(reader.wait(60, idle=True))
    await asyncio.sleep(0)
    sink.open.clear()
    assert reader.offer(CHUNK) is False
    assert not reader.idle
    await asyncio.wait_for(waiting, 10)
    assert (reader.position, len(reader.queue)) == (5, 0)
    sink.open.set()
    assert await reader.finish_delivery() is CHUNK


@eager
async def test_a_delivery_that_was_cancelled_ends_nothing(reader: Subscriber, sink: Sink) -> None:
    """A server that cancels a send has its reason; the stream goes on until the server says that the reader left."""
    sink.broken = asyncio.CancelledError()  # type: ignore[assignment]
    assert reader.offer(CHUNK)
    assert (reader.left, reader.ended) == (False, None)


@eager
async def test_a_delivery_that_hangs_is_a_stall(reader: Subscriber, sink: Sink) -> None:
    """After its limit the task is cancelled and the reader counts as slow."""
    sink.open.clear()
    reader.offer(CHUNK)
    with pytest.raises(ReaderStalled):
        await reader.finish_delivery()
    assert reader.ended == "slow"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_write_that_hangs_is_a_stall(reader: Subscriber, sink: Sink) -> None:
    """After its limit the reader counts as slow, and the writer gets an error."""
    sink.open.clear()
    with pytest.raises(ReaderStalled):
        await reader.write({"body": b""})
    assert reader.ended == "slow"


async def test_the_first_reason_counts(reader: Subscriber) -> None:
    """A later reason does not replace it; that the reader left is stored beside it."""
    reader.end("shutdown")
    reader.end("slow")
    reader.leave()
    assert (reader.ended, reader.left) == ("shutdown", True)
    assert not reader.offer(CHUNK)
    assert len(reader.queue) == 0


@eager
@pytest.mark.parametrize(("error", "logged"), [(OSError("gone"), False), (ValueError("odd"), True)])
async def test_a_broken_connection_ends_its_reader_alone(
    reader: Subscriber, sink: Sink, caplog: pytest.LogCaptureFixture, error: Exception, logged: bool
) -> None:
    """offer never raises; only an unexpected error is logged."""
    sink.broken = error
    sink.open = asyncio.Event()
    sink.open.set()
    with caplog.at_level(logging.WARNING):
        assert not reader.offer(CHUNK)
    assert reader.left
    assert ("sending failed" in caplog.text) is logged


@eager
async def test_closing_drops_what_waits(reader: Subscriber, sink: Sink) -> None:
    """The queue is emptied and the delivery cancelled."""
    sink.open.clear()
    reader.offer(CHUNK)
    reader.offer(CHUNK)
    reader.close()
    assert len(reader.queue) == 0
    assert await reader.finish_delivery() is None
    assert not reader.idle
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("cause", ["offer", "wake", "end", "time"])
async def test_causes_that_end_a_wait(reader: Subscriber, cause: str) -> None:
    """A queued chunk, a wake, an end, or the time."""
    reader.idle = False
    waiting = asyncio.create_task(reader.wait(0.01 if cause == "time" else 60, idle=False))
    await asyncio.sleep(0)
    if cause == "offer":
        reader.offer(CHUNK)
    elif cause == "wake":
        reader.wake()
    elif cause == "end":
        reader.end("age")
    await asyncio.wait_for(waiting, 1)


async def test_a_wake_before_the_wait_counts_once(reader: Subscriber) -> None:
    """It ends the next wait at once, and only that one."""
    reader.wake()
    await asyncio.wait_for(reader.wait(60, idle=True), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.wait(60, idle=True), 0.01)


async def test_a_write_to_a_reader_whose_stream_ends_gets_a_last_short_time(sink: Sink) -> None:
    """A fifth of a second, however long a write may take elsewhere."""
    one = Subscriber("test", Wants(True, False), "local", 0.0, SendQueue(2, 1000), sink.send, 3600.0)
    one.end("shutdown")
    sink.open.clear()
    with pytest.raises(ReaderStalled):
        await asyncio.wait_for(one.write({"body": b""}), 20)
