"""What a cache promises, and what an answer says of itself: never an exception, always a source and an age."""

from dataclasses import dataclass
from typing import Any, Protocol

from cache.circuit_breaker import CircuitBreaker


@dataclass(frozen=True, slots=True)
class Answer:
    """A value with its provenance.

    source: bot_live, redis_cache, memory_cache, journal or kalshi_api.
    as_of: Unix seconds when the value was last confirmed at its source.
    stale: true when it is older than it may be and nothing better could be had.
    """

    value: Any
    source: str
    as_of: float
    stale: bool = False


class Cache(Protocol):
    """Remembers bytes for a while. A failure is a miss; no method raises, none waits longer than its budget."""

    @property
    def name(self) -> str:
        """The source that an answer from here carries now: memory_cache or redis_cache."""
        ...

    @property
    def breaker(self) -> CircuitBreaker | None:
        """What keeps requests from a store that is down; None for one that cannot be."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The bytes kept under key, or None when there are none, they expired, or the store did not answer."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep value for at most ttl seconds (> 0)."""
        ...

    async def delete(self, *keys: str) -> None:
        """Forget these keys."""
        ...

    async def close(self) -> None:
        """Give back what the store holds (sockets, tasks)."""
        ...
