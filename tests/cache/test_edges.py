"""Edges of the caches: waits after failures, bounds, and the counters of what was answered from where."""

import asyncio
from typing import Any

import pytest

from cache.circuit_breaker import CircuitBreaker
from cache.memory import MemoryCache
from cache.redis import MOST_BYTES, MOST_KEYS, RedisBudget
from cache.stale_cache import CachedValue, CacheEntry, CompleteValue, StaleCache
from tests.support.clock import Clock
from tests.support.source import NoSuchThing, Source, Trouble, keeper_over


def test_a_new_entry_is_fetched_at_once() -> None:
    """It has no value, no error and no wait."""
    entry = CacheEntry()
    assert not entry.must_wait(0.0, 0.0)
    assert not entry.must_wait(0.5, 0.0)
    assert (entry.value, entry.fresh_answer, entry.error, entry.size, entry.failures) == (None, None, None, 0, 0)
    assert (entry.cache_valid_until, entry.fetch_began, entry.fetch_not_before, entry.fetch_newer_than) == (0.0,) * 4


def test_waits_double_up_to_fifteen_seconds() -> None:
    """1, 2, 4, 8, 15, 15 s after each failure."""
    entry = CacheEntry()
    waits = []
    for _ in range(6):
        entry.back_off(Trouble("down"), 100.0)
        waits.append(entry.fetch_not_before - 100.0)
    assert waits == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert [entry.must_wait(0.0, moment) for moment in (114.9, 115.0)] == [True, False]


async def test_after_a_recovery_every_key_is_fetched_at_once(clock: Clock) -> None:
    """The wait after a failure ends when the source is known to answer again."""
    keeper = keeper_over(MemoryCache(clock=clock), clock)
    source = Source("one")
    await keeper.get("k", 60, source)
    clock.now += 60
    source.value = Trouble("down")
    assert (await keeper.get("k", 60, source)).stale
    source.value = "two"
    assert (await keeper.get("k", 60, source)).value == "one"
    keeper.end_waits()
    assert (await keeper.get("k", 60, source)).value == "two"


def test_a_long_series_of_failures_waits_no_longer() -> None:
    """The thousandth failure is like the fifth, without an overflow."""
    entry = CacheEntry()
    for _ in range(2000):
        entry.back_off(None, 0.0)
    assert (entry.fetch_not_before, entry.failures) == (15.0, 2000)


def test_a_new_event_shortens_the_wait_of_an_incomplete_answer_and_not_that_of_an_error() -> None:
    """One second after the last fetch began, a fetch for an event that it did not include is allowed."""
    entry = CacheEntry()
    entry.fetch_newer_than, entry.fetch_began = 50.0, 100.0
    for _ in range(4):
        entry.back_off(None, 100.5)
    assert [entry.must_wait(51.0, moment) for moment in (100.9, 101.0)] == [True, False]
    assert entry.must_wait(50.0, 108.0), "the same event is not a new one"
    entry.error = Trouble("down")
    assert entry.must_wait(51.0, 108.0)


async def test_each_place_that_answers_is_counted_once(clock: Clock) -> None:
    """near, cached, fetched, failed and stale go up by one each."""
    shared = MemoryCache(clock=clock)
    here, there = keeper_over(shared, clock), keeper_over(shared, clock)
    source = Source("value")
    await here.get("k", 60, source)
    for _ in ("cached", "near"):
        await there.get("k", 60, source)
    clock.now += 60
    source.value = Trouble("down")
    for _ in ("failed", "waiting"):
        assert (await there.get("k", 60, source)).stale
    counts = there.counts
    assert (here.counts["fetched"], here.counts["cached"]) == (1, 0)
    assert [counts[name] for name in ("near", "cached", "fetched", "failed", "stale")] == [1, 1, 0, 1, 2]


