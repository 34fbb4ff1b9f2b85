"""The hub: what is published once goes to every open stream, in order, and no stream waits for another."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from cache.decimal_json import dumps
from journal.entries import Entry
from streams.broadcast import Broadcast, Publication
from streams.cursor import Reason, format_cursor
from streams.errors import OutOfOrder
from streams.event import Chunk, entry_cursor, frame
from streams.stats import Stats
from streams.subscriber import End, Subscriber, Wants

SLICE: Final = 64  # readers written before the loop may do something else: REST p99 about 10 ms instead of 44
ENTRIES_PER_PUBLICATION: Final = 200  # of a large publish
BROADCAST_BYTES: Final = 65536  # about as much as a slow reader's transport may hold

Schedule = Callable[[Callable[[], None]], object]


class Hub:
    """All open streams, and the place up to which everything was published. Synchronous; runs on one loop's thread.

    Publishing only queues; rounds send, one after another, each in slices with the loop turning between them. So
    order holds, REST requests get their turn, and what is published while a round runs leaves as one chunk in the
    next: events are joined for as long as one fan-out takes, and nothing waits when there is none.
    """

    def __init__(
        self, epoch: str, position: int, max_streams: int = 10_000,
        clock: Callable[[], float] = time.monotonic, schedule: Schedule | None = None, check: str = "",
    ) -> None:  # fmt: skip
        self.epoch = epoch
        self.position = position  # seq of the last entry published, or of the journal's head at the start
        self.head = format_cursor(epoch, position, check)  # its cursor
        self.max_streams = max_streams
        self.clock = clock
        self.stats = Stats()
        self.closed = False
        self.status_number = 0  # of the last bot_status
        self.status_frame: Chunk | None = None  # the last bot_status, for streams that open
        self._schedule = schedule or (lambda step: asyncio.get_running_loop().call_soon(step))
        self._open: dict[Subscriber, None] = {}  # every stream, oldest first
        self._networks: dict[str, dict[Subscriber, None]] = {}  # the same by the network of their clients
        self._members: dict[Wants, dict[Subscriber, None]] = {}  # live streams that have all up to the last round
        self._newcomers: dict[Subscriber, None] = {}  # live streams that joined since, or are ahead of the hub
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
        """Return True if as many streams are open as may be."""
        return len(self._open) >= self.max_streams

    def publish(self, entries: Sequence[Entry]) -> None:
        """Publish entries of the journal. Raises OutOfOrder unless they follow position without a missing seq."""
        for expected, entry in enumerate(entries, self.position + 1):
            if entry.seq != expected:
                raise OutOfOrder(f"entry {entry.seq} was published where {expected} follows; read the journal there")
        if not entries:
            return
        self.position = entries[-1].seq
        self.head = entry_cursor(entries[-1], self.epoch)
        for start in range(0, len(entries), ENTRIES_PER_PUBLICATION):
            part = entries[start : start + ENTRIES_PER_PUBLICATION]
            self._add(Publication.of_entries(part, self.epoch, self.clock()))

    def status(self, data: str) -> None:
        """Publish the bot's status, a JSON text, and keep it for streams that open."""
        self.status_number += 1
        publication = Publication.of_status(data, self.status_number, self.clock())
        self.status_frame = publication.chunk
        self._add(publication)

    def remember(self, data: str) -> None:
        """Keep a status for streams that open, without sending it to those that are open."""
        self.status_frame = Publication.of_status(data, self.status_number, self.clock()).chunk

    def reset(self, epoch: str, position: int, check: str = "") -> None:
        """Continue with a journal that went back in time or was replaced: every reader of entries gets a reset.

        Streams that replay notice the new epoch by themselves. What the old journal has published and a round has not
        sent yet is dropped; the last bot_status is sent again in its place.
        """
        self.epoch, self.position, self.head = epoch, position, format_cursor(epoch, position, check)
        self._pending.clear()
        self._work = iter(())
        self._begun = (position, self.status_number)
        live = [*self._newcomers, *(reader for members in self._members.values() for reader in members)]
        for reader in live:
            self._newcomers[reader] = None
            parts = [self.reset_chunk("epoch")] if reader.wants.entries else []
            if reader.wants.status and self.status_frame is not None:
                parts.append(Chunk(self.status_frame.body, 1))
                reader.status_number = self.status_number
            reader.position = position if reader.wants.entries else None
            if parts:
                reader.offer(Chunk.joined(parts))
        self._members.clear()
        self._settle()

    def reset_chunk(self, reason: Reason, retry: float | None = None) -> Chunk:
        """Return the event that tells a reader to start again from the head."""
        data = dumps({"reason": reason, "head": self.head})
        return Chunk(frame("reset", data, self.head, retry), 1, self.position, self.head)

    def enter(self, reader: Subscriber) -> End | None:
        """Count a stream, which receives nothing before it joins; or return why it may not open."""
        if self.closed:
            return "shutdown"
        if self.full and not self._displace(reader.network):
            return "full"
        self._open[reader] = None
        self._networks.setdefault(reader.network, {})[reader] = None
        self.stats.opened += 1
        return None

    def _displace(self, network: str) -> bool:
        """End the newest stream of the network that holds most, if that is more than this network holds."""
        largest = max(self._networks.values(), key=len, default={})
        if len(largest) <= len(self._networks.get(network, ())):
            return False
        newest = next(reversed(largest))
        self.leave(newest)
        newest.end("full")
        return True

    def join(self, reader: Subscriber) -> None:
        """Make a stream live: everything after its position and status number will be offered to it, in order."""
        if reader.wants.status and reader.status_number < self.status_number and self.status_frame is not None:
            reader.queue.put_nowait(Chunk(self.status_frame.body, 1))
        reader.status_number = self.status_number
        self._newcomers[reader] = None
        self._settle()

    def leave(self, reader: Subscriber) -> None:
        """Forget a stream, in any state of it."""
        self._open.pop(reader, None)
        self._newcomers.pop(reader, None)
        self._members.get(reader.wants, {}).pop(reader, None)
        neighbours = self._networks.get(reader.network, {})
        neighbours.pop(reader, None)
        if not neighbours:
            self._networks.pop(reader.network, None)

    def close(self, reason: End = "shutdown") -> None:
        """End every stream with a bye, and those that open from now on at once."""
        self.closed = True
        for reader in self._open:
            reader.end(reason)

    def _add(self, publication: Publication) -> None:
        if not self._open and not self._running:
            self._begun = (self.position, self.status_number)
            return
        self._pending.append(publication)
        if not self._running:
            self._running = True
            self._schedule(self._begin_round)

    def _begin_round(self) -> None:
        if not self._pending:  # a reset has dropped them
            self._running = False
            return
        batch = [self._pending.popleft()]
        size = batch[0].size
        while self._pending and size + self._pending[0].size <= BROADCAST_BYTES:
            batch.append(self._pending.popleft())
            size += batch[-1].size
        broadcast = Broadcast(batch, self.epoch)
        # The readers are listed now: who joins while this round runs has its contents already.
        parts = [(chunk, [reader]) for reader in self._newcomers if (chunk := broadcast.for_newcomer(reader))]
        for wants, members in self._members.items():
            chunk = broadcast.for_members(wants)
            if chunk is not None:
                readers = list(members)
                parts += [(chunk, readers[start : start + SLICE]) for start in range(0, len(readers), SLICE)]
        self._begun = (max(self._begun[0], broadcast.last), max(self._begun[1], broadcast.status_number))
        self._work = iter(parts)
        self._settle()
        self._send_slice()

    def _settle(self) -> None:
        """Make members of the newcomers that lack nothing of what rounds still carry and have nothing of it."""
        seq, number = self._begun
        for reader in [one for one in self._newcomers if (one.position or 0) <= seq and one.status_number <= number]:
            del self._newcomers[reader]
            self._members.setdefault(reader.wants, {})[reader] = None

    def _send_slice(self) -> None:
        part = next(self._work, None)
        if part is not None:
            chunk, readers = part
            sent = sum([reader.offer(chunk) for reader in readers])
            self.stats.record(chunk, self.clock(), sent)
            self._schedule(self._send_slice)
        else:
            self._begin_round()
