"""Cache in this process, bounded in entries and bytes."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from cache.circuit_breaker import CircuitBreaker


@dataclass(slots=True, eq=False)
class MemoryCache:
    """The default store: bytes in this process. Above its bounds the least recently used entry is dropped first."""

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
        expires, value = self._entries.get(key, (0.0, None))
        if value is None:
            return None
        if self.clock() >= expires:
            await self.delete(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        await self.delete(key)
        if len(value) > self.max_bytes or ttl <= 0:
            return
        self._entries[key] = (self.clock() + ttl, value)
        self._bytes += len(value)
        while len(self._entries) > self.max_entries or self._bytes > self.max_bytes:
            await self.delete(next(iter(self._entries)))

    async def delete(self, *keys: str) -> None:
        for key in keys:
            _, value = self._entries.pop(key, (0.0, b""))
            self._bytes -= len(value)

    async def close(self) -> None:
        await self.delete(*self._entries)
