"""One open stream as the hub sees it: where it is, whether it keeps up, and what waits for it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from logging import getLogger
from typing import Any, Literal

from streams.chunk import Chunk
from streams.errors import ReaderStalled
from streams.send_queue import SendQueue
from streams.step import Message, Rest, begin

End = Literal["shutdown", "slow", "age", "full", "gone", "journal"]
Way = Literal["auto", "queue", "step", "write"]

log = getLogger(__name__)

AsgiSend = Callable[[Message], Coroutine[Any, Any, None]]

# Seconds that a reader which must end while a write hangs gets to take it; then the connection is cut. A process
# that stops cannot wait for one reader; one that was slow may hear why, if it is not dead.
STOP_GRACE = 0.2
SLOW_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class Wants:
    """What a stream carries: journal entries, bot_status, or both."""

    entries: bool
    status: bool


class Subscriber:
    """Takes chunks from the hub in order: at once when it is idle, else through its inbox.

    idle is the flag that keeps the order: it is true only while the stream's generator waits with nothing in
    its hands and nothing in the inbox, so that bytes written then are the next ones.
    """

    __slots__ = (
        "_begun", "_limit", "_send", "_stall", "direct", "ended", "host", "idle", "inbox", "left", "name", "position",
        "said", "since", "wants",
    )  # fmt: skip

    def __init__(
        self, name: str, wants: Wants, host: str, since: float, inbox: SendQueue, send: AsgiSend, stall: float
    ) -> None:
        self.name = name
        self.wants = wants
        self.host = host
        self.since = since  # by the hub's clock
        self.inbox = inbox
        self.position: int | None = None  # seq of the last cursor put on this connection
        self.said = 0  # number of the last bot_status put on this connection
        self.idle = False
        self.ended: End | None = None  # why the stream ends, once it must
        self.left = False  # the connection is gone
        self.direct: Callable[[Chunk], bool] | None = None  # writes past the queue; None: it cannot
        self._send = send
        self._stall = stall
        self._begun: tuple[Rest, Chunk] | None = None  # a write of the hub's that waits for the connection
        self._limit: asyncio.Timeout | None = None  # of the write that waits now

    def offer(self, chunk: Chunk) -> bool:
        """Take the next chunk. True when it is written, False when it waits (or the stream has ended). Never raises."""
        if self.idle and self.direct is not None:
            try:
                taken = self.direct(chunk)
            except Exception as error:  # noqa: BLE001  a connection that breaks, in whatever way, ends this reader alone
                log.warning("stream %s: its connection broke in a write: %r", self.name, error)
                self.gone()
                return False
            if taken:
                self.position = chunk.last or self.position
                return self._begun is None
        self.idle = False
        if self.ended is None:
            try:
                self.inbox.put_nowait(chunk)
            except asyncio.QueueFull:
                self.inbox.take()  # its memory comes back now; the reader has its cursor
                self.end("slow")
        return False

    def step(self, chunk: Chunk) -> bool:
        """A direct way by public ASGI alone: run send() up to its first wait; the generator does the rest.

        A reader that keeps up costs no queue, no future and no switch of tasks: 28 -> 14 us of CPU a delivery.
        """
        rest = begin(self._send(chunk.message))
        if rest is not None:
            self._begun = rest, chunk
            self.idle = False
            self.inbox.wake()
        return True

    def end(self, reason: End) -> None:
        """Let the stream end, for the first reason that is given; a write that hangs gets a last short while."""
        if self.ended is None:
            self.ended = reason
        self.idle = False
        self.inbox.wake()
        if self._limit is not None and not self._limit.expired():
            until = asyncio.get_running_loop().time() + (SLOW_GRACE if reason == "slow" else STOP_GRACE)
            self._limit.reschedule(min(until, self._limit.when() or until))

    def gone(self) -> None:
        """The reader has left: nothing more can be said to it."""
        self.left = True
        self.end("gone")

    async def settle(self) -> Chunk | None:
        """Finish the write that the hub began, if there is one, and give what it wrote; raises ReaderStalled."""
        if self._begun is None:
            return None
        rest, chunk = self._begun
        self._begun = None
        await self._finish(rest)
        return chunk

    async def write(self, message: Message) -> None:
        """Send one ASGI message; raises ReaderStalled when the connection does not take it in time."""
        rest = begin(self._send(message))
        if rest is not None:
            await self._finish(rest)

    async def rest(self, seconds: float) -> None:
        """Nothing in hand: the hub may write meanwhile. Ends when something waits, is said, or is due."""
        self.idle = True
        try:
            await self.inbox.wait(seconds)
        finally:
            self.idle = False

    async def lost(self) -> None:
        """After a cut: until the server has noticed, so that it does not take our end for a mistake."""
        deadline = asyncio.get_running_loop().time() + STOP_GRACE
        while not self.left and asyncio.get_running_loop().time() < deadline:
            await self.inbox.wait(STOP_GRACE)

    def close(self) -> None:
        """Drop all that still waits."""
        self.idle = False
        self.inbox.take()
        if self._begun is not None:
            self._begun[0].close()
            self._begun = None

    async def _finish(self, rest: Rest) -> None:
        try:
            async with asyncio.timeout(STOP_GRACE if self.ended else self._stall) as self._limit:
                await rest
        except TimeoutError as error:
            self.end("slow")
            raise ReaderStalled from error
        finally:
            self._limit = None
            rest.close()
