"""The holes that are known and not yet healed; a mark of the journal, so that no restart forgets one."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from cache.decimal_json import dumps, loads
from ingest.poll_overlap import GapSpan

SLACK = Decimal(1)  # seconds by which two clocks may differ at a hole's edges
MOST = 200  # open at once; each is written with each commit
MANY = "more holes than are told apart"


class OpenGaps:
    """An ordered set of holes. Whoever removes one first writes the mark without it, then removes it here."""

    def __init__(self, mark: str = "") -> None:
        self._open = [GapSpan(Decimal(start), Decimal(end), why) for start, end, why in (loads(mark) if mark else [])]

    def __iter__(self) -> Iterator[GapSpan]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, hole: GapSpan, instead_of: GapSpan | None = None) -> None:
        """Remember a hole; instead_of: the smaller one that it grew from. Too many: the two oldest become one."""
        self._open = [*(other for other in self._open if other != instead_of), hole]
        if len(self._open) > MOST:
            self._open[:2] = [self._open[0].joined(self._open[1], MANY)]

    def remove(self, healed: Iterable[GapSpan]) -> None:
        """Forget holes that are healed or announced, after the journal did."""
        gone = set(healed)
        self._open = [hole for hole in self._open if hole not in gone]

    def covers(self, moment: Decimal) -> bool:
        """Whether the bot's silence about this moment proves nothing."""
        return any(hole.start - SLACK <= moment <= hole.end + SLACK for hole in self._open)

    def dump(self, without: Iterable[GapSpan] = ()) -> str:
        """The mark, as it will be once these are removed."""
        gone = set(without)
        return dumps([[hole.start, hole.end, hole.why] for hole in self._open if hole not in gone])
