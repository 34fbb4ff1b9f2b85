"""Memory cache: the default store, a bounded dict whose entries expire."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from cache.circuit_breaker import CircuitBreaker


@dataclass(slots=True, eq=False)
class MemoryCache:
    """Bytes in this process. Above its bounds the least recently used entry is dropped first."""

    max_entries: int = 2048
    max_bytes: int = 32 * 1024 * 1024
    clock: Callable[[], float] = time.monotonic
    name: str = field(default="memory_cache", init=False)
    breaker: CircuitBreaker | None = field(default=None, init=False)  # it cannot fail
    # When each expires, and its value; the least recently used first.
    _entries: OrderedDict[str, tuple[float, bytes]] = field(default_factory=OrderedDict, init=False, repr=False)
    _bytes: int = field(default=0, init=False)  # size of the values

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, key: str) -> bytes | None:
        """Return the bytes under key; None if there are none or they expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if self.clock() >= expires:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Store value for at most ttl seconds; a value larger than the whole store is dropped."""
        self._drop(key)
        if len(value) > self.max_bytes or ttl <= 0:
            return
        self._entries[key] = (self.clock() + ttl, value)
        self._bytes += len(value)
        while len(self._entries) > self.max_entries or self._bytes > self.max_bytes:
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
