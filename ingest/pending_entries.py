"""What was read and is not yet kept: bounded, however long the journal is away; what falls off it is a hole."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from ingest.open_gaps import OpenGaps
from ingest.poll_overlap import GapSpan
from journal.entries import Trade

MOST: Final = 20_000  # trades held in memory, some 10 MB
BATCH: Final = 1000  # trades in one commit: what has waited must not need longer than the journal gives a call
FELL: Final = "the journal was away and more trades came than can wait for it"


class PendingEntries:
    """Trades in the order in which they were read. The oldest are written first, and are the first to fall off.

    All that falls off while the journal is away is one hole, which grows: the exchange heals it like any other.
    """

    def __init__(self, holes: OpenGaps) -> None:
        self._holes = holes
        self._waiting: list[Trade] = []
        self._writing = 0  # of the oldest: the journal may be keeping them at this moment, so they do not fall off
        self._fallen: GapSpan | None = None  # what fell off since the journal last kept something

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def batches(self) -> int:
        """How many batches it is now."""
        return -(-len(self._waiting) // BATCH)

    def add(self, trades: Sequence[Trade], now: Decimal) -> bool:
        """These, read by now (Unix seconds), wait too. True when that was too much and there is a hole to write."""
        self._waiting.extend(trades)
        excess = len(self._waiting) - MOST
        if excess <= 0:
            return False
        surplus = slice(self._writing, self._writing + excess)
        # Nothing was executed after we read of it: a bot's clock that is ahead must not keep the hole open.
        self._fell([min(trade.timestamp, now) for trade in self._waiting[surplus]])
        del self._waiting[surplus]
        return True

    def begin(self) -> list[Trade]:
        """The next batch to write, until kept() or failed()."""
        batch = self._waiting[:BATCH]
        self._writing = len(batch)
        return batch

    def kept(self) -> None:
        """The journal has the batch."""
        del self._waiting[: self._writing]
        self._writing, self._fallen = 0, None

    def failed(self) -> None:
        """It has not: the batch waits again, and may fall off."""
        self._writing = 0

    def _fell(self, moments: list[Decimal]) -> None:
        lost = GapSpan(min(moments), max(moments), FELL)
        grown = lost if self._fallen is None else self._fallen.joined(lost)
        self._holes.add(grown, instead_of=self._fallen)
        self._fallen = grown
