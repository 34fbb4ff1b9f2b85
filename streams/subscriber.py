"""The server's side of one open stream: its place, its send queue, and how a chunk reaches its connection."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from logging import getLogger
from typing import Any, Final, Literal

from streams.event import Chunk

log = getLogger(__name__)

Message = MutableMapping[str, Any]
AsgiSend = Callable[[Message], Coroutine[Any, Any, None]]
# Why a stream ends. gone: its reader has left; away: the journal cannot be read; the others are sent in a `bye`.
End = Literal["shutdown", "slow", "age", "full", "away", "gone"]

# Python 3.12 and newer run a new task at once up to its first wait.
EAGER_TASKS: Final = sys.version_info >= (3, 12)
# Seconds that a write which waits gets when its stream must end: a process that stops cannot wait for one reader.
STOP_GRACE: Final = 0.2
SLOW_GRACE: Final = 2.0


def start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Return a task of a coroutine, which has run up to its first wait where Python can do that."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.create_task(coroutine)


class ReaderStalled(Exception):
    """A reader's connection accepts no bytes for too long; its stream ends without a bye."""


@dataclass(frozen=True, slots=True)
class Wants:
    """Contents of a stream: journal entries, bot_status, or both."""

    entries: bool
    status: bool


@dataclass(slots=True)
class SendQueue:
    """An asyncio.Queue bounded in events and in bytes, emptied in one go: what a connection could not take yet.

    The queue is made when the first chunk waits and dropped when none does: most readers never need one, and an
    asyncio.Queue takes 3 KB.
    """

    max_events: int
    max_bytes: int
    _events: int = 0
    _bytes: int = 0
    _queue: asyncio.Queue[Chunk] | None = None

    def __len__(self) -> int:
        """Return the number of events in the queue."""
        return self._events

    def put_nowait(self, chunk: Chunk) -> None:
        """Append a chunk. One chunk alone always fits, however large. Raises asyncio.QueueFull."""
        events, size = self._events + chunk.events, self._bytes + len(chunk.body)
        if self._queue is None:
            self._queue = asyncio.Queue(self.max_events)
        elif events > self.max_events or size > self.max_bytes:
            raise asyncio.QueueFull
        self._queue.put_nowait(chunk)
        self._events, self._bytes = events, size

    def take_all(self) -> list[Chunk]:
        """Remove and return everything that waits, in order; an empty list when nothing does."""
        queue, self._queue, self._events, self._bytes = self._queue, None, 0, 0
        return [] if queue is None else [queue.get_nowait() for _ in range(queue.qsize())]


@dataclass(slots=True, eq=False)
class Subscriber:
    """Receives chunks from the hub in order and sends each at once if its reader is idle, else through its queue.

    idle keeps the order: it is True only while the stream's generator waits, its queue is empty and no delivery
    runs, so that bytes sent then are the next ones.
    """

    name: str
    wants: Wants
    network: str  # of the client: /24 or /48
    since: float  # by the hub's clock
    queue: SendQueue
    send: AsgiSend
    stall: float  # seconds that one write may take
    eager: bool = EAGER_TASKS
    position: int | None = None  # seq of the last cursor put on this connection
    last_id: str | None = None  # that cursor
    status_number: int = 0  # number of the last bot_status put on this connection
    idle: bool = False
    ended: End | None = None  # why the stream ends, once it must
    left: bool = False  # the connection is closed
    _delivery: tuple[asyncio.Task[None], Chunk] | None = None  # it waits for the connection
    _limit: asyncio.Timeout | None = None  # of the write that waits now
    _waiter: asyncio.Future[None] | None = None  # the generator's
    _woken: bool = False

    def offer(self, chunk: Chunk) -> bool:
        """Take the next chunk. Return True if it is sent, False if it waits or the stream has ended. Never raises."""
        if self.idle and self.eager:
            return self._deliver(chunk)
        self.idle = False
        if self.ended is None:
            try:
                self.queue.put_nowait(chunk)
            except asyncio.QueueFull:
                self.queue.take_all()  # free the memory now; the reader has its cursor
                self.end("slow")
        self.wake()
        return False

    def _deliver(self, chunk: Chunk) -> bool:
        """Send in a task that starts at once: it costs no turn of the loop unless the connection is full."""
        self._place(chunk)
        task = start(self.send(chunk.message))
        if not task.done():
            self._delivery = task, chunk
            self.idle = False
            self.wake()
            return False
        if task.cancelled() or (error := task.exception()) is None:
            return True
        if not isinstance(error, OSError):  # an OSError says that the reader has left (ASGI 2.4)
            log.warning("stream %s: sending failed, the stream ends: %r", self.name, error)
        self.leave()
        return False

    def _place(self, chunk: Chunk) -> None:
        if chunk.last is not None:
            self.position, self.last_id = chunk.last, chunk.last_id

    def take_queued(self) -> list[Chunk]:
        """Remove and return the chunks that wait, and move the reader's place behind them."""
        chunks = self.queue.take_all()
        for chunk in chunks:
            self._place(chunk)
        return chunks

    def end(self, reason: End) -> None:
        """Let the stream end; the first reason counts. A write that waits gets a last short time."""
        if self.ended is None:
            self.ended = reason
        self.idle = False
        self.wake()
        if self._limit is not None and not self._limit.expired():
            until = asyncio.get_running_loop().time() + (SLOW_GRACE if reason == "slow" else STOP_GRACE)
            self._limit.reschedule(min(until, self._limit.when() or until))

    def leave(self) -> None:
        """Mark that the connection is closed: nothing more can be sent."""
        self.left = True
        self.end("gone")

    def wake(self, _: object = None) -> None:
        """End the generator's wait, or its next one when it does not wait now."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, seconds: float, idle: bool) -> None:
        """Wait until woken, at most so many seconds. idle: the hub may deliver meanwhile."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(seconds, self.wake)  # cheaper than asyncio.timeout
            self.idle = idle
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
                self.idle = False
        self._woken = False

    async def finish_delivery(self) -> Chunk | None:
        """Wait for the delivery that the connection holds up, if any, and return its chunk. Raises ReaderStalled."""
        if self._delivery is None:
            return None
        task, chunk = self._delivery
        self._delivery = None
        await self._within_limit(task)
        return chunk

    async def write(self, message: Message) -> None:
        """Send one ASGI message. Raises ReaderStalled when the connection does not take it in time."""
        task = start(self.send(message))
        await (task if task.done() else self._within_limit(task))

    async def _within_limit(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(STOP_GRACE if self.ended else self.stall) as self._limit:
                await sending
        except TimeoutError:
            self.end("slow")
            raise ReaderStalled from None
        finally:
            self._limit = None

    def close(self) -> None:
        """Drop everything that waits."""
        self.idle = False
        self.queue.take_all()
        if self._delivery is not None:
            self._delivery[0].cancel()
            self._delivery = None
