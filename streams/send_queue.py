"""A reader's queue: bounded in events and in bytes, emptied in one go, woken for other reasons too."""

import asyncio

from streams.chunk import Chunk


class SendQueue(asyncio.Queue[Chunk]):
    """An asyncio.Queue with one taker, who takes all that waits.

    It keeps one list and at most one future instead of the three deques and the Event that join() and waiting
    putters need: nobody here joins it, and putters never wait.
    """

    def __init__(self, maxsize: int, max_bytes: int) -> None:
        # super().__init__ would make what the docstring says we leave out: 3 of 20 KB per reader.
        self._maxsize = maxsize
        self._max_bytes = max_bytes
        self._queue: list[Chunk] = []
        self._bytes = 0
        self._woken = False
        self._taker: asyncio.Future[None] | None = None

    def put_nowait(self, item: Chunk) -> None:
        """Let it wait for the taker; raises QueueFull when too much waits already.

        One piece alone is never too much, however large it is.
        """
        if self._queue and (len(self._queue) >= self._maxsize or self._bytes + len(item.body) > self._max_bytes):
            raise asyncio.QueueFull
        self._queue.append(item)
        self._bytes += len(item.body)
        self.wake()

    def take(self) -> list[Chunk]:
        """All that waits, in order; an empty list when nothing does."""
        taken, self._queue, self._bytes = self._queue, [], 0
        return taken

    def wake(self) -> None:
        """End the taker's wait, or the next one when it is not waiting now."""
        self._woken = True
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until something waits, someone wakes us, or the time is over, whichever is first."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._taker = loop.create_future()
            # A timer that wakes us costs less than asyncio.timeout and cannot race with a cancellation.
            timer = loop.call_later(max(seconds, 0.0), self.wake)
            try:
                await self._taker
            finally:
                timer.cancel()
                self._taker = None
        self._woken = False

    async def get(self) -> Chunk:
        """The first that waits, as any queue gives it."""
        while not self._queue:
            await self.wait(3600)
        first = self._queue.pop(0)
        self._bytes -= len(first.body)
        return first
