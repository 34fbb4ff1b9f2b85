"""What one reader is told, from the first byte to the bye: an async generator over its queue."""

import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from logging import getLogger
from typing import Final

from cache.decimal_json import dumps
from journal.entries import Entry
from journal.errors import JournalDamaged, JournalError
from streams import event
from streams.chunk import Chunk
from streams.cursor import Reason, read, refused
from streams.hub import Hub
from streams.keepalive import Keepalive, KeepaliveSettings
from streams.replay import Replay, Replays
from streams.subscriber import End, Subscriber

log = getLogger(__name__)

GREETING: Final = event.comment("Prediction Investor")
# Seconds before a reader comes back (+-50 %), by why its stream ended; a server that is full must not be stormed.
RETRY: Final[dict[End, float]] = {"shutdown": 2.0, "slow": 2.0, "age": 1.0, "full": 20.0, "journal": 5.0}
RETRY_AFTER_CUT: Final = 2.0


class StreamBody:
    """One connection's side of the conversation. asked is the cursor that the reader came with, None for none."""

    __slots__ = ("_asked", "_hub", "_live", "_reader", "_replay", "_replays", "_rhythm", "_wall")

    def __init__(
        self, hub: Hub, replays: Replays, reader: Subscriber, asked: str | None, pace: KeepaliveSettings,
        wall: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._hub = hub
        self._replays = replays
        self._reader = reader
        self._asked = asked
        self._rhythm = Keepalive(pace, hub.clock())
        self._wall = wall
        self._live = False  # joined: the hub brings what comes next
        self._replay: Replay | None = None

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """All of it, in order; ends when the stream must. Raises Stalled for a write that the hub began."""
        hub, reader = self._hub, self._reader
        if hub.closed or hub.full:
            reader.end("shutdown" if hub.closed else "full")
            hub.stats.ends[reader.ended or "full"] += 1
            yield self._farewell()
            return
        hub.enter(reader)
        try:
            yield self._opening()
            while not self._live and (chunk := await self._missed()):
                yield chunk
            while chunk := await self._next():
                yield chunk
            if not reader.left:
                yield self._farewell()
        finally:
            if self._replay is not None:
                self._replay.close()
            hub.leave(reader)
            hub.stats.ends[reader.ended or "gone"] += 1

    def _opening(self) -> Chunk:
        """The first bytes. A reader that lacks nothing is live before they leave, so that it will lack nothing."""
        hub, reader = self._hub, self._reader
        said = [event.retry(RETRY_AFTER_CUT), GREETING]
        reader.said = hub.said  # before joining, or the hub would bring it again
        if not reader.wants.entries:
            self._join()
        elif self._asked is None:
            reader.position = hub.position
            self._join("fresh")
            said.append(event.id_only(self._head() or ""))
        else:
            found = read(self._asked)
            reason = refused(found, hub.epoch, sys.maxsize)
            if reason or found is None:
                said.append(self._reset(reason or "malformed"))
            else:
                self._resume(found.seq)
        if reader.wants.status and hub.status_frame is not None:
            said.append(hub.status_frame.body)
        return Chunk(b"".join(said), len(said) - 2)

    def _resume(self, seq: int) -> None:
        self._reader.position = seq
        if seq == self._hub.position:
            self._join("current")
        else:
            # A cursor ahead of us may come from another worker that is faster: the journal knows whether it is
            # real, so the page begins one earlier and must hold it.
            ahead = seq > self._hub.position
            self._replay = self._replays.start(seq - 1 if ahead else seq, self._reader.inbox.wake)

    async def _missed(self) -> Chunk | None:
        """The next piece from the journal, or what is due while it reads; None when live or ended."""
        reader, hub = self._reader, self._hub
        while True:
            piece = self._replayed()
            if piece or self._live or reader.ended:
                return piece
            if due := self._due():
                return due
            await reader.inbox.wait(self._rhythm.seconds(hub.clock()))

    def _replayed(self) -> Chunk | None:
        """What the journal has read for us; None when that is nothing yet, or all of it: then we are live or ended."""
        reader, hub, position = self._reader, self._hub, self._reader.position or 0
        if reader.ended or self._replay is None:
            return None
        if position == hub.position:
            self._join("replayed")
            return None
        ahead = position > hub.position
        try:
            page = self._replay.page(position - 1 if ahead else position)
            if page is None:
                return None
            return self._proof(page) if ahead else self._page(page, position)
        except JournalError as error:
            log.warning("a replay after %s ended: %s", self._head(), error)
            hub.stats.resumes["failed"] += 1
            reader.end("journal")
            return None

    def _proof(self, page: Sequence[Entry]) -> Chunk | None:
        """Whether the journal has the entry that a cursor ahead of the hub names; then the hub will come to it."""
        if page and page[0].seq == self._reader.position:
            self._join("current")
            return None
        return Chunk(self._reset("future"), 1)

    def _page(self, page: Sequence[Entry], after: int) -> Chunk:
        """A page as events, up to the hub's position: what lies beyond, the hub will bring."""
        entries = page[: self._hub.position - after]
        if not entries or entries[0].seq != after + 1 or entries[-1].seq != after + len(entries):
            raise JournalDamaged(f"entry {after + 1} was told once and is not in the journal now; check the journal")
        self._reader.position = entries[-1].seq
        frames = event.entry_frames(entries, self._hub.epoch)
        return Chunk(b"".join(frames), len(frames), entries[-1].seq)

    async def _next(self) -> Chunk | None:
        """All that waits as one piece, and what is due; None when the stream must end."""
        reader, hub = self._reader, self._hub
        while True:
            begun = await reader.settle()
            if begun is not None:
                hub.stats.wrote(begun, hub.clock())
            if reader.ended:
                return None
            waiting = reader.inbox.take()
            for chunk in waiting:
                reader.position = chunk.last or reader.position
            due = self._due()
            if due:
                waiting.append(due)
            if waiting:
                return Chunk.joined(waiting)
            await reader.rest(self._rhythm.seconds(hub.clock()))

    def _due(self) -> Chunk | None:
        now = self._hub.clock()
        if now < self._rhythm.next:
            return None
        if self._rhythm.over(now):
            self._reader.end("age")
        said = self._rhythm.due(now, self._wall(), self._head())
        return Chunk(said, said.count(b"event: ")) if said else None

    def _farewell(self) -> Chunk:
        """What still waits, and why it ends. The journal's failure has no bye: the reader's cursor stays good."""
        reader = self._reader
        reason = reader.ended or "shutdown"
        if reason == "journal":
            last = event.retry(RETRY[reason]) + event.comment("the journal cannot be read now; your cursor is good")
        else:
            last = event.bye(reason, RETRY[reason])
        return Chunk.joined([*reader.inbox.take(), Chunk(last, 1)])

    def _reset(self, reason: Reason) -> bytes:
        """Live from the head, and the reader told that its cursor was not honoured."""
        self._reader.position = self._hub.position
        self._join(f"reset_{reason}")
        head = self._head()
        return event.frame("reset", dumps({"reason": reason, "head": head}), head)

    def _join(self, outcome: str | None = None) -> None:
        self._live = True
        if outcome is not None:
            self._hub.stats.resumes[outcome] += 1
        if self._replay is not None:
            self._replay.close()
        self._hub.join(self._reader)

    def _head(self) -> str | None:
        """The last cursor put on this connection."""
        place = self._reader.position
        return None if place is None else event.cursor(self._hub.epoch, place)
