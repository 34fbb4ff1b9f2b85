"""Cache interface, an answer with its source and its age, and the address of a Redis."""

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
