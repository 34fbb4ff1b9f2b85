"""Redis cache: a failure is a miss, and no request waits for a Redis that is down.

Other programs share this Redis: every key has our prefix and a TTL, and no command touches the keys of others.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable
from typing import Any, Final, TypeAlias, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cache.base import RedisAddress
from cache.circuit_breaker import CircuitBreaker
from cache.memory import MemoryCache

log = logging.getLogger(__name__)
T = TypeVar("T")
LONGEST: Final = 900.0  # seconds that a value may live: less than a login session, which an eviction must not prefer
MOST_KEYS: Final = 256
MOST_BYTES: Final = 8 * 1024 * 1024
FULL: Final = 0.85  # share of maxmemory from which on nothing is written
CHECK_INTERVAL: Final = 2.0  # seconds between two readings of the memory in use
BETWEEN_CHECKS: Final = 1024 * 1024  # bytes that may be written on one reading
Client: TypeAlias = Any  # a redis.asyncio.Redis; the library's own types and the published stubs contradict each other


def connect(address: RedisAddress, timeout: float = 0.5, connections: int = 16) -> Client:
    """Return a client that gives up after timeout seconds; nothing is sent until it is used.

    redis-py's own defaults try eleven times for five seconds each, a minute on a server that hangs, and repeat a wrong
    password as often. A client for blocking reads (XREAD BLOCK) needs a timeout longer than its block.
    """
    make: Any = BlockingConnectionPool
    pool = make(
        host=address.host, port=address.port, db=address.db, username=address.username, password=address.password,
        socket_timeout=timeout, socket_connect_timeout=timeout, socket_keepalive=True, retry=Retry(NoBackoff(), 0),
        max_connections=connections, timeout=timeout,
    )  # fmt: skip
    client: Any = Redis
    return client.from_pool(pool)


class RedisBudget:
    """Count the keys that this process wrote, and check that Redis has room for more."""

    def __init__(self, keys: int = MOST_KEYS, size: int = MOST_BYTES) -> None:
        self._most_keys, self._most_bytes = keys, size
        self._sizes: OrderedDict[str, int] = OrderedDict()  # by key, the least recently written first
        self._bytes = 0
        self._checked_at = -CHECK_INTERVAL  # monotonic seconds
        self._written = 0  # bytes since the last reading
        self._is_full = False

    def needs_check(self, size: int, now: float) -> bool:
        """Return True if the memory in use must be read before so many bytes are written. now: monotonic seconds."""
        return now - self._checked_at >= CHECK_INTERVAL or self._written + size > BETWEEN_CHECKS

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
        """Stop counting a key that was deleted."""
        self._bytes -= self._sizes.pop(key, 0)


class RedisCache:
    """Redis while it answers, memory while it does not; `breaker` holds which, since when and why.

    budget: seconds that one request may spend on Redis: half for a get, half for a set. After the first failure no
    request waits: the breaker is open until a background probe has written and read again. Every value is stored in
    memory too, so that memory is filled when Redis fails.
    """

    def __init__(self, client: Client, prefix: str, budget: float = 0.25) -> None:
        self._client, self._prefix, self._budget = client, prefix, budget
        self._memory = MemoryCache()
        # One failure opens it: returning costs one probe, waiting would cost every request.
        self.breaker = CircuitBreaker(failures=1, grace=0.2, longest=5.0)
        self._room = RedisBudget()
        self._calls: set[asyncio.Future[Any]] = set()
        self._probe: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Return redis_cache, or memory_cache while Redis is down."""
        return "redis_cache" if self.breaker.state == "closed" else self._memory.name

    async def get(self, key: str) -> bytes | None:
        good, value = False, None
        if self.breaker.state == "closed":
            good, value = await self._call(self._client.get(self._prefix + key))
        return value if good else await self._memory.get(key)

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Store value in memory for at most ttl seconds, and in Redis for at most LONGEST while it has room."""
        await self._memory.set(key, value, ttl)
        if self.breaker.state != "closed" or ttl <= 0 or not await self._has_room(len(value)):
            return
        dropped = self._room.add(key, len(value))
        pipe = self._client.pipeline(transaction=False)
        pipe.set(self._prefix + key, value, px=max(1, int(min(ttl, LONGEST) * 1000)))
        if dropped:
            pipe.delete(*(self._prefix + each for each in dropped))
        await self._call(pipe.execute())

    async def _has_room(self, size: int) -> bool:
        """Return True if so many bytes make Redis evict nothing of others."""
        now = time.monotonic()
        if self._room.needs_check(size, now):
            good, memory = await self._call(self._client.info("memory"))
            if not good or memory is None:
                return False
            self._room.set_memory(int(memory["used_memory"]), int(memory.get("maxmemory", 0)), now)
        return self._room.allows(size)

    async def delete(self, *keys: str) -> None:
        """Delete these keys; a Redis that is down keeps them until their TTL."""
        await self._memory.delete(*keys)
        for key in keys:
            self._room.discard(key)
        if self.breaker.state == "closed" and keys:
            await self._call(self._client.delete(*(self._prefix + key for key in keys)))

    async def close(self) -> None:
        """End the probe, the calls in progress and the connections."""
        remaining = [*self._calls, *([self._probe] if self._probe else [])]
        for task in remaining:
            task.cancel()
        if remaining:
            await asyncio.wait(remaining, timeout=1.0)
        try:
            async with asyncio.timeout(1.0):
                await self._client.aclose()
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            log.debug("redis: closing: %s", error)

    async def _call(self, call: Awaitable[T]) -> tuple[bool, T | None]:
        """Return (True, the answer) or (False, None) within half the budget; the first failure opens the breaker."""
        # In a task of its own: a cancelled call of the library was measured to continue until its socket timeout.
        task = asyncio.ensure_future(call)
        self._calls.add(task)
        task.add_done_callback(self._forget_call)
        try:
            await asyncio.wait([task], timeout=self._budget / 2)
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            self._failed(f"no answer within {self._budget / 2:.3f} s")
            return False, None
        try:
            return True, task.result()
        except (RedisError, OSError) as error:
            if str(error).startswith("WRONGTYPE"):
                return True, None  # a list or hash under our key: a miss, and the next set replaces it
            self._failed(_failure_text(error))
            return False, None

    def _forget_call(self, task: "asyncio.Future[Any]") -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved here, because the caller may have stopped waiting

    def _failed(self, reason: str) -> None:
        if self.breaker.failed(reason):
            log.warning("Redis failed (%s); answering from memory until it is back", reason)
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._until_back(), name="redis probe")

    async def _until_back(self) -> None:
        """Probe with growing pauses until one write and one read succeed."""
        while self.breaker.state != "closed":
            await asyncio.sleep(self.breaker.retry_in + 0.01)
            self.breaker.allows()  # this is the trial
            try:
                # Longer than a request may wait: a busy Redis is not down.
                async with asyncio.timeout(2.0):
                    # A full or read-only Redis still answers reads.
                    await self._client.set(self._prefix + "probe", b"1", px=10_000)
                    await self._client.get(self._prefix + "probe")
            except (RedisError, OSError) as error:
                self.breaker.failed(_failure_text(error))
            else:
                self.breaker.succeeded()
                log.info("Redis is back; answering from it again")


def _failure_text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else "no answer in time"
