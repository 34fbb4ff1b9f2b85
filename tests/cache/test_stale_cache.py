"""StaleCache: the nearest good value answers, with its source."""

from decimal import Decimal

import pytest

from cache.base import Answer
from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from tests.support.clock import Clock
from tests.support.source import Source, Trouble, keeper_over


async def test_first_from_the_source_then_from_the_cache(keeper: StaleCache, clock: Clock) -> None:
    """The first answer has source kalshi_api, the next memory_cache; as_of stays the time of the fetch."""
    source = Source({"price": Decimal("0.65")})
    assert await keeper.get("k", 60, source) == Answer({"price": Decimal("0.65")}, "kalshi_api", 1000.0)
    clock.now += 30
    assert await keeper.get("k", 60, source) == Answer({"price": Decimal("0.65")}, "memory_cache", 1000.0)
    clock.now += 30
    assert (await keeper.get("k", 60, source)).as_of == 1060.0
    assert source.calls == 2


async def test_the_same_object_is_returned_while_nothing_changes(keeper: StaleCache, clock: Clock) -> None:
    """So that a route may keep the encoded body by identity: fresh, across reads of the cache, and stale."""
    source = Source("value")
    await keeper.get("k", 60, source)
    one = await keeper.get("k", 60, source)
    clock.now += 5  # the cache is looked at again
    assert await keeper.get("k", 60, source) is one
    assert keeper.peek("k", 60) is one
    clock.now += 60
    source.value = Trouble("down")
    old = await keeper.get("k", 60, source)
    assert old.stale
    assert await keeper.get("k", 60, source) is old


async def test_an_unexpected_error_of_a_fetch_is_raised_and_not_stored(keeper: StaleCache) -> None:
    """Only expected failures are answered with an old value."""
    with pytest.raises(ZeroDivisionError):
        await keeper.get("k", 60, Source(ZeroDivisionError()))
    assert (await keeper.get("k", 60, Source("value"))).value == "value"


async def test_two_workers_share_what_one_fetched(clock: Clock) -> None:
    """The second finds it in the shared cache, and each keeps the newer of both."""
    shared = MemoryCache(clock=clock)
    here, there = keeper_over(shared, clock), keeper_over(shared, clock)
    source = Source({"n": 1})
    await here.get("k", 60, source)
    assert await there.get("k", 60, source) == Answer({"n": 1}, "memory_cache", 1000.0)
    assert source.calls == 1
    await shared.set("k", b'[900,0,"older"]', 60)  # a cache that went back in time
    clock.now += 2
    assert (await there.get("k", 60, source)).value == {"n": 1}


async def test_the_source_of_an_answer_follows_the_cache(clock: Clock) -> None:
    """While Redis is down the same value comes from memory, with its source."""
    cache = MemoryCache(clock=clock)
    cache.name = "redis_cache"
    keeper = keeper_over(cache, clock)
    await keeper.get("k", 60, Source("value"))
    assert (await keeper.get("k", 60, Source())).source == "redis_cache"
    cache.name = "memory_cache"
    clock.now += 1
    assert await keeper.get("k", 60, Source()) == Answer("value", "memory_cache", 1000.0)


async def test_entries_are_bounded_in_number_and_bytes(clock: Clock) -> None:
    """By number and by size; failures count as well."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, max_entries=10, max_bytes=1000)
    for n in range(50):
        await keeper.get(f"small{n}", 60, Source(n))
        with pytest.raises(Trouble):
            await keeper.get(f"bad{n}", 60, Source(Trouble("down")))
    assert len(keeper._entries) <= 10
    for n in range(5):
        await keeper.get(f"large{n}", 60, Source("x" * 400))
    assert keeper._bytes <= 1000
    assert keeper._bytes == sum(entry.size for entry in keeper._entries.values())


async def test_peek_never_waits(keeper: StaleCache, clock: Clock) -> None:
    """It returns the value in memory and nothing else."""
    assert keeper.peek("k", 60) is None
    await keeper.get("k", 60, Source("value"))
    assert keeper.peek("k", 60) == Answer("value", "memory_cache", 1000.0)
    assert keeper.peek("k", 60, newer_than=1001.0) is None
    clock.now += 60
    assert keeper.peek("k", 60) is None
