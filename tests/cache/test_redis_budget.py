"""Bounds of what we store in a Redis that others share: keys, bytes, seconds, and nothing near its memory limit."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.base import RedisAddress
from cache.redis import LONGEST, MOST_KEYS, Client, RedisBudget, RedisCache, connect
from tests.support.neighbours import RedisServer


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 40), st.booleans()), max_size=40))
def test_the_bounds_hold_after_every_write(steps: list[tuple[str, int, bool]]) -> None:
    """Stored keys and bytes never exceed the bounds, and the newest key stays."""
    budget, stored = RedisBudget(keys=4, size=100), dict[str, int]()
    for key, size, is_write in steps:
        if is_write:
            dropped = budget.add(key, size)
            stored[key] = size
            for each in dropped:
                del stored[each]
            assert key in stored
            assert len(stored) <= 4
            assert sum(stored.values()) <= 100
        else:
            budget.discard(key)
            stored.pop(key, None)


def test_memory_is_read_again_by_time_and_by_bytes() -> None:
    """A reading counts for two seconds and one megabyte, and a full Redis takes nothing."""
    budget = RedisBudget()
    assert budget.needs_check(1, 100.0)
    budget.set_memory(80, 100, 100.0)
    assert not budget.needs_check(1, 101.9)
    assert budget.allows(1)
    assert budget.needs_check(1, 102.0)
    budget.add("a", 1024 * 1024)
    assert budget.needs_check(1, 100.1)
    budget.set_memory(86, 100, 100.2)
    assert not budget.allows(1)
    budget.set_memory(10**12, 0, 100.3)
    assert budget.allows(1)
    assert not budget.allows(3 * 1024 * 1024)


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[Client]:
    """A client beside the cache's own."""
    client = connect(RedisAddress("127.0.0.1", redis_server.port), timeout=5)
    yield client
    await client.aclose()


@pytest.mark.redis
async def test_hostile_requests_make_few_keys_that_end_soon(redis_server: RedisServer, client: Client) -> None:
    """A thousand different keys of two days become a bounded number that expires within minutes."""
    cache = RedisCache(connect(RedisAddress("127.0.0.1", redis_server.port)), "python:", budget=5)
    try:
        for number in range(MOST_KEYS + 200):
            await cache.set(f"k{number}", b"x" * 100, 172800)
        assert await client.dbsize() == MOST_KEYS
        assert 0 < await client.pttl(f"python:k{MOST_KEYS + 199}") <= LONGEST * 1000
        assert await cache.get(f"k{MOST_KEYS + 199}") == b"x" * 100
    finally:
        await cache.close()


@pytest.mark.redis
async def test_no_key_of_others_is_evicted_at_the_memory_limit(redis_server: RedisServer, client: Client) -> None:
    """With the shipped policy and a Redis nearly full of sessions, our requests evict none of them."""
    used = int((await client.info("memory"))["used_memory"])
    limit = used + 4 * 1024 * 1024
    await client.config_set("maxmemory", limit)
    await client.config_set("maxmemory-policy", "volatile-ttl")
    count = 0
    while int((await client.info("memory"))["used_memory"]) < 0.97 * limit:
        for _ in range(20):
            await client.set(f"spring:session:sessions:{count}", b"s" * 2000, ex=1800)
            count += 1
    before = int((await client.info("stats"))["evicted_keys"])
    cache = RedisCache(connect(RedisAddress("127.0.0.1", redis_server.port)), "python:", budget=5)
    try:
        for number in range(300):
            await cache.set(f"k{number}", b"x" * 20_000, 172800)
    finally:
        await cache.close()
    assert int((await client.info("stats"))["evicted_keys"]) == before
    assert await client.dbsize() == count
