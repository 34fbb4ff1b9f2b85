"""Keeper: an answer from near by, else from the cache, else from its source; the last good one when that fails."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from cache.base import Answer, Cache
from cache.record import Record

FIRST, LONGEST = 1.0, 15.0  # seconds before the source is asked again, after one failure and after many
Fetch = Callable[[], Awaitable[Any]]
_Flown: TypeAlias = "tuple[_Held, Record, bool]"  # what is held, the record to tell, and whether the source said it


@dataclass(frozen=True, slots=True)
class Settled:
    """What a fetch may give instead of a bare value: the value, and up to when (Unix seconds) the source knew all."""

    value: Any
    through: float


@dataclass(slots=True, eq=False)
class _Held:
    """What this process knows of one key. answer and old are made once per record, so that readers can tell by
    identity that nothing has changed and keep what they made of it."""

    record: Record | None = None
    size: int = 0
    answer: Answer | None = None  # as it is told while fresh
    old: Answer | None = None  # as it is told while stale
    checked: float = 0.0  # monotonic; until then the cache need not be looked at again
    tries: int = 0  # in a row that brought nothing better
    asked: float = 0.0  # monotonic
    ask_at: float = 0.0  # monotonic; the source is left alone until then
    since: float = 0.0  # what the tries were about
    error: Exception | None = None


@dataclass(slots=True)
class Counts:
    """What /health and /metrics tell of a keeper."""

    near: int = 0  # answered in this process at once
    cached: int = 0  # found in the cache
    fetched: int = 0  # asked for at the source
    failed: int = 0  # asked for in vain
    stale: int = 0  # answered with an old value


class Keeper:
    """Answers by key, each from the nearest place that is good enough.

    source: what a value says of itself that has just been fetched. failures: errors of a fetch that an old value may
    stand in for. verdicts: those of them that are an answer themselves (no such thing) and end the old value.
    keep: seconds that an old value may stand in after its ttl. near: seconds that a look into the cache is good for.
    limit: seconds that one fetch may take.
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
        most: int = 512,
        most_bytes: int = 8 * 1024 * 1024,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cache, self._source = cache, source
        self._failures: tuple[type[Exception], ...] = (*failures, TimeoutError)
        self._verdicts = verdicts
        self._keep, self._near, self._limit, self._most, self._most_bytes = keep, near, limit, most, most_bytes
        self._clock, self._monotonic = clock, monotonic
        # All mutable state: what is held, least recently used first, its size, the fetches under way, the counts.
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._bytes = 0
        self._flights: dict[str, asyncio.Task[_Flown]] = {}
        self.counts = Counts()

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
        if self._must_wait(held, since, moment) and self._may_stand_in(held.record, ttl):
            return self._stale(held, held.record)
        return None

    async def get(self, key: str, ttl: float, fetch: Fetch, since: float = 0.0) -> Answer:
        """The answer under key, at most ttl seconds old, and settled since that time (Unix seconds, 0: never mind).

        However many ask at once, fetch runs once; it goes on when its first asker leaves. When it fails, or brings
        what is not settled, the answer is stale: true and the source is left alone for a while that grows. The value
        is shared by all readers: do not change it. Raises what fetch raised when there is no old value.
        """
        answer = self.peek(key, ttl, since)
        if answer is not None:
            return answer
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, ttl, fetch, since), name=f"fetch {key}")
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        held, record, direct = await asyncio.shield(flight)
        return self._tell(held, record, ttl, since, direct)

    async def close(self) -> None:
        """End the fetches under way; the cache is its owner's to close."""
        flights = list(self._flights.values())
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
        if self._must_wait(held, since, self._monotonic()):
            if record is not None and self._may_stand_in(record, ttl):
                return held, record, False
            if held.error is not None:
                raise held.error.with_traceback(None)
        return await self._ask(key, held, ttl, fetch, since)

    async def _look(self, key: str) -> _Held:
        """The newest of what the cache has and what we hold: after an outage the cache may have gone back in time."""
        raw = await self.cache.get(key)
        held = self._held.setdefault(key, _Held())
        unread = raw is not None and not (held.record is not None and held.record.wrote(raw))
        record = Record.decode(raw) if raw is not None and unread else None
        if record is not None and raw is not None and (held.record is None or record.as_of > held.record.as_of):
            self._hold(key, held, record, len(raw))
        elif held.answer is not None and held.answer.source != self.cache.name:
            held.answer = Answer(held.answer.value, self.cache.name, held.answer.as_of)
        held.checked = self._monotonic() + self._near
        self._trim()
        return held

    async def _ask(self, key: str, held: _Held, ttl: float, fetch: Fetch, since: float) -> _Flown:
        held.asked, held.since, as_of = self._monotonic(), since, self._clock()
        try:
            async with asyncio.timeout(self._limit):
                value = await fetch()
        except self._verdicts as error:
            self._hold(key, held, None, 0)
            await self.cache.delete(key)
            self._leave_alone(held, error)
            raise
        except self._failures as error:
            self.counts.failed += 1
            self._leave_alone(held, error)
            if held.record is None or not self._may_stand_in(held.record, ttl):
                raise
            return held, held.record, False
        self.counts.fetched += 1
        through = value.through if isinstance(value, Settled) else 0.0
        record = Record(value.value if isinstance(value, Settled) else value, as_of, through)
        raw = record.encode()
        await self.cache.set(key, raw, ttl + self._keep)
        self._hold(key, held, record, len(raw))
        if record.judge(as_of, ttl, since) == "unsettled":
            self._leave_alone(held, None)
        else:
            held.tries, held.ask_at, held.error = 0, 0.0, None
        return held, record, True

    def _hold(self, key: str, held: _Held, record: Record | None, size: int) -> None:
        """Take a record in."""
        self._bytes += size - held.size
        held.record, held.size, held.old = record, size, None
        held.answer = Answer(record.value, self.cache.name, record.as_of) if record else None
        held.checked = self._monotonic() + self._near
        self._held[key] = held  # it may have been let go of while its fetch was under way
        self._held.move_to_end(key)
        self._trim()

    def _trim(self) -> None:
        while len(self._held) > 1 and (len(self._held) > self._most or self._bytes > self._most_bytes):
            _, gone = self._held.popitem(last=False)
            self._bytes -= gone.size
            gone.size = 0

    def _must_wait(self, held: _Held, since: float, moment: float) -> bool:
        """Is the source to be left alone? News since the last try shorten the wait, for they change the question."""
        if held.error is None and since > held.since:
            return moment < min(held.ask_at, held.asked + FIRST)
        return moment < held.ask_at

    def _leave_alone(self, held: _Held, error: Exception | None) -> None:
        """After a try that brought nothing better."""
        held.tries += 1
        held.error = error
        held.ask_at = self._monotonic() + min(LONGEST, FIRST * 2.0 ** min(held.tries - 1, 10))

    def _may_stand_in(self, record: Record, ttl: float) -> bool:
        return self._clock() - record.as_of < ttl + self._keep

    def _tell(self, held: _Held, record: Record, ttl: float, since: float, direct: bool) -> Answer:
        """What a flight brought, judged by what this reader asked: it may have joined one begun before the news."""
        fresh = record.judge(self._clock(), ttl, since) == "fresh"
        if direct:
            return Answer(record.value, self._source, record.as_of, stale=not fresh)
        if fresh:
            return held.answer or Answer(record.value, self.cache.name, record.as_of)
        return self._stale(held, record)

    def _stale(self, held: _Held, record: Record) -> Answer:
        self.counts.stale += 1
        if held.old is None or held.old.as_of != record.as_of:
            held.old = Answer(record.value, self.cache.name, record.as_of, stale=True)
        return held.old

    def _landed(self, key: str, flight: "asyncio.Task[_Flown]") -> None:
        self._flights.pop(key, None)
        if not flight.cancelled():
            flight.exception()  # looked at, for all who waited for it may have left
