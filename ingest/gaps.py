"""Gaps that are not yet filled or announced; saved as a mark of the journal, so that a restart loses none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cache.decimal_json import dumps, loads

MARK: Final = "holes"  # the mark's name in journals of every version
CLOCK_SLACK: Final = Decimal(1)  # seconds by which two clocks may differ at a gap's edges
MAX_GAPS: Final = 200  # open at once; each is written with each commit
MERGED: Final = "several gaps, merged because more than 200 were open"


def exact_seconds(time: float) -> Decimal:
    """Return a clock's float as exact Unix seconds, to the microsecond."""
    return Decimal(str(round(time, 6)))


@dataclass(frozen=True, slots=True)
class GapSpan:
    """A time (Unix seconds) in which executions may have been missed, and the reason."""

    start: Decimal
    end: Decimal
    why: str

    def joined(self, other: "GapSpan", why: str = "") -> "GapSpan":
        """Return one span over both and what lies between, with this one's reason unless another is given."""
        return GapSpan(min(self.start, other.start), max(self.end, other.end), why or self.why)


class OpenGaps:
    """An ordered set of gaps. A caller that removes one first writes the mark without it, then removes it here."""

    def __init__(self, mark: str = "") -> None:
        self._open = [GapSpan(Decimal(start), Decimal(end), why) for start, end, why in (loads(mark) if mark else [])]

    def __iter__(self) -> Iterator[GapSpan]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, gap: GapSpan, instead_of: GapSpan | None = None) -> None:
        """Add a gap. instead_of: the smaller one that it grew from. Above MAX_GAPS the two oldest are merged."""
        self._open = [*(other for other in self._open if other != instead_of), gap]
        if len(self._open) > MAX_GAPS:
            self._open[:2] = [self._open[0].joined(self._open[1], MERGED)]

    def remove(self, closed: Iterable[GapSpan]) -> None:
        """Remove gaps that were filled or announced, after the journal has them."""
        gone = set(closed)
        self._open = [gap for gap in self._open if gap not in gone]

    def covers(self, moment: Decimal) -> bool:
        """Return True if the bot may have executed at this moment without our reading of it."""
        return any(gap.start - CLOCK_SLACK <= moment <= gap.end + CLOCK_SLACK for gap in self._open)

    def mark(self, without: Iterable[GapSpan] = ()) -> dict[str, str]:
        """Return the mark to save, as it will be once these are removed."""
        gone = set(without)
        return {MARK: dumps([[gap.start, gap.end, gap.why] for gap in self._open if gap not in gone])}
