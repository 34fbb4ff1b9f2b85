"""The server's side of one open stream: its place, its send queue, and how a chunk reaches its connection."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from dataclasses import dataclass
from logging import getLogger
from typing import Any, Final, Literal

from streams.errors import ReaderStalled
from streams.event import Chunk
from streams.send_queue import SendQueue

log = getLogger(__name__)

Message = MutableMapping[str, Any]
AsgiSend = Callable[[Message], Coroutine[Any, Any, None]]
# Why a stream ends. gone: its reader has left; away: the journal cannot be read; the others are told in a bye.
End = Literal["shutdown", "slow", "age", "full", "away", "gone"]

# Python 3.12 and newer run a new task at once up to its first wait.
EAGER_TASKS: Final = sys.version_info >= (3, 12)
# Seconds that a write which waits gets when its stream must end: a process that stops cannot wait for one reader.
STOP_GRACE: Final = 0.2
SLOW_GRACE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Wants:
    """Contents of a stream: journal entries, bot_status, or both."""

    entries: bool
    status: bool


class Subscriber:
    """Receives chunks from the hub in order and sends each at once if its reader is idle, else through its queue.

    idle keeps the order: it is True only while the stream's generator waits, its queue is empty and no delivery
    runs, so that bytes sent then are the next ones.
    """

    __slots__ = (
        "_delivery", "_eager", "_limit", "_send", "_stall", "_waiter", "_woken", "ended", "idle", "last_id", "left",
        "name", "network", "position", "queue", "since", "status_number", "wants",
    )  # fmt: skip

    def __init__(
        self, name: str, wants: Wants, network: str, since: float, queue: SendQueue, send: AsgiSend, stall: float,
        eager: bool = EAGER_TASKS,
    ) -> None:  # fmt: skip
        self.name = name
        self.wants = wants
        self.network = network  # of the client: /24 or /48
        self.since = since  # by the hub's clock
        self.queue = queue
        self.position: int | None = None  # seq of the last cursor put on this connection
        self.last_id: str | None = None  # that cursor
        self.status_number = 0  # number of the last bot_status put on this connection
        self.idle = False
        self.ended: End | None = None  # why the stream ends, once it must
        self.left = False  # the connection is closed
        self._send = send
        self._stall = stall  # seconds that one write may take
        self._eager = eager
        self._delivery: tuple[asyncio.Task[None], Chunk] | None = None  # it waits for the connection
        self._limit: asyncio.Timeout | None = None  # of the write that waits now
        self._waiter: asyncio.Future[None] | None = None  # the generator's
        self._woken = False

    def offer(self, chunk: Chunk) -> bool:
        """Take the next chunk. Return True if it is sent, False if it waits or the stream has ended. Never raises."""
        if self.idle and self._eager:
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
        task = _start(self._send(chunk.message))
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
        await self._within_limit(self._send(message))

    async def _within_limit(self, sending: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(STOP_GRACE if self.ended else self._stall) as self._limit:
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


def _start(sending: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Return a task that has run up to its first wait already where Python can do that."""
    if sys.version_info >= (3, 12):
        return asyncio.Task(sending, loop=asyncio.get_running_loop(), eager_start=True)
    return asyncio.create_task(sending)
