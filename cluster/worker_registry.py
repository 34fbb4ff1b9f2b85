"""The roll of workers under one Redis prefix: which journal it belongs to, and what each worker's streams do."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from redis.exceptions import RedisError

from cache.decimal_json import dumps, loads
from cluster.component_health import ComponentHealth
from cluster.errors import PrefixInUse
from cluster.relay import Client

CLAIM: Final = 15  # seconds that a journal's claim on the prefix outlives its last worker
EVERY: Final = 2.0  # seconds between two signs of life
FRESH: Final = 3 * EVERY  # seconds after which a worker's numbers are those of a dead one


class WorkerRegistry:
    """snapshot: what this worker tells of itself, JSON-ready."""

    def __init__(
        self, client: Client, prefix: str, epoch: str, worker: str, snapshot: Callable[[], Mapping[str, Any]],
        health: ComponentHealth, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._client = client
        self._claim_key = f"{prefix}journal"
        self._roll_key = f"{prefix}workers:{epoch}"
        self._epoch = epoch
        self._worker = worker
        self._snapshot = snapshot
        self._clock = clock
        self.health = health

    async def claim(self) -> None:
        """Take the prefix for our journal. Raises PrefixInUse when it is another's; a Redis that is away is no bar."""
        try:
            other = await self._other()
        except (RedisError, OSError):
            return  # the relay's health says so, and the claim is repeated with each sign of life
        if other:
            raise PrefixInUse(self._claim_key, other, self._epoch)

    async def run(self) -> None:
        """Give signs of life, for ever."""
        while True:
            try:
                if other := await self._other():
                    self.health.fail(str(PrefixInUse(self._claim_key, other, self._epoch)))
                now = self._clock()
                pipe = self._client.pipeline(transaction=False)
                pipe.hset(self._roll_key, self._worker, dumps({"at": now, **self._snapshot()}))
                pipe.expire(self._roll_key, int(10 * FRESH))
                await pipe.execute()
            except (RedisError, OSError):
                await asyncio.sleep(EVERY)  # the relay's health says so
            await asyncio.sleep(EVERY)

    async def gather(self) -> list[dict[str, Any]]:
        """What the other living workers last told of themselves; none while Redis is away."""
        try:
            rows = await self._client.hgetall(self._roll_key)
            dead = [name for name, text in rows.items() if not self._fresh(text, 10 * FRESH)]
            if dead:
                await self._client.hdel(self._roll_key, *dead)
        except (RedisError, OSError):
            return []
        return [
            loads(text) for name, text in rows.items() if name != self._worker.encode() and self._fresh(text, FRESH)
        ]

    async def leave(self) -> None:
        """Strike our name; the claim ends with its time, for others may still stand under it."""
        try:
            async with asyncio.timeout(0.5):
                await self._client.hdel(self._roll_key, self._worker)
                if not await self._client.hlen(self._roll_key):
                    await self._client.delete(self._claim_key, self._roll_key)
        except (RedisError, OSError):  # TimeoutError is an OSError
            return  # both have a TTL

    async def _other(self) -> str:
        """The epoch that holds the prefix, when it is not ours; else the claim is ours for a while."""
        kept = await self._client.get(self._claim_key)
        if kept is not None and kept != self._epoch.encode():
            return str(kept.decode("ascii", "replace"))
        await self._client.set(self._claim_key, self._epoch, ex=CLAIM)
        return ""

    def _fresh(self, text: bytes, age: float) -> bool:
        try:
            return abs(self._clock() - float(loads(text)["at"])) < age
        except (KeyError, TypeError, ValueError, RecursionError):
            return False
