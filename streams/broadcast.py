"""One round of the fan-out: the publications since the last one, encoded once for each kind of stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from journal.entries import Entry
from streams.event import Chunk, frame
from streams.subscriber import Subscriber, Wants


@dataclass(frozen=True, slots=True)
class Publication:
    """Entries, or one bot_status with its number in this process."""

    chunk: Chunk
    entries: Sequence[Entry] = ()
    status_number: int = 0

    @property
    def size(self) -> int:
        """Number of bytes of its frames."""
        return len(self.chunk.body)

    def is_wanted(self, wants: Wants) -> bool:
        """Return True if a stream of this kind carries it."""
        return wants.entries if self.entries else wants.status

    @classmethod
    def of_entries(cls, entries: Sequence[Entry], epoch: str, born: float) -> "Publication":
        """Return the publication of entries, ascending and without a missing seq."""
        return cls(Chunk.of_entries(entries, epoch, born), entries)

    @classmethod
    def of_status(cls, data: str, number: int, born: float) -> "Publication":
        """Return the publication of a bot_status, the number-th of this process."""
        return cls(Chunk(frame("bot_status", data), 1, born=born), status_number=number)


class Broadcast:
    """Publications in order. Members get all of them as one chunk, newcomers what they do not have yet."""

    def __init__(self, publications: Sequence[Publication], epoch: str) -> None:
        self._publications = publications
        self._epoch = epoch
        self.last = max(one.chunk.last or 0 for one in publications)
        self.status_number = max(one.status_number for one in publications)

    def for_members(self, wants: Wants) -> Chunk | None:
        """Return everything that such a stream carries, None when that is nothing."""
        parts = [one.chunk for one in self._publications if one.is_wanted(wants)]
        return Chunk.joined(parts) if parts else None

    def for_newcomer(self, reader: Subscriber) -> Chunk | None:
        """Return what a reader lacks: it may have joined when a part of this was published already."""
        parts: list[Chunk] = []
        for one in self._publications:
            if not one.is_wanted(reader.wants):
                continue
            if one.entries:
                missing = [entry for entry in one.entries if entry.seq > (reader.position or 0)]
                if missing:
                    parts.append(Chunk.of_entries(missing, self._epoch, one.chunk.born))
            elif one.status_number > reader.status_number:
                parts.append(one.chunk)
        return Chunk.joined(parts) if parts else None
