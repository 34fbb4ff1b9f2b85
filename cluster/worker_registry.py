"""The registry of workers under one Redis prefix: the journal that uses it, and each worker's snapshot."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from redis.exceptions import RedisError

from cache.decimal_json import dumps, loads
from cluster.component_health import ComponentHealth
from cluster.errors import PrefixInUse
from cluster.relay import Client
from journal.base import Journal

CLAIM: Final = 15  # seconds that a journal's claim on the prefix outlives its last worker
EVERY: Final = 2.0  # seconds between two registrations
FRESH: Final = 3 * EVERY  # seconds after which a worker's snapshot is that of a dead one


class WorkerRegistry:
    """snapshot: returns this worker's numbers, JSON-ready."""

    def __init__(
        self, client: Client, prefix: str, journal: Journal, worker: str, snapshot: Callable[[], Mapping[str, Any]],
        health: ComponentHealth, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._client = client
        self._prefix = prefix
        self._claim_key = f"{prefix}journal"
        self._journal = journal
        self._worker = worker
        self._snapshot = snapshot
        self._clock = clock
        self.health = health

    @property
    def _key(self) -> str:
        return f"{self._prefix}workers:{self._journal.identity}"

    async def claim(self) -> None:
        """Claim the prefix for this journal. Raises PrefixInUse when it is another's; Redis may be unavailable."""
        try:
            other = await self._other()
        except (RedisError, OSError):
            return  # the relay's health shows it, and the claim is repeated with each registration
        if other:
            raise PrefixInUse(self._claim_key, other, self._journal.epoch)

    async def run(self) -> None:
        """Register this worker again and again."""
        while True:
            try:
                if other := await self._other():
                    self.health.fail(str(PrefixInUse(self._claim_key, other, self._journal.epoch)))
                now = self._clock()
                pipe = self._client.pipeline(transaction=False)
                pipe.hset(self._key, self._worker, dumps({"at": now, **self._snapshot()}))
                pipe.expire(self._key, int(10 * FRESH))
                await pipe.execute()
            except (RedisError, OSError):
                await asyncio.sleep(EVERY)  # the relay's health shows it
            await asyncio.sleep(EVERY)

    async def gather(self) -> list[dict[str, Any]]:
        """Return the latest snapshots of the other living workers; none while Redis is unavailable."""
        try:
            rows = await self._client.hgetall(self._key)
            dead = [name for name, text in rows.items() if not self._fresh(text, 10 * FRESH)]
            if dead:
                await self._client.hdel(self._key, *dead)
        except (RedisError, OSError):
            return []
        return [
            loads(text) for name, text in rows.items() if name != self._worker.encode() and self._fresh(text, FRESH)
        ]

    async def leave(self) -> None:
        """Remove this worker; the claim expires by itself where other workers use it."""
        try:
            async with asyncio.timeout(0.5):
                await self._client.hdel(self._key, self._worker)
                if not await self._client.hlen(self._key):
                    await self._client.delete(self._claim_key, self._key)
        except (RedisError, OSError):  # TimeoutError is an OSError
            return  # both have a TTL

    async def _other(self) -> str:
        """Return the epoch of another journal that claims the prefix; "" after claiming it for this one.

        The same epoch (a copy of this journal, or a worker of version 0.1) and the same physical journal (after a new
        epoch) are no other journal.
        """
        claim = await self._client.get(self._claim_key)
        epoch, _, identity = (claim or b"").decode("ascii", "replace").partition(" ")
        if claim is not None and epoch != self._journal.epoch and identity != self._journal.identity:
            return epoch
        await self._client.set(self._claim_key, f"{self._journal.epoch} {self._journal.identity}", ex=CLAIM)
        return ""

    def _fresh(self, text: bytes, age: float) -> bool:
        try:
            return abs(self._clock() - float(loads(text)["at"])) < age
        except (KeyError, TypeError, ValueError, RecursionError):
            return False
