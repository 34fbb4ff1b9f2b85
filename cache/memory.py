"""MemoryCache: the default store, a bounded dict whose entries know when they go stale."""

import time
from collections import OrderedDict
from collections.abc import Callable

from cache.circuit_breaker import CircuitBreaker


class MemoryCache:
    """Bytes in this process. Beyond its bounds the entry that was unused for longest goes first."""

    name = "memory_cache"
    breaker: CircuitBreaker | None = None  # it is never down

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
        """The bytes kept under key, or None when there are none or they expired."""
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
        """Keep value for at most ttl seconds; one that is larger than the whole store is not kept."""
        self._drop(key)
        if len(value) > self._max_bytes or ttl <= 0:
            return
        self._entries[key] = (self._clock() + ttl, value)
        self._bytes += len(value)
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def delete(self, *keys: str) -> None:
        """Forget these keys."""
        for key in keys:
            self._drop(key)

    async def close(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= len(entry[1])
