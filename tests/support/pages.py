"""Entries for tests of the streams, and the part of a journal that a replay reads, kept in a list."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from journal import codec
from journal.entries import Entry, Gap, Trade

EPOCH = "abcd1234"


def trade(seq: int, source: str = "bot_live") -> Entry:
    """The seq-th trade."""
    draft = Trade(Decimal(seq), "TEST-24", "BUY", Decimal(1), Decimal("0.65"), f"t{seq}", source, "live")
    return Entry(seq, "trade", draft.timestamp, draft.ticker, source, codec.body(draft, seq))


def gap(seq: int) -> Entry:
    """A gap entry at this seq."""
    draft = Gap(Decimal(seq), Decimal(1), Decimal(2), "test")
    return Entry(seq, "gap", draft.timestamp, "", draft.source, codec.body(draft, seq))


def trades(first: int, last: int) -> list[Entry]:
    """Trades first to last, both included."""
    return [trade(seq) for seq in range(first, last + 1)]


def checked(entries: Sequence[Entry]) -> list[Entry]:
    """Return the same entries with a checksum that begins with their seq in four hex digits."""
    return [replace(entry, checksum=f"{entry.seq:04x}{entry.seq:012x}") for entry in entries]


class Pages:
    """A journal's read side over a list. `fault` is raised by the next reads, `held` makes them wait."""

    epoch = EPOCH

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self.entries = list(entries)
        self.fault: Exception | None = None
        self.held: asyncio.Event | None = None
        self.reads = 0
        self.reading = 0
        self.most = 0  # reads that ran at once, at most

    async def read(self, after: int, limit: int) -> list[Entry]:
        """As Journal.read."""
        self.reads += 1
        self.reading += 1
        self.most = max(self.most, self.reading)
        try:
            await asyncio.sleep(0)
            if self.held is not None:
                await self.held.wait()
            if self.fault is not None:
                raise self.fault
            return self.entries[after : after + limit]
        finally:
            self.reading -= 1
