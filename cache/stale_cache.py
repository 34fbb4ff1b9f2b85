"""Keeper: an answer from near by, else from the cache, else from its source; the last good one when that fails."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from cache.base import Answer, Cache
from cache.cache_entry import CacheEntry
from cache.cached_value import CachedValue

Fetch = Callable[[], Awaitable[Any]]
_Flown: TypeAlias = "tuple[CacheEntry, CachedValue, bool]"  # entry, value to return, and whether the source gave it


@dataclass(frozen=True, slots=True)
class Settled:
    """What a fetch may give instead of a bare value: the value, and up to when (Unix seconds) the source knew all."""

    value: Any
    through: float


@dataclass(slots=True)
class CacheCounts:
    """What /health and /metrics tell of a keeper."""

    near: int = 0  # answered in this process at once
    cached: int = 0  # found in the cache
    fetched: int = 0  # asked for at the source
    failed: int = 0  # asked for in vain
    stale: int = 0  # answered with an old value


class StaleCache:
    """Answers by key, each from the nearest place that is good enough.

    source: what a value says of itself that has just been fetched. failures: errors of a fetch that an old value may
    stand in for. verdicts: those of them that are an answer themselves (no such thing) and end the old value.
    keep: seconds that an old value may stand in after its ttl. near: seconds that a look into the cache is good for.
    limit: seconds that one fetch may take. patience: seconds that a reader waits for it when an old value is at hand.
    """

    def __init__(
        self,
        cache: Cache,
        source: str,
        failures: tuple[type[Exception], ...],
        verdicts: tuple[type[Exception], ...] = (),
        *,
        keep: float = 86400.0,
        near: float = 1.0,
        limit: float = 30.0,
        patience: float = 2.0,
        most: int = 512,
        most_bytes: int = 8 * 1024 * 1024,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache, self._source = cache, source
        self._failures: tuple[type[Exception], ...] = (*failures, TimeoutError)
        self._verdicts = verdicts
        self._keep, self._near, self._limit, self._most, self._most_bytes = keep, near, limit, most, most_bytes
        self._patience = patience
        self._clock, self._monotonic = clock, monotonic
        # All mutable state: what is held, least recently used first, its size, the fetches under way, the counts.
        self._held: OrderedDict[str, CacheEntry] = OrderedDict()
        self._bytes = 0
        self._flights: dict[str, tuple[asyncio.Task[_Flown], float]] = {}  # with the moment of their start
        self.counts = CacheCounts()

    def peek(self, key: str, ttl: float, since: float = 0.0) -> Answer | None:
        """What `get` would give without waiting for anything, or None when it would have to."""
        held = self._held.get(key)
        if held is None or held.record is None:
            return None
        moment = self._monotonic()
        if held.record.judge(self._clock(), ttl, since) == "fresh":
            if moment >= held.checked:
                return None
            self.counts.near += 1
            self._held.move_to_end(key)
            return held.answer
        if held.must_wait(since, moment) and self._may_stand_in(held.record, ttl):
            return self._stale(held, held.record)
        return None

    async def get(self, key: str, ttl: float, fetch: Fetch, since: float = 0.0) -> Answer:
        """The answer under key, at most ttl seconds old, and settled since that time (Unix seconds, 0: never mind).

        However many ask at once, fetch runs once; it goes on when its first asker leaves. When it fails, takes long, or
        brings what is not settled, the answer is stale: true and the source is left alone for a while that grows.
        The value is shared by all readers: do not change it. Raises what fetch raised when there is no old value.
        """
        answer = self.peek(key, ttl, since)
        if answer is not None:
            return answer
        flight, begun = self._flights.get(key) or self._start(key, ttl, fetch, since)
        # Counted from its start: of a source that hangs, those who come later know already.
        await asyncio.wait([flight], timeout=max(0.0, begun + self._patience - self._monotonic()))
        known = self._held.get(key)
        if not flight.done() and known and known.record and self._may_stand_in(known.record, ttl):
            return self._tell(known, known.record, ttl, since, direct=False)
        held, record, direct = await asyncio.shield(flight)
        return self._tell(held, record, ttl, since, direct)

    def _start(self, key: str, ttl: float, fetch: Fetch, since: float) -> "tuple[asyncio.Task[_Flown], float]":
        flight = asyncio.create_task(self._fly(key, ttl, fetch, since), name=f"fetch {key}")
        self._flights[key] = flight, self._monotonic()
        flight.add_done_callback(lambda done: self._landed(key, done))
        return self._flights[key]

    def trouble(self, within: float = 120.0) -> str | None:
        """Why the newest fetch in vain of the last seconds failed, of those that none has made good since."""
        failed = [held for held in self._held.values() if held.error and not isinstance(held.error, self._verdicts)]
        newest = max(failed, key=lambda held: held.asked, default=None)
        if newest is None or self._monotonic() - newest.asked > within:
            return None
        return str(newest.error) or f"no answer within {self._limit:g} s"

    async def close(self) -> None:
        """End the fetches under way; the cache is its owner's to close."""
        flights = [flight for flight, _ in self._flights.values()]
        for flight in flights:
            flight.cancel()
        if flights:
            await asyncio.wait(flights, timeout=1.0)

    async def _fly(self, key: str, ttl: float, fetch: Fetch, since: float) -> _Flown:
        """Look into the cache, then ask the source if need be."""
        held = await self._look(key)
        record = held.record
        if record is not None and record.judge(self._clock(), ttl, since) == "fresh":
            self.counts.cached += 1
            return held, record, False
        if held.must_wait(since, self._monotonic()):
            if record is not None and self._may_stand_in(record, ttl):
                return held, record, False
            if held.error is not None:
                raise held.error.with_traceback(None)
        return await self._ask(key, held, ttl, fetch, since)

    async def _look(self, key: str) -> CacheEntry:
        """The newest of what the cache has and what we hold: after an outage the cache may have gone back in time."""
        raw = await self.cache.get(key)
        held = self._held.setdefault(key, CacheEntry())
        unread = raw is not None and not (held.record is not None and held.record.wrote(raw))
        record = CachedValue.decode(raw) if raw is not None and unread else None
        if record is not None and raw is not None and (held.record is None or record.as_of > held.record.as_of):
            self._hold(key, held, record, len(raw))
        held.look(self.cache.name, self._monotonic() + self._near)
        self._trim()
        return held

    async def _ask(self, key: str, held: CacheEntry, ttl: float, fetch: Fetch, since: float) -> _Flown:
        held.begin(since, self._monotonic())
        as_of = self._clock()
        try:
            async with asyncio.timeout(self._limit):
                value = await fetch()
        except self._verdicts as error:
            self._hold(key, held, None, 0)
            await self.cache.delete(key)
            held.leave_alone(error, self._monotonic())
            raise
        except self._failures as error:
            self.counts.failed += 1
            held.leave_alone(error, self._monotonic())
            if held.record is None or not self._may_stand_in(held.record, ttl):
                raise
            return held, held.record, False
        self.counts.fetched += 1
        through = value.through if isinstance(value, Settled) else 0.0
        record = CachedValue(value.value if isinstance(value, Settled) else value, as_of, through)
        raw = record.encode()
        await self.cache.set(key, raw, ttl + self._keep)
        self._hold(key, held, record, len(raw))
        if record.judge(as_of, ttl, since) == "unsettled":
            held.leave_alone(None, self._monotonic())
        else:
            held.settle()
        return held, record, True

    def _hold(self, key: str, held: CacheEntry, record: CachedValue | None, size: int) -> None:
        """Take a record in."""
        self._bytes += size - held.size
        held.take(record, size, self.cache.name)
        held.look(self.cache.name, self._monotonic() + self._near)
        self._held[key] = held  # it may have been let go of while its fetch was under way
        self._held.move_to_end(key)
        self._trim()

    def _trim(self) -> None:
        while len(self._held) > 1 and (len(self._held) > self._most or self._bytes > self._most_bytes):
            _, gone = self._held.popitem(last=False)
            self._bytes -= gone.size
            gone.size = 0

    def _may_stand_in(self, record: CachedValue, ttl: float) -> bool:
        return self._clock() - record.as_of < ttl + self._keep

    def _tell(self, held: CacheEntry, record: CachedValue, ttl: float, since: float, direct: bool) -> Answer:
        """What a flight brought, judged by what this reader asked: it may have joined one begun before the news."""
        fresh = record.judge(self._clock(), ttl, since) == "fresh"
        if direct:
            return Answer(record.value, self._source, record.as_of, stale=not fresh)
        if fresh:
            return held.answer or Answer(record.value, self.cache.name, record.as_of)
        return self._stale(held, record)

    def _stale(self, held: CacheEntry, record: CachedValue) -> Answer:
        self.counts.stale += 1
        return held.stale(record, self.cache.name)

    def _landed(self, key: str, flight: "asyncio.Task[_Flown]") -> None:
        self._flights.pop(key, None)
        if not flight.cancelled():
            flight.exception()  # looked at, for all who waited for it may have left
