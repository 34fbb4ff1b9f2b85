"""One turn of the fan-out: what was published since the last one, made into bytes once for each kind of stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from journal.entries import Entry
from streams.chunk import Chunk
from streams.event import entry_frames, frame
from streams.subscriber import Subscriber, Wants


@dataclass(frozen=True, slots=True)
class Publication:
    """Something published: entries, or one bot_status (its number and its frame)."""

    chunk: Chunk
    entries: Sequence[Entry] = ()
    said: int = 0

    @property
    def size(self) -> int:
        """Bytes of its frames."""
        return len(self.chunk.body)

    def wanted(self, wants: Wants) -> bool:
        """Whether a stream of this kind carries it."""
        return wants.entries if self.entries else wants.status

    @classmethod
    def of_entries(cls, entries: Sequence[Entry], epoch: str, born: float) -> "Publication":
        """Entries, ascending and without a hole."""
        frames = entry_frames(entries, epoch)
        return cls(Chunk(b"".join(frames), len(frames), entries[-1].seq, born), entries)

    @classmethod
    def of_status(cls, data: str, number: int, born: float) -> "Publication":
        """A bot_status: the number-th of this process."""
        return cls(Chunk(frame("bot_status", data), 1, 0, born), said=number)


class Broadcast:
    """Told things in order. Members get the whole as one chunk; a newcomer only what it does not have yet."""

    def __init__(self, told: Sequence[Publication], epoch: str) -> None:
        self._told = told
        self._epoch = epoch
        self.last = max(one.chunk.last for one in told)
        self.said = max(one.said for one in told)

    def chunk(self, wants: Wants) -> Chunk | None:
        """All of it that such a stream carries, None when that is nothing."""
        parts = [one.chunk for one in self._told if one.wanted(wants)]
        return Chunk.joined(parts) if parts else None

    def for_newcomer(self, reader: Subscriber) -> Chunk | None:
        """What it does not have: it may have joined when a part of this was published already."""
        parts: list[Chunk] = []
        for one in self._told:
            if not one.wanted(reader.wants):
                continue
            if one.entries:
                missing = [entry for entry in one.entries if entry.seq > (reader.position or 0)]
                if missing:
                    parts.append(Publication.of_entries(missing, self._epoch, one.chunk.born).chunk)
            elif one.said > reader.said:
                parts.append(one.chunk)
        return Chunk.joined(parts) if parts else None
