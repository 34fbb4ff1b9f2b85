"""Memory cache: the default store, a bounded dict whose entries expire."""

import time
from collections import OrderedDict
from collections.abc import Callable

from cache.circuit_breaker import CircuitBreaker


class MemoryCache:
    """Bytes in this process. Above its bounds the least recently used entry is dropped first."""

    name = "memory_cache"
    breaker: CircuitBreaker | None = None  # it cannot fail

    def __init__(
        self, max_entries: int = 2048, max_bytes: int = 32 * 1024 * 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_entries, self._max_bytes, self._clock = max_entries, max_bytes, clock
        # All mutable state: key -> (when it expires, value), least recently used first, and the size of the values.
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"MemoryCache({len(self._entries)} entries, {self._bytes} bytes)"

    async def get(self, key: str) -> bytes | None:
        """Return the bytes under key; None if there are none or they expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if self._clock() >= expires:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Store value for at most ttl seconds; a value larger than the whole store is dropped."""
        self._drop(key)
        if len(value) > self._max_bytes or ttl <= 0:
            return
        self._entries[key] = (self._clock() + ttl, value)
        self._bytes += len(value)
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def delete(self, *keys: str) -> None:
        """Delete these keys."""
        for key in keys:
            self._drop(key)

    async def close(self) -> None:
        """Delete everything."""
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1])