async def test_the_shared_cache_is_read_again_after_a_second(clock: Clock) -> None:
    """Until then the value of this process answers, although another worker has stored a newer one."""
    shared = MemoryCache(clock=clock)
    keeper = keeper_over(shared, clock)
    await keeper.get("k", 60, Source("old"))
    await shared.set("k", CachedValue("new", 1000.5).encode(), 60)
    clock.now += 0.9
    assert keeper.peek("k", 60) is not None
    assert (await keeper.get("k", 60, Source())).value == "old"
    clock.now += 0.1
    assert keeper.peek("k", 60) is None
    assert (await keeper.get("k", 60, Source())).value == "new"


async def test_the_latest_error_is_named_for_two_minutes(clock: Clock) -> None:
    """It is the newest one that no success has cleared; an answer that a thing does not exist does not count."""
    keeper: StaleCache = keeper_over(MemoryCache(clock=clock), clock)
    assert keeper.latest_error() is None
    with pytest.raises(Trouble):
        await keeper.get("a", 60, Source(Trouble("first")))
    clock.now += 1
    with pytest.raises(Trouble):
        await keeper.get("b", 60, Source(Trouble("second")))
    with pytest.raises(NoSuchThing):
        await keeper.get("c", 60, Source(NoSuchThing("gone")))
    assert keeper.latest_error() == "second"
    clock.now += 1
    await keeper.get("b", 60, Source("back"))
    assert keeper.latest_error() == "first"
    clock.now += 118
    assert keeper.latest_error() == "first"
    clock.now += 0.1
    assert keeper.latest_error() is None


async def test_an_error_is_cleared_by_the_same_resource_with_other_parameters(clock: Clock) -> None:
    """A later success under a key that differs in its digest alone clears an error; another resource does not."""
    keeper: StaleCache = keeper_over(MemoryCache(clock=clock), clock)
    with pytest.raises(Trouble):
        await keeper.get(f"account:marks:{'0a' * 12}", 60, Source(Trouble("down")))
    clock.now += 1
    await keeper.get("account:balance", 60, Source("back"))
    await keeper.get(f"account:orders:{'0b' * 12}", 60, Source("back"))
    assert keeper.latest_error() == "down"
    reading, answered = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        reading.set()
        await answered.wait()
        return "back"

    fetch = asyncio.create_task(keeper.get(f"account:marks:{'0b' * 12}", 60, slow))
    await reading.wait()
    assert keeper.latest_error() == "down", "a fetch that has not ended clears nothing"
    answered.set()
    await fetch
    assert keeper.latest_error() is None
    clock.now += 1
    with pytest.raises(Trouble):
        await keeper.get(f"account:marks:{'0c' * 12}", 60, Source(Trouble("down again")))
    assert keeper.latest_error() == "down again"


async def test_an_incomplete_value_is_stale_and_fetched_again_later(clock: Clock) -> None:
    """A source that does not yet contain the event is called again after a wait, and then its answer is fresh."""
    keeper = keeper_over(MemoryCache(clock=clock), clock)
    source = Source(CompleteValue("before", 990.0))
    answer = await keeper.get("k", 60, source, newer_than=995.0)
    assert (answer.value, answer.stale, answer.source) == ("before", True, "kalshi_api")
    assert (await keeper.get("k", 60, source, newer_than=995.0)).stale
    assert source.calls == 1
    source.value = CompleteValue("after", 996.0)
    clock.now += 1.0
    answer = await keeper.get("k", 60, source, newer_than=995.0)
    assert (answer.value, answer.stale, source.calls) == ("after", False, 2)
    assert not (await keeper.get("k", 60, source, newer_than=995.0)).stale


