"""Stale-if-error cache: an answer from memory, else from the shared cache, else from its source."""

import asyncio
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from cache.base import Answer, Cache
from cache.decimal_json import dumps, loads

Fetch = Callable[[], Awaitable[Any]]
Freshness = Literal["fresh", "incomplete", "expired"]
CLOCK_TOLERANCE = 5.0  # seconds by which another host's clock may be ahead of ours
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 15.0  # seconds until the source is asked again, after one failure and after many
DIGEST = re.compile(r":[0-9a-f]{24}$")  # of a request's parameters, at the end of a key

Fetched: TypeAlias = "tuple[CacheEntry, CachedValue, bool]"  # entry, value, and True if the source gave it just now


@dataclass(frozen=True, slots=True)
class CompleteValue:
    """Result of a fetch with the Unix seconds up to which it contains every event, as its source reports."""

    value: Any
    complete_to: float


@dataclass(frozen=True, slots=True)
class CachedValue:
    """A value as its source returned it. Times are Unix seconds."""

    value: Any
    as_of: float  # when the fetch began
    complete_to: float = 0.0  # up to which the source then contained every event; 0 if it does not report it

    def freshness(self, now: float, ttl: float, newer_than: float) -> Freshness:
        """Return fresh, incomplete (read before the source contained the event at newer_than, 0: none) or expired."""
        # A value from the future, after a clock was set back, has an unknown age.
        if not -CLOCK_TOLERANCE <= now - self.as_of < ttl:
            return "expired"
        return "incomplete" if newer_than and self.complete_to <= newer_than else "fresh"

    def encode(self) -> bytes:
        """Return the JSON text, decimals exact."""
        return dumps([self.as_of, self.complete_to, self.value]).encode("ascii")

    def is_encoded_in(self, raw: bytes) -> bool:
        """Return True if raw is this value's text. Compares the time alone, so a large value is not parsed again."""
        return raw.startswith(f"[{dumps(self.as_of)},".encode("ascii"))

    @classmethod
    def decode(cls, raw: bytes) -> "CachedValue | None":
        """Return the value of such a text, or None for anything else: a shared store may hold anything."""
        try:
            as_of, complete_to, value = loads(raw)
            return cls(value, float(as_of), float(complete_to))
        except (ValueError, TypeError, RecursionError):
            return None


@dataclass(slots=True, eq=False)
class CacheEntry:
    """A value and its answers, made once, so that callers see by identity that nothing changed. Monotonic seconds."""

    value: CachedValue | None = None
    size: int = 0  # bytes of the encoded value
    fresh_answer: Answer | None = None
    stale_answer: Answer | None = None
    cache_valid_until: float = 0.0  # until then the shared cache is not read again
    failures: int = 0  # fetches in a row that gave nothing better
    fetch_began: float = 0.0
    fetch_not_before: float = 0.0
    fetch_newer_than: float = 0.0  # the event (Unix seconds) that the last fetch had to include
    succeeded: float = 0.0  # when the last fetch that gave a value began
    error: Exception | None = None

    def set_cache_checked(self, source: str, until: float) -> None:
        """Note that the shared cache has nothing newer until then; its source name may have changed."""
        self.cache_valid_until = until
        if self.fresh_answer is not None and self.fresh_answer.source != source:
            self.fresh_answer = Answer(self.fresh_answer.value, source, self.fresh_answer.as_of)

    def back_off(self, error: Exception | None, moment: float) -> None:
        """Note that a fetch gave nothing better, and double the time until the next one."""
        self.failures += 1
        self.error = error
        backoff = FIRST_BACKOFF * 2.0 ** min(self.failures - 1, 10)  # a larger power may overflow
        self.fetch_not_before = moment + min(LONGEST_BACKOFF, backoff)

    def must_wait(self, newer_than: float, moment: float) -> bool:
        """Return True if the source must not be called yet. An event since the last fetch shortens the wait."""
        if self.error is None and newer_than > self.fetch_newer_than:
            return moment < min(self.fetch_not_before, self.fetch_began + FIRST_BACKOFF)
        return moment < self.fetch_not_before


