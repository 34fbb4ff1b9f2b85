"""Fans out: what is published once goes to every open stream, in order, without anybody waiting for anybody."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from journal.entries import Entry
from streams.broadcast import Broadcast, Publication
from streams.chunk import Chunk
from streams.errors import OutOfOrder
from streams.stats import Stats
from streams.subscriber import End, Subscriber, Wants

SLICE: Final = 64  # readers written before the loop may do something else: REST p99 about 10 ms instead of 44
TOLD_ENTRIES: Final = 200  # entries in one piece of a large publish
ROUND_BYTES: Final = 65536  # about what a round may carry: as much may stand in a slow reader's transport

Soon = Callable[[Callable[[], None]], object]


class Hub:
    """Knows every open stream and the place up to which all was published. Synchronous; runs on one loop's thread.

    Publishing only notes; rounds carry it out, one after another, each in slices with the loop turning between.
    So order holds, REST breathes, and what is published while a round runs leaves as one piece in the next: the
    window in which events are joined is as long as one fan-out takes, and nothing waits when there is none.
    """

    def __init__(
        self, epoch: str, position: int, max_streams: int = 10_000,
        clock: Callable[[], float] = time.monotonic, soon: Soon | None = None,
    ) -> None:  # fmt: skip
        self.epoch = epoch
        self.position = position  # seq of the last entry published, or of the journal's head at the start
        self.max_streams = max_streams
        self.clock = clock
        self.stats = Stats()
        self.closed = False
        self.said = 0  # number of the last bot_status
        self.status_frame: Chunk | None = None  # the last bot_status, for streams that open
        self._soon = soon or (lambda step: asyncio.get_running_loop().call_soon(step))
        self._open: dict[Subscriber, None] = {}  # every stream, oldest first
        self._members: dict[Wants, dict[Subscriber, None]] = {}  # those that have all up to the last round
        self._newcomers: dict[Subscriber, None] = {}  # joined since, or ahead of us
        self._pending: deque[Publication] = deque()
        self._running = False
        self._begun = (position, 0)  # the last seq and the last status number that a round has taken up
        self._work: Iterator[tuple[Chunk, Sequence[Subscriber]]] = iter(())

    @property
    def subscribers(self) -> Iterable[Subscriber]:
        """Every open stream, oldest first."""
        return self._open.keys()

    @property
    def full(self) -> bool:
        """Whether no further stream may open."""
        return len(self._open) >= self.max_streams

    def publish(self, entries: Sequence[Entry]) -> None:
        """Tell entries that the journal keeps already. Raises OutOfOrder unless they follow position without a hole."""
        for expected, entry in enumerate(entries, self.position + 1):
            if entry.seq != expected:
                raise OutOfOrder(f"entry {entry.seq} was published where {expected} follows; read the journal there")
        if not entries:
            return
        self.position = entries[-1].seq
        for start in range(0, len(entries), TOLD_ENTRIES):
            self._tell(Publication.of_entries(entries[start : start + TOLD_ENTRIES], self.epoch, self.clock()))

    def status(self, data: str) -> None:
        """Tell the bot's status, a JSON text, and remember it for streams that open."""
        self.said += 1
        told = Publication.of_status(data, self.said, self.clock())
        self.status_frame = told.chunk
        self._tell(told)

    def remember(self, data: str) -> None:
        """A status that is no news, such as another number of trades: for streams that open from now."""
        self.status_frame = Publication.of_status(data, self.said, self.clock()).chunk

    def enter(self, reader: Subscriber) -> None:
        """Count a stream; it gets nothing before it joins."""
        self._open[reader] = None
        self.stats.opened += 1

    def join(self, reader: Subscriber) -> None:
        """Live from here: all that it has not, by its position and said, will be offered to it, in order."""
        if reader.wants.status and reader.said < self.said and self.status_frame is not None:
            reader.inbox.put_nowait(Chunk(self.status_frame.body, 1))
        reader.said = self.said
        self._newcomers[reader] = None
        self._settle()

    def leave(self, reader: Subscriber) -> None:
        """Forget a stream; it may be called in any state of it."""
        self._open.pop(reader, None)
        self._newcomers.pop(reader, None)
        self._members.get(reader.wants, {}).pop(reader, None)

    def close(self, reason: End = "shutdown") -> None:
        """Every stream says bye and ends; those that open from now on do so at once."""
        self.closed = True
        for reader in self._open:
            reader.end(reason)

    def _tell(self, told: Publication) -> None:
        if not self._open and not self._running:
            self._begun = (self.position, self.said)
            return
        self._pending.append(told)
        if not self._running:
            self._running = True
            self._soon(self._begin)

    def _begin(self) -> None:
        batch = [self._pending.popleft()]
        size = batch[0].size
        while self._pending and size + self._pending[0].size <= ROUND_BYTES:
            batch.append(self._pending.popleft())
            size += batch[-1].size
        turn = Broadcast(batch, self.epoch)
        # Both kinds of readers are noted now: who joins while this round runs has it already.
        parts = [(chunk, [reader]) for reader in self._newcomers if (chunk := turn.for_newcomer(reader))]
        for wants, members in self._members.items():
            chunk = turn.chunk(wants)
            if chunk is not None:
                readers = list(members)
                parts += [(chunk, readers[start : start + SLICE]) for start in range(0, len(readers), SLICE)]
        self._begun = (max(self._begun[0], turn.last), max(self._begun[1], turn.said))
        self._work = iter(parts)
        self._settle()
        self._slice()

    def _settle(self) -> None:
        """Newcomers that lack nothing of what rounds still carry, and have nothing of it, are members from now."""
        seq, said = self._begun
        for reader in [one for one in self._newcomers if (one.position or 0) <= seq and one.said <= said]:
            del self._newcomers[reader]
            self._members.setdefault(reader.wants, {})[reader] = None

    def _slice(self) -> None:
        part = next(self._work, None)
        if part is not None:
            chunk, readers = part
            written = sum([reader.offer(chunk) for reader in readers])
            self.stats.wrote(chunk, self.clock(), written)
            self._soon(self._slice)
        elif self._pending:
            self._begin()
        else:
            self._running = False
