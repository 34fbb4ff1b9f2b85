"""The body of one stream, from the first event to the bye: an async generator of chunks."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from logging import getLogger
from typing import Final

from journal.errors import JournalDamaged, JournalError
from streams.event import Chunk, Cursor, Reason, bye, heartbeat, parse_cursor
from streams.hub import Hub
from streams.keepalive import Keepalive
from streams.replay import PageFuture, ReplayQueue
from streams.subscriber import End, Subscriber

log = getLogger(__name__)

RETRY: Final = 2.0  # seconds before a reader reconnects whose connection breaks, +-50 %
# The same by the reason of the end; a server that is full must not get the same readers back at once.
RETRY_AFTER: Final[dict[End, float]] = {"shutdown": 2.0, "slow": 2.0, "age": 1.0, "full": 20.0, "away": 5.0}
FIRST_EVENT_SECONDS: Final = 1.0  # that the first event waits for a cursor to be checked against the journal


@dataclass(slots=True, eq=False)
class StreamBody:
    """The events of one stream in order: an opening, what its reader missed, then the hub's chunks and keepalives."""

    hub: Hub
    replays: ReplayQueue
    reader: Subscriber
    keepalive: Keepalive
    cursor: str | None  # the text of the reader's cursor, None for none
    wall: Callable[[], float] = time.time
    _epoch: str = ""  # of the cursors put on this connection
    _live: bool = False  # joined: the hub brings what comes next
    _proof: PageFuture | None = None  # the entry of the reader's cursor, which the journal must have
    _page: PageFuture | None = None  # the next page of the replay

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Yield all chunks; return when the stream must end. Raises ReaderStalled for a delivery of the hub's."""
        hub, reader = self.hub, self.reader
        self._epoch = hub.epoch
        refused = hub.enter(reader)
        try:
            if refused:
                reader.end(refused)
                yield Chunk(bye(refused, RETRY_AFTER[refused]), 1)
                return
            if opening := await self._opening():
                yield opening
            while chunk := await self._next():
                yield chunk
            if not reader.left:
                yield self._farewell()
        finally:
            for future in (self._proof, self._page):
                _discard(future)
            hub.leave(reader)
            hub.stats.ends[reader.ended or "gone"] += 1

    async def _opening(self) -> Chunk | None:
        """Return the first event, with the bot's status behind it; None when the stream ends without one.

        A reader that lacks nothing is live before these bytes leave, so that it will lack nothing.
        """
        hub, reader = self.hub, self.reader
        reason = await self._refusal()
        if reader.ended:
            return None
        reader.status_number = hub.status_number  # it stands in the opening, so that joining does not send it again
        if reason:
            first = self._reset(reason, RETRY).body
        else:
            if not reader.wants.entries:
                self._join()
            elif self.cursor is None:
                reader.position, reader.last_id = hub.position, hub.head
                self._join("fresh")
            first = heartbeat(self.wall(), reader.last_id, reader.last_id, RETRY)
        if reader.wants.status and hub.status_frame is not None:
            return Chunk(first + hub.status_frame.body, 2)
        return Chunk(first, 1)

    async def _refusal(self) -> Reason | None:
        """Return why the reader's cursor cannot be honoured; None when it can, or when the journal takes too long."""
        if self.cursor is None or not self.reader.wants.entries:
            return None
        cursor = parse_cursor(self.cursor)
        if cursor is None:
            return "malformed"
        if cursor.epoch != self.hub.epoch or (cursor.check and not cursor.seq):  # before the first entry there is none
            return "epoch"
        self._resume(cursor)
        deadline = self.hub.clock() + FIRST_EVENT_SECONDS
        while self._proof is not None and not self.reader.ended and (left := deadline - self.hub.clock()) > 0:
            if self._proof.done():
                return self._checked()
            await self.reader.wait(left, idle=False)
        return None

    def _resume(self, cursor: Cursor) -> None:
        """Begin after a cursor of this epoch; read its entry from the journal where the hub cannot check it."""
        self.reader.position, self.reader.last_id = cursor.seq, self.cursor
        if cursor.seq == self.hub.position and self.cursor in (self.hub.head, f"{cursor.epoch}-{cursor.seq}"):
            self._join("current")
        elif cursor.seq and (cursor.check or cursor.seq > self.hub.position):
            # A cursor ahead of the hub may come from another worker that is faster.
            self._proof = self.replays.entry(cursor.seq, self.reader.network)
            self._proof.add_done_callback(self.reader.wake)

    def _checked(self) -> Reason | None:
        """Return why the journal refuses the reader's cursor. An unreadable journal ends the stream."""
        proof, self._proof = self._proof, None
        assert proof is not None
        try:
            entry = proof.result()
        except JournalError as error:
            self._give_up(error)
            return None
        reader = self.reader
        if entry is None:
            return "future" if (reader.position or 0) > self.hub.position else "epoch"
        if reader.last_id not in (entry.last_id, f"{self._epoch}-{entry.last}"):
            return "epoch"
        if entry.last is not None and entry.last >= self.hub.position:
            self._join("current")
        return None

    async def _next(self) -> Chunk | None:
        """Return the events that wait and are due as one chunk; None when the stream must end."""
        reader, hub = self.reader, self.hub
        while True:
            finished = await reader.finish_delivery()
            if finished is not None:
                hub.stats.record(finished, hub.clock())
            if reader.ended:
                return None
            parts = reader.take_queued() if self._live else self._replayed()
            if due := self._due():
                parts.append(due)
            if parts:
                return Chunk.joined(parts)
            if not reader.ended:
                await reader.wait(self.keepalive.seconds(hub.clock()), idle=self._live)

    def _replayed(self) -> list[Chunk]:
        """Return the next page of what the reader missed, or a reset; nothing while the journal reads."""
        if self._epoch != self.hub.epoch:
            return [self._reset("epoch")]
        if self._proof is not None:
            if not self._proof.done():
                return []
            if reason := self._checked():
                return [self._reset(reason)]
        if self._page is not None and self._page.done():
            return self._take_page(self._page)
        position = self.reader.position or 0
        if self._live or self.reader.ended:
            return []
        if position >= self.hub.position:
            self._join("replayed")
            return self.reader.take_queued()
        if self._page is None:
            self._page = self.replays.page(position, self.reader.network)
            self._page.add_done_callback(self.reader.wake)
        return []

    def _take_page(self, page: PageFuture) -> list[Chunk]:
        self._page = None
        try:
            chunk = page.result()
            if chunk is None:
                raise JournalDamaged(f"the journal ends at {self.reader.last_id}, before what was published")
        except JournalError as error:
            self._give_up(error)
            return []
        self.reader.position, self.reader.last_id = chunk.last, chunk.last_id
        return [chunk]

    def _give_up(self, error: JournalError) -> None:
        log.warning("a replay after %s ends, its reader may retry: %s", self.reader.last_id, error)
        self.hub.stats.resumes["failed"] += 1
        self.reader.end("away")

    def _due(self) -> Chunk | None:
        now = self.hub.clock()
        if now < self.keepalive.next:
            return None
        if self.keepalive.is_over(now):
            self.reader.end("age")
        due = self.keepalive.due(now, self.wall(), self.reader.last_id)
        return Chunk(due, due.count(b"event: ")) if due else None

    def _farewell(self) -> Chunk:
        """Return what still waits and a bye. While the journal cannot be read a heartbeat without an id goes first."""
        reader = self.reader
        reason = reader.ended or "shutdown"
        parts = reader.take_queued()
        if reason == "away":
            parts.append(Chunk(heartbeat(self.wall(), reader.last_id, None), 1))
        return Chunk.joined([*parts, Chunk(bye(reason, RETRY_AFTER[reason]), 1)])

    def _reset(self, reason: Reason, retry: float | None = None) -> Chunk:
        """Continue live from the head, and return the `reset` event."""
        self._epoch = self.hub.epoch
        _discard(self._page)
        self._page = None
        chunk = self.hub.reset_chunk(reason, retry)
        self.reader.position, self.reader.last_id = chunk.last, chunk.last_id
        self._join(f"reset_{reason}")
        return chunk

    def _join(self, outcome: str | None = None) -> None:
        self._live = True
        if outcome is not None:
            self.hub.stats.resumes[outcome] += 1
        self.hub.join(self.reader)


def _discard(future: PageFuture | None) -> None:
    """Cancel a page that is not needed any more; read its failure, so that asyncio does not report it."""
    if future is not None and not future.cancel() and not future.cancelled():
        future.exception()
