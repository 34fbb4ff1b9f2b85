"""Trades that were read and are not yet written: bounded, and what is dropped becomes a gap."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ingest.open_gaps import OpenGaps
from ingest.poll_overlap import GapSpan
from journal.entries import Trade

MAX_PENDING: Final = 20_000  # trades in memory, some 10 MB
BATCH: Final = 1000  # trades in one commit, so that a commit stays within the journal's time limit
DROPPED: Final = "the journal was away and more trades came than can wait for it"


class PendingEntries:
    """Trades in the order in which they were read. The oldest are written first, and dropped first.

    All that is dropped while the journal is away is one gap, which grows.
    """

    def __init__(self, gaps: OpenGaps) -> None:
        self._gaps = gaps
        self._waiting: list[Trade] = []
        self._writing = 0  # number of the oldest that a write in progress may commit, so they are not dropped
        self._dropped: GapSpan | None = None  # what was dropped since the journal last wrote a batch

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def batches(self) -> int:
        """Return the number of batches that wait."""
        return -(-len(self._waiting) // BATCH)

    def add(self, trades: Sequence[Trade], now: Decimal) -> bool:
        """Add trades that were read at now (Unix seconds). Return True if some were dropped and a gap must be saved."""
        self._waiting.extend(trades)
        excess = len(self._waiting) - MAX_PENDING
        if excess <= 0:
            return False
        surplus = slice(self._writing, self._writing + excess)
        # A bot's clock that is ahead must not keep the gap open: no trade was executed after we read it.
        self._grow_gap([min(trade.timestamp, now) for trade in self._waiting[surplus]])
        del self._waiting[surplus]
        return True

    def begin(self) -> list[Trade]:
        """Return the next batch to write; committed() or failed() ends it."""
        batch = self._waiting[:BATCH]
        self._writing = len(batch)
        return batch

    def committed(self) -> None:
        """Remove the batch: the journal has it."""
        del self._waiting[: self._writing]
        self._writing, self._dropped = 0, None

    def failed(self) -> None:
        """Let the batch wait again."""
        self._writing = 0

    def _grow_gap(self, moments: list[Decimal]) -> None:
        lost = GapSpan(min(moments), max(moments), DROPPED)
        grown = lost if self._dropped is None else self._dropped.joined(lost)
        self._gaps.add(grown, instead_of=self._dropped)
        self._dropped = grown
