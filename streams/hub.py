"""The hub: what is published once goes to every open stream, in order, and no stream waits for another."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cache.decimal_json import dumps
from journal.entries import Entry
from streams.event import Chunk, Reason, entry_cursor, format_cursor, frame
from streams.stats import Stats
from streams.subscriber import End, Subscriber, Wants

SLICE: Final = 64  # readers written before the loop may do something else: REST p99 about 10 ms instead of 44
ENTRIES_PER_PUBLICATION: Final = 200  # of a large publish
BROADCAST_BYTES: Final = 65536  # about as much as a slow reader's transport may hold

Schedule = Callable[[Callable[[], None]], object]


class OutOfOrder(Exception):
    """Published entries do not follow the last published one; no subscriber received them."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Entries, ascending and without a missing seq, or the status_number-th bot_status of this process."""

    chunk: Chunk
    entries: Sequence[Entry] = ()
    status_number: int = 0

    def is_wanted(self, wants: Wants) -> bool:
        """Return True if a stream of this kind carries it."""
        return wants.entries if self.entries else wants.status

    def lacked_by(self, reader: Subscriber, epoch: str) -> Chunk | None:
        """Return the part that a reader lacks: it may have joined when some of this was published already."""
        if not self.is_wanted(reader.wants):
            return None
        if not self.entries:
            return self.chunk if self.status_number > reader.status_number else None
        missing = [entry for entry in self.entries if entry.seq > (reader.position or 0)]
        return Chunk.of_entries(missing, epoch, self.chunk.born) if missing else None


class NetworkStreams:
    """Open streams by the network of their clients; the network that holds most is found without a search."""

    def __init__(self) -> None:
        self._streams: dict[str, dict[Subscriber, None]] = {}  # by network, each oldest first
        self._networks: list[dict[str, None]] = [{}]  # at index n: the networks that hold n streams, for n from 1

    def add(self, reader: Subscriber) -> None:
        """Count an open stream."""
        streams = self._streams.setdefault(reader.network, {})
        streams[reader] = None
        self._move(reader.network, len(streams) - 1, len(streams))

    def remove(self, reader: Subscriber) -> None:
        """Count a stream no longer, if it is counted."""
        streams = self._streams.get(reader.network, {})
        if reader not in streams:
            return
        del streams[reader]
        self._move(reader.network, len(streams) + 1, len(streams))
        if not streams:
            del self._streams[reader.network]

    def _move(self, network: str, before: int, now: int) -> None:
        self._networks[before].pop(network, None)
        if now == len(self._networks):
            self._networks.append({})
        if now:
            self._networks[now][network] = None
        if len(self._networks) > 1 and not self._networks[-1]:
            self._networks.pop()

    def displaced_by(self, network: str) -> Subscriber | None:
        """Return the newest stream of the network that holds most, if that is more than this network holds."""
        if len(self._networks) - 1 <= len(self._streams.get(network, ())):
            return None
        return next(reversed(self._streams[next(iter(self._networks[-1]))]))


class Hub:
    """All open streams, and the position up to which everything was published. Synchronous; runs on one loop's thread.

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
        self._networks = NetworkStreams()  # the same by the network of their clients
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
            self._add(Publication(Chunk.of_entries(part, self.epoch, self.clock()), part))

    def status(self, data: str) -> None:
        """Publish the bot's status, a JSON text, and keep it for streams that open."""
        self.status_number += 1
        chunk = self.status_frame = Chunk(frame("bot_status", data), 1, born=self.clock())
        self._add(Publication(chunk, status_number=self.status_number))

    def remember(self, data: str) -> None:
        """Keep a status for streams that open, without sending it to those that are open."""
        self.status_frame = Chunk(frame("bot_status", data), 1, born=self.clock())

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
        """Return the `reset` event: the reader starts again from the head."""
        data = dumps({"reason": reason, "head": self.head})
        return Chunk(frame("reset", data, self.head, retry), 1, self.position, self.head)

    def enter(self, reader: Subscriber) -> End | None:
        """Count a stream, which receives nothing before it joins; or return why it may not open."""
        if self.closed:
            return "shutdown"
        if self.full and not self._displace(reader.network):
            return "full"
        self._open[reader] = None
        self._networks.add(reader)
        self.stats.opened += 1
        return None

    def _displace(self, network: str) -> bool:
        """End the newest stream of the network that holds most, if that is more than this network holds."""
        newest = self._networks.displaced_by(network)
        if newest is None:
            return False
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
        """Remove a stream, in any state of it."""
        self._open.pop(reader, None)
        self._newcomers.pop(reader, None)
        self._members.get(reader.wants, {}).pop(reader, None)
        self._networks.remove(reader)

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
        size = len(batch[0].chunk.body)
        while self._pending and (size := size + len(self._pending[0].chunk.body)) <= BROADCAST_BYTES:
            batch.append(self._pending.popleft())
        # The readers are listed now: who joins while this round runs has its contents already.
        parts: list[tuple[Chunk, Sequence[Subscriber]]] = []
        for reader in self._newcomers:
            if lacked := [chunk for one in batch if (chunk := one.lacked_by(reader, self.epoch))]:
                parts.append((Chunk.joined(lacked), [reader]))
        for wants, members in self._members.items():
            if wanted := [one.chunk for one in batch if one.is_wanted(wants)]:
                chunk, readers = Chunk.joined(wanted), list(members)
                parts += [(chunk, readers[start : start + SLICE]) for start in range(0, len(readers), SLICE)]
        seq, number = self._begun
        self._begun = (
            max(seq, *(one.chunk.last or 0 for one in batch)),
            max(number, *(one.status_number for one in batch)),
        )
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
