"""One open stream: when it is written at once, when it waits, and how it ends."""

import asyncio
import logging
from typing import Any

import pytest

from streams.chunk import Chunk
from streams.errors import ReaderStalled
from streams.send_queue import SendQueue
from streams.subscriber import Subscriber, Wants

CHUNK = Chunk(b"event: x\n\n", 1, last=5)


class Sink:
    """A send() that can be blocked or broken."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken = False

    async def send(self, message: Any) -> None:
        """As ASGI's."""
        await self.open.wait()
        if self.broken:
            raise OSError("broken")
        self.sent.append(message["body"])


@pytest.fixture
def sink() -> Sink:
    """An open one."""
    return Sink()


@pytest.fixture
def reader(sink: Sink) -> Subscriber:
    """Idle, with a direct way, two places in its inbox, and a tenth of a second to take a write."""
    one = Subscriber("test", Wants(True, False), "", 0.0, SendQueue(2, 1000), sink.send, 0.1)
    one.direct = one.step
    one.idle = True
    return one


async def test_an_idle_reader_is_written_at_once(reader: Subscriber, sink: Sink) -> None:
    """No queue, and the place is noted."""
    assert reader.offer(CHUNK)
    assert sink.sent == [CHUNK.body]
    assert reader.position == 5
    assert reader.inbox.empty()
    assert reader.idle


async def test_a_busy_reader_waits(reader: Subscriber, sink: Sink) -> None:
    """Its generator has something in hand: whatever comes goes behind it."""
    reader.idle = False
    assert not reader.offer(CHUNK)
    assert sink.sent == []
    assert reader.inbox.take() == [CHUNK]


async def test_a_write_that_waits_is_settled_before_what_follows(reader: Subscriber, sink: Sink) -> None:
    """The hub began it; the next chunk goes to the inbox; the generator finishes the first one first."""
    sink.open.clear()
    assert not reader.offer(CHUNK)
    assert not reader.offer(Chunk(b"second", 1))
    sink.open.set()
    assert await reader.settle() is CHUNK
    assert sink.sent == [CHUNK.body]
    assert reader.inbox.qsize() == 1
    assert await reader.settle() is None


async def test_a_write_that_hangs_is_a_stall(reader: Subscriber, sink: Sink) -> None:
    """After its limit the reader counts as slow, and whoever writes is told."""
    sink.open.clear()
    with pytest.raises(ReaderStalled):
        await reader.write({"body": b""})
    assert reader.ended == "slow"


async def test_the_first_reason_counts(reader: Subscriber) -> None:
    """What comes after it does not change why the stream ends; that the reader left is known beside."""
    reader.end("shutdown")
    reader.end("slow")
    reader.gone()
    assert (reader.ended, reader.left) == ("shutdown", True)
    assert not reader.offer(CHUNK)
    assert reader.inbox.empty()


async def test_a_broken_connection_ends_its_reader_alone(
    reader: Subscriber, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    """The hub does not hear of it: offer never raises."""
    sink.broken = True
    with caplog.at_level(logging.WARNING):
        assert not reader.offer(CHUNK)
    assert reader.left
    assert "its connection broke" in caplog.text


async def test_closing_drops_what_waits(reader: Subscriber, sink: Sink) -> None:
    """The begun write too."""
    sink.open.clear()
    reader.offer(CHUNK)
    reader.offer(CHUNK)
    reader.close()
    assert reader.inbox.empty()
    assert await reader.settle() is None
    assert not reader.idle