async def test_entries_stay_within_their_bounds_exactly(clock: Clock) -> None:
    """The last that fits stays; one more drops the one that was used longest ago."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, max_entries=2)
    for key in ("a", "b"):
        await keeper.get(key, 60, Source(key))
    assert keeper.peek("a", 60) is not None
    await keeper.get("c", 60, Source("c"))
    assert [keeper.peek(key, 60) is not None for key in "abc"] == [True, False, True]


async def test_a_memory_cache_holds_as_much_as_it_may() -> None:
    """Up to its bounds in number and bytes, until the end of each ttl; what was used longest ago goes first."""
    clock = Clock()
    cache = MemoryCache(max_entries=3, max_bytes=10, clock=clock)
    for key in ("a", "b", "c"):
        await cache.set(key, b"xxx", 5)
    assert await cache.get("a") == b"xxx"
    await cache.set("d", b"x", 5)
    assert len(cache) == 3
    assert [await cache.get(key) for key in "abcd"] == [b"xxx", None, b"xxx", b"x"]
    await cache.set("e", b"x" * 10, 5)
    assert (len(cache), await cache.get("e")) == (1, b"x" * 10)
    await cache.set("f", b"x" * 11, 5)
    await cache.set("g", b"x", 0)
    assert len(cache) == 1
    clock.now += 4.9
    assert await cache.get("e") is not None
    clock.now += 0.1
    assert await cache.get("e") is None
    await cache.set("h", b"x" * 5, 5)
    await cache.set("i", b"x" * 5, 5)
    assert len(cache) == 2, "what expired takes no bytes"
    await cache.close()
    assert (len(cache), await cache.get("h")) == (0, None)
    await cache.set("j", b"x" * 10, 5)
    assert len(cache) == 1


@pytest.mark.parametrize(
    ("used", "limit", "size", "allowed"),
    [
        (85, 100, 1, True), (86, 100, 1, False), (1, 0, 1, True), (1, 1, 1, False), (0, 100, MOST_BYTES // 4, True),
        (0, 100, MOST_BYTES // 4 + 1, False),
    ],
)  # fmt: skip
def test_a_value_is_written_while_redis_has_room(used: int, limit: int, size: int, allowed: bool) -> None:
    """Up to 85 % of its memory, and none that is larger than a quarter of our share; no limit is room enough."""
    budget = RedisBudget()
    budget.set_memory(used, limit, 100.0)
    assert budget.allows(size) is allowed


def test_a_reading_of_the_memory_counts_for_one_megabyte() -> None:
    """Exactly one may be written on it, in however many values."""
    assert (MOST_KEYS, MOST_BYTES) == (256, 8 * 1024 * 1024)
    budget = RedisBudget()
    budget.set_memory(1, 100, 100.0)
    budget.add("a", 1024)
    assert not budget.needs_check(1024 * 1024 - 1024, 100.0)
    assert budget.needs_check(1024 * 1024 - 1023, 100.0)


def test_a_key_that_is_written_again_is_counted_once_and_is_the_newest() -> None:
    """Bounds of keys and bytes are exact, and the key written longest ago goes first."""
    budget = RedisBudget(keys=2, size=10)
    assert [budget.add(key, size) for key, size in (("a", 5), ("b", 4), ("a", 6))] == [[], [], []]
    assert budget.add("c", 4) == ["b"]
    budget.discard("a")
    budget.discard("unknown")
    assert budget.add("d", 6) == []
    assert budget.add("e", 10) == ["c", "d"]


def test_a_breaker_by_default_opens_after_five_failures_for_a_second() -> None:
    """Then the pause doubles up to thirty seconds, and a trial that never reports back counts for that long."""
    clock = Clock()
    breaker = CircuitBreaker(clock=clock)
    assert [breaker.failed("x") for _ in range(5)] == [False] * 4 + [True]
    pauses: list[Any] = []
    for _ in range(7):
        pauses.append(breaker.retry_in)
        clock.now += breaker.retry_in
        assert breaker.allows()
        breaker.failed("y")
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert breaker.reason == "y"
    assert (breaker.succeeded(), breaker.retry_in, breaker.allows(), breaker.allows()) == (True, 0.0, True, True)


def test_bounds_without_further_words() -> None:
    """2048 values and 32 MiB in memory; 512 answers and 8 MiB, a day of stale ones, two seconds of patience."""
    memory = MemoryCache()
    assert (memory.max_entries, memory.max_bytes) == (2048, 32 * 1024 * 1024)
    cache = StaleCache(memory, "kalshi_api", (Trouble,))
    assert (cache.max_entries, cache.max_bytes) == (512, 8 * 1024 * 1024)
    assert (cache.keep, cache.near, cache.limit, cache.patience) == (86400.0, 1.0, 30.0, 2.0)
