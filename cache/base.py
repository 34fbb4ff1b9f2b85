"""Cache interface and the store in memory, an answer with its source and its age, and the address of a Redis."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cache.circuit_breaker import CircuitBreaker


@dataclass(frozen=True, slots=True)
class Answer:
    """A value with its source and its age."""

    value: Any
    source: str  # bot_live, redis_cache, memory_cache, journal or kalshi_api
    as_of: float  # Unix seconds when the value was last confirmed at its source
    stale: bool = False  # the value is older than its limit and its source did not give a newer one


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Host, database and credentials; here, so that a service without Redis does not load its client."""

    host: str
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.db}"


class Cache(Protocol):
    """Bytes by key, each for a limited time. A failure is a miss; no method raises or waits longer than its budget."""

    @property
    def name(self) -> str:
        """Return the source name of an answer from this cache now: memory_cache or redis_cache."""

    @property
    def breaker(self) -> CircuitBreaker | None:
        """Return the circuit breaker of the store; None for a store that cannot fail."""

    async def get(self, key: str) -> bytes | None:
        """Return the bytes under key; None if there are none, they expired, or the store did not answer."""

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Store value for at most ttl seconds (> 0), if there is room for it."""

    async def delete(self, *keys: str) -> None:
        """Delete these keys."""

    async def close(self) -> None:
        """Close the store's sockets and end its tasks."""


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
