"""The holes that are known and not yet healed; a mark of the journal, so that no restart forgets one."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from cache.exact import dumps, loads
from streams.window import Hole

SLACK = Decimal(1)  # seconds by which two clocks may differ at a hole's edges


class Holes:
    """An ordered set of holes. Whoever removes one first writes the mark without it, then removes it here."""

    def __init__(self, mark: str = "") -> None:
        self._open = [Hole(Decimal(start), Decimal(end), why) for start, end, why in (loads(mark) if mark else [])]

    def __iter__(self) -> Iterator[Hole]:
        return iter(list(self._open))

    def __len__(self) -> int:
        return len(self._open)

    def add(self, hole: Hole) -> None:
        """Remember a hole."""
        self._open.append(hole)

    def remove(self, healed: Iterable[Hole]) -> None:
        """Forget holes that are healed or announced, after the journal did."""
        gone = set(healed)
        self._open = [hole for hole in self._open if hole not in gone]

    def covers(self, moment: Decimal) -> bool:
        """Whether the bot's silence about this moment proves nothing."""
        return any(hole.start - SLACK <= moment <= hole.end + SLACK for hole in self._open)

    def dump(self, without: Iterable[Hole] = ()) -> str:
        """The mark, as it will be once these are removed."""
        gone = set(without)
        return dumps([[hole.start, hole.end, hole.why] for hole in self._open if hole not in gone])
