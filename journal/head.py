"""The end of a journal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Head:
    """The epoch of a journal and the seq and the checksum of its last entry (0 and "" when it is empty)."""

    epoch: str
    seq: int
    checksum: str = ""

    @property
    def check(self) -> str:
        """The digits of the checksum that a cursor carries; "" for an empty journal."""
        return self.checksum[:4]

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}-{self.check}" if self.seq else f"{self.epoch}-0"
