"""Places in a journal: its head, and cursors, which are places as text: <epoch>-<seq>-<check>.

epoch names the journal and changes when its history does; seq is the last entry that the reader has, 0 for none; check
is the first four hex digits of that entry's checksum, so that a cursor from before an older backup was restored is
recognised. A cursor without a check is accepted too.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Refusal = Literal["epoch", "future", "malformed"]

CHECK_DIGITS: Final = 4
_CURSOR: Final = re.compile(r"([a-z0-9]{1,32})-(0|[1-9][0-9]{0,17})(?:-([0-9a-f]{4}))?")


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: the seq and the checksum of its last entry (0 and "" when it is empty)."""

    epoch: str
    seq: int
    checksum: str = ""

    @property
    def cursor(self) -> str:
        """The cursor of a reader that has everything."""
        return render(self.epoch, self.seq, self.checksum)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place as a reader sent it. check is "" where the reader sent none."""

    epoch: str
    seq: int
    check: str = ""


def render(epoch: str, seq: int, checksum: str = "") -> str:
    """Return the cursor of an entry. Without a checksum, or at seq 0, it has no check."""
    return f"{epoch}-{seq}-{checksum[:CHECK_DIGITS]}" if checksum and seq else f"{epoch}-{seq}"


def parse(text: str) -> Cursor | None:
    """Return the cursor in a text, None if it is malformed."""
    match = _CURSOR.fullmatch(text)
    return Cursor(match[1], int(match[2]), match[3] or "") if match else None


def refusal(cursor: Cursor | None, head: Head, checksum: str) -> Refusal | None:
    """Return why a journal that ends at head cannot honour a cursor, None if it can.

    checksum: of the entry at cursor.seq (Journal.checksum); not looked at when the cursor has no check.
    """
    if cursor is None:
        return "malformed"
    if cursor.epoch != head.epoch:
        return "epoch"
    if cursor.seq > head.seq:
        return "future"
    return "epoch" if cursor.check and cursor.check != checksum[:CHECK_DIGITS] else None