@dataclass(slots=True, eq=False)
class StaleCache:
    """Answers by key, each from the nearest place that is good enough."""

    store: Cache  # shared with other processes
    source: str  # source name of a value that was just fetched
    failures: tuple[type[Exception], ...]  # errors of a fetch that a stale value may replace
    final_errors: tuple[type[Exception], ...] = ()  # those that are the answer (no such thing) and delete the value
    keep: float = 86400.0  # seconds that a stale value may be used after its ttl
    near: float = 1.0  # seconds between two reads of the shared cache
    limit: float = 30.0  # seconds that one fetch may take
    patience: float = 2.0  # seconds that a caller waits for it where a stale value exists
    max_entries: int = 512
    max_bytes: int = 8 * 1024 * 1024
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    counts: Counter[str] = field(default_factory=Counter)  # answers near, cached, fetched, failed, stale
    _entries: OrderedDict[str, CacheEntry] = field(default_factory=OrderedDict)  # least recently used first
    _bytes: int = 0  # size of the entries
    _fetches: dict[str, tuple[asyncio.Task[Fetched], float]] = field(default_factory=dict)  # in progress, since when

    def peek(self, key: str, ttl: float, newer_than: float = 0.0) -> Answer | None:
        """Return what `get` would return without waiting, or None if it would have to wait."""
        entry = self._entries.get(key)
        if entry is None or entry.value is None:
            return None
        moment = self.monotonic()
        if entry.value.freshness(self.clock(), ttl, newer_than) == "fresh":
            if moment >= entry.cache_valid_until:
                return None
            self.counts["near"] += 1
            self._entries.move_to_end(key)
            return entry.fresh_answer
        if entry.must_wait(newer_than, moment) and self._is_usable(entry.value, ttl):
            return self._stale(entry, entry.value)
        return None

    async def get(self, key: str, ttl: float, fetch: Fetch, newer_than: float = 0.0) -> Answer:
        """Return the value under key: from memory, else the shared cache, else fetch().

        ttl: maximum age in seconds. newer_than: Unix seconds of the last event that the value must include; 0 for any.
        Concurrent calls for one key share one fetch, which continues when its first caller is cancelled.
        If fetch fails, takes longer than `patience`, or returns a value that does not include newer_than, the previous
        value is returned with stale=True and fetch is not called again until a backoff has passed.
        Callers share the value and must not modify it. Raises whatever fetch raised if there is no previous value.
        """
        answer = self.peek(key, ttl, newer_than)
        if answer is not None:
            return answer
        if key not in self._fetches:
            begun = asyncio.create_task(self._cached_or_fetched(key, ttl, fetch, newer_than), name=f"fetch {key}")
            self._fetches[key] = begun, self.monotonic()
            begun.add_done_callback(lambda done: self._end_fetch(key, done))
        task, began = self._fetches[key]
        # Counted from its start, so that later callers wait less for a source that hangs.
        await asyncio.wait([task], timeout=max(0.0, began + self.patience - self.monotonic()))
        known = self._entries.get(key)
        if not task.done() and known and known.value and self._is_usable(known.value, ttl):
            return self._answer(known, known.value, ttl, newer_than, fetched=False)
        entry, value, fetched = await asyncio.shield(task)
        return self._answer(entry, value, ttl, newer_than, fetched)

    def latest_error(self, within: float = 120.0) -> str | None:
        """Return the latest fetch error of the last seconds that no later success has cleared, or None."""
        # Keys that differ in a digest at their end alone are one resource: the same parameters may never come again.
        cleared: dict[str, float] = {}
        for key, entry in self._entries.items():
            resource = DIGEST.sub("", key)
            cleared[resource] = max(cleared.get(resource, 0.0), entry.succeeded)
        newest, began = None, self.monotonic() - within
        for key, entry in self._entries.items():
            failed = entry.error and not isinstance(entry.error, self.final_errors)
            if failed and entry.fetch_began >= max(began, cleared[DIGEST.sub("", key)]):
                newest, began = entry.error, entry.fetch_began
        return None if newest is None else str(newest) or f"no answer within {self.limit:g} s"

    def end_waits(self) -> None:
        """Let every key be fetched again at once: the source has recovered."""
        for entry in self._entries.values():
            entry.fetch_not_before = 0.0

    async def close(self) -> None:
        """Cancel the fetches in progress; the caller closes the shared cache."""
        tasks = [task for task, _ in self._fetches.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    async def _cached_or_fetched(self, key: str, ttl: float, fetch: Fetch, newer_than: float) -> Fetched:
        """Read the shared cache, then call the source if the cached value is not good enough."""
        entry = await self._read_cache(key)
        value = entry.value
        if value is not None and value.freshness(self.clock(), ttl, newer_than) == "fresh":
            self.counts["cached"] += 1
            return entry, value, False
        if entry.must_wait(newer_than, self.monotonic()):
            if value is not None and self._is_usable(value, ttl):
                return entry, value, False
            if entry.error is not None:
                raise entry.error.with_traceback(None)
        return await self._fetch(key, entry, ttl, fetch, newer_than)

    async def _read_cache(self, key: str) -> CacheEntry:
        """Return the newer of the shared cache's value and ours: after an outage the cache may hold an older one."""
        raw = await self.store.get(key)
        entry = self._entries.setdefault(key, CacheEntry())
        if raw is not None and (entry.value is None or not entry.value.is_encoded_in(raw)):
            value = CachedValue.decode(raw)
            if value is not None and (entry.value is None or value.as_of > entry.value.as_of):
                self._store(key, entry, value, len(raw))
        entry.set_cache_checked(self.store.name, self.monotonic() + self.near)
        self._trim()
        return entry

    async def _fetch(self, key: str, entry: CacheEntry, ttl: float, fetch: Fetch, newer_than: float) -> Fetched:
        entry.fetch_began, entry.fetch_newer_than = self.monotonic(), newer_than
        as_of = self.clock()
        failures: tuple[type[Exception], ...] = (*self.failures, TimeoutError)
        try:
            async with asyncio.timeout(self.limit):
                result = await fetch()
        except self.final_errors as error:
            self._store(key, entry, None, 0)
            await self.store.delete(key)
            entry.back_off(error, self.monotonic())
            raise
        except failures as error:
            self.counts["failed"] += 1
            entry.back_off(error, self.monotonic())
            if entry.value is None or not self._is_usable(entry.value, ttl):
                raise
            return entry, entry.value, False
        self.counts["fetched"] += 1
        complete_to = result.complete_to if isinstance(result, CompleteValue) else 0.0
        value = CachedValue(result.value if isinstance(result, CompleteValue) else result, as_of, complete_to)
        raw = value.encode()
        await self.store.set(key, raw, ttl + self.keep)
        self._store(key, entry, value, len(raw))
        entry.succeeded = entry.fetch_began
        if value.freshness(as_of, ttl, newer_than) == "incomplete":
            entry.back_off(None, self.monotonic())
        else:
            entry.failures, entry.fetch_not_before, entry.error = 0, 0.0, None
        return entry, value, True

    def _store(self, key: str, entry: CacheEntry, value: CachedValue | None, size: int) -> None:
        self._bytes += size - entry.size
        entry.value, entry.size, entry.stale_answer = value, size, None
        entry.fresh_answer = Answer(value.value, self.store.name, value.as_of) if value else None
        entry.set_cache_checked(self.store.name, self.monotonic() + self.near)
        self._entries[key] = entry  # it may have been dropped while its fetch was in progress
        self._entries.move_to_end(key)
        self._trim()

    def _trim(self) -> None:
        while len(self._entries) > 1 and (len(self._entries) > self.max_entries or self._bytes > self.max_bytes):
            _, dropped = self._entries.popitem(last=False)
            self._bytes -= dropped.size
            dropped.size = 0

    def _is_usable(self, value: CachedValue, ttl: float) -> bool:
        return self.clock() - value.as_of < ttl + self.keep

    def _answer(self, entry: CacheEntry, value: CachedValue, ttl: float, newer_than: float, fetched: bool) -> Answer:
        """Check a shared fetch by this caller's own limits: it may have begun before this caller's event."""
        is_fresh = value.freshness(self.clock(), ttl, newer_than) == "fresh"
        if fetched:
            return Answer(value.value, self.source, value.as_of, stale=not is_fresh)
        if is_fresh:
            return entry.fresh_answer or Answer(value.value, self.store.name, value.as_of)
        return self._stale(entry, value)

    def _stale(self, entry: CacheEntry, value: CachedValue) -> Answer:
        self.counts["stale"] += 1
        if entry.stale_answer is None or entry.stale_answer.as_of != value.as_of:
            entry.stale_answer = Answer(value.value, self.store.name, value.as_of, stale=True)
        return entry.stale_answer

    def _end_fetch(self, key: str, task: "asyncio.Task[Fetched]") -> None:
        self._fetches.pop(key, None)
        if not task.cancelled():
            task.exception()  # retrieved here, because every caller may have left
