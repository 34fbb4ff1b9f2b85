"""Bounds of what one process stores in a Redis that others share."""

from collections import OrderedDict
from typing import Final

LONGEST: Final = 900.0  # seconds that a value may live: less than a login session, which an eviction must not prefer
MOST_KEYS: Final = 256
MOST_BYTES: Final = 8 * 1024 * 1024
FULL: Final = 0.85  # share of maxmemory from which on nothing is written
CHECK_INTERVAL: Final = 2.0  # seconds between two readings of the memory in use
BETWEEN_CHECKS: Final = 1024 * 1024  # bytes that may be written on one reading


class RedisBudget:
    """Remember the keys that this process wrote, and whether Redis has room for more."""

    def __init__(self, keys: int = MOST_KEYS, size: int = MOST_BYTES) -> None:
        self._most_keys, self._most_bytes = keys, size
        self._sizes: OrderedDict[str, int] = OrderedDict()  # by key, the least recently written first
        self._bytes = 0
        self._checked_at: float | None = None
        self._written = 0  # bytes since the last reading
        self._is_full = False

    def needs_check(self, size: int, now: float) -> bool:
        """Return True if the memory in use must be read before so many bytes are written. now: monotonic seconds."""
        return (
            self._checked_at is None
            or now - self._checked_at >= CHECK_INTERVAL
            or self._written + size > BETWEEN_CHECKS
        )

    def set_memory(self, used: int, limit: int, now: float) -> None:
        """Record the memory in use and its limit in bytes; 0 for no limit."""
        self._checked_at, self._written = now, 0
        self._is_full = limit > 0 and used > FULL * limit

    def allows(self, size: int) -> bool:
        """Return True if a value of so many bytes may be written."""
        return not self._is_full and size <= self._most_bytes // 4

    def add(self, key: str, size: int) -> list[str]:
        """Record a write; return the keys that must be deleted to stay within the bounds."""
        self.discard(key)
        self._sizes[key] = size
        self._bytes += size
        self._written += size
        dropped = []
        while len(self._sizes) > self._most_keys or self._bytes > self._most_bytes:
            oldest = next(iter(self._sizes))
            self.discard(oldest)
            dropped.append(oldest)
        return dropped

    def discard(self, key: str) -> None:
        """Forget a key that was deleted."""
        self._bytes -= self._sizes.pop(key, 0)
