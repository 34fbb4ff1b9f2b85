"""The queue of one reader: chunks that its connection could not take yet."""

import asyncio

from streams.event import Chunk


class SendQueue:
    """An asyncio.Queue bounded in events and in bytes, and emptied in one go.

    The queue is made when the first chunk waits and dropped when none does: most readers never need one, and an
    asyncio.Queue takes 3 KB.
    """

    __slots__ = ("_bytes", "_events", "_max_bytes", "_max_events", "_queue")

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events = 0
        self._bytes = 0
        self._queue: asyncio.Queue[Chunk] | None = None

    def __len__(self) -> int:
        """Return the number of events that wait."""
        return self._events

    def put_nowait(self, chunk: Chunk) -> None:
        """Append a chunk. One chunk alone always fits, however large. Raises asyncio.QueueFull."""
        events, size = self._events + chunk.events, self._bytes + len(chunk.body)
        if self._queue is None:
            self._queue = asyncio.Queue(self._max_events)
        elif events > self._max_events or size > self._max_bytes:
            raise asyncio.QueueFull
        self._queue.put_nowait(chunk)
        self._events, self._bytes = events, size

    def take_all(self) -> list[Chunk]:
        """Remove and return everything that waits, in order; an empty list when nothing does."""
        queue, self._queue, self._events, self._bytes = self._queue, None, 0, 0
        return [] if queue is None else [queue.get_nowait() for _ in range(queue.qsize())]
