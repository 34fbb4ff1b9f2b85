"""A cached value with its age, and the decision whether it is still fresh."""

from dataclasses import dataclass
from typing import Any, Literal

from cache.decimal_json import dumps, loads

Freshness = Literal["fresh", "incomplete", "expired"]
CLOCK_TOLERANCE = 5.0  # seconds by which another host's clock may be ahead of ours


@dataclass(frozen=True, slots=True)
class CachedValue:
    """A value as its source gave it.

    as_of: Unix seconds at which the source was asked. complete_to: Unix seconds up to which the source contained every
    event when it was asked, by its own word; 0 if it did not say.
    """

    value: Any
    as_of: float
    complete_to: float = 0.0

    def freshness(self, now: float, ttl: float, newer_than: float) -> Freshness:
        """Return fresh, incomplete (read before the source contained the event at newer_than, 0: none) or expired.

        A value from the future, after a clock was set back, is expired: its age is unknown.
        """
        if not -CLOCK_TOLERANCE <= now - self.as_of < ttl:
            return "expired"
        return "incomplete" if newer_than and self.complete_to <= newer_than else "fresh"

    def encode(self) -> bytes:
        """Return the JSON text, decimals exact."""
        return dumps([self.as_of, self.complete_to, self.value]).encode("ascii")

    def is_encoded_in(self, raw: bytes) -> bool:
        """Return True if raw is this value's text. Compares the time alone, so a large value is not parsed again."""
        return raw.startswith(f"[{dumps(self.as_of)},".encode("ascii"))

    @classmethod
    def decode(cls, raw: bytes) -> "CachedValue | None":
        """Return the value of such a text, or None for anything else: a shared store may hold anything."""
        try:
            as_of, complete_to, value = loads(raw)
            return cls(value, float(as_of), float(complete_to))
        except (ValueError, TypeError, RecursionError):
            return None
