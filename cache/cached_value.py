"""Record: a value with the time it was read, and the judgement whether it may still be told as fresh."""

from dataclasses import dataclass
from typing import Any, Literal

from cache.decimal_json import dumps, loads

Verdict = Literal["fresh", "unsettled", "expired"]
AHEAD = 5.0  # seconds that another host's clock may be ahead of ours


@dataclass(frozen=True, slots=True)
class CachedValue:
    """What a source said.

    as_of: Unix seconds when it was asked. through: Unix seconds up to which the source had taken everything in when
    it was asked, by its own word; 0 when it gave none.
    """

    value: Any
    as_of: float
    through: float = 0.0

    def judge(self, now: float, ttl: float, since: float) -> Verdict:
        """fresh; unsettled: read before the source had taken in what happened at since (0: nothing did); expired.

        A record from the future, after a clock was set back, counts as expired: its age cannot be told.
        """
        if not -AHEAD <= now - self.as_of < ttl:
            return "expired"
        return "unsettled" if since and self.through <= since else "fresh"

    def encode(self) -> bytes:
        """Its JSON text, decimals exact."""
        return dumps([self.as_of, self.through, self.value]).encode("ascii")

    def wrote(self, raw: bytes) -> bool:
        """Is this its text? Told by the time alone: a large value need not be read again to find it the same."""
        return raw.startswith(f"[{dumps(self.as_of)},".encode("ascii"))

    @classmethod
    def decode(cls, raw: bytes) -> "CachedValue | None":
        """The record of such a text; None for anything else, for a shared store may hold anything."""
        try:
            as_of, through, value = loads(raw)
            return cls(value, float(as_of), float(through))
        except (ValueError, TypeError, RecursionError):
            return None
