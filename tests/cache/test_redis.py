"""RedisCache over a redis-server that is killed, hung, flushed, full or locked: no request waits, and it recovers."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
import redis.exceptions

from cache.base import RedisAddress
from cache.redis import RedisCache, connect
from cache.stale_cache import StaleCache
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer, redis_program

pytestmark = pytest.mark.redis
BUDGET = 0.25
LIMIT = 5.0  # seconds: far above the budget on a busy machine, far below the client's own timeout
CLIENT_TIMEOUT = 30.0


@pytest.fixture
async def cache(redis_server: RedisServer) -> Any:
    """A cache over the running server."""
    it = RedisCache(connect(RedisAddress("127.0.0.1", redis_server.port), CLIENT_TIMEOUT), "python:", budget=BUDGET)
    yield it
    await it.close()


async def timed(cache: RedisCache) -> float:
    """Make the calls of one request, a get and a set, and return the seconds that they took."""
    began = time.monotonic()
    await cache.get("a")
    await cache.set("a", b"1", 60)
    return time.monotonic() - began


async def test_keys_are_under_the_prefix_and_have_a_ttl(cache: Any, redis_server: RedisServer) -> None:
    """Every key has our prefix and a TTL."""
    await cache.set("a", b"1", 60)
    assert redis_server.command("KEYS", "*") == b"*1\r\n$8\r\npython:a\r\n"
    assert redis_server.command("TTL", "python:a") in (b":60\r\n", b":59\r\n")
    assert cache.name == "redis_cache"


@pytest.mark.parametrize("fault", ["killed", "hung", "full", "read-only", "locked"])
async def test_a_fault_costs_one_short_wait_and_heals_by_itself(
    cache: Any, redis_server: RedisServer, fault: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The first request waits at most the budget, the next none; memory answers; and when the fault ends it is back."""
    caplog.set_level(logging.INFO, "cache.redis")
    await cache.set("a", b"0", 60)
    end = break_it(redis_server, fault)
    if fault == "locked":
        await cache._client.connection_pool.disconnect()  # those that are open were let in already
    assert await timed(cache) < LIMIT
    assert cache.breaker.state != "closed"
    assert cache.name == "memory_cache"
    assert cache.breaker.reason
    assert await timed(cache) < BUDGET
    assert await cache.get("a") == b"1"
    end()
    await eventually(lambda: cache.breaker.state == "closed", within=40)
    await cache.set("a", b"2", 60)
    assert (cache.name, await cache.get("a")) == ("redis_cache", b"2")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def break_it(server: RedisServer, fault: str) -> Any:
    """Bring the fault about; the function that ends it."""
    if fault == "killed":
        server.kill()
        return server.start
    if fault == "hung":
        server.hang()
        return server.wake
    turn = {
        "full": (("CONFIG SET maxmemory 1", "CONFIG SET maxmemory-policy noeviction"), "CONFIG SET maxmemory 0"),
        "read-only": (("REPLICAOF 127.0.0.1 1",), "REPLICAOF NO ONE"),
        "locked": (("CONFIG SET requirepass other",), 'AUTH other\r\nCONFIG SET requirepass ""'),
    }[fault]
    for line in turn[0]:
        server.command(line)
    return lambda: server.command(turn[1])


async def test_a_hundred_requests_at_once_on_a_hung_server_wait_once(cache: Any, redis_server: RedisServer) -> None:
    """Together they wait about as long as one: one after the other they would wait a hundred budgets."""
    redis_server.hang()
    began = time.monotonic()
    await asyncio.gather(*(timed(cache) for _ in range(100)))
    assert time.monotonic() - began < LIMIT


async def test_a_strangers_list_under_our_key_is_a_miss_and_no_fault(cache: Any, redis_server: RedisServer) -> None:
    """Redis is not down because of it, and the next set takes the key back."""
    redis_server.command("RPUSH", "python:a", "theirs")
    assert await cache.get("a") is None
    assert cache.name == "redis_cache"
    await cache.set("a", b"ours", 60)
    assert await cache.get("a") == b"ours"


async def test_a_flush_is_a_miss_and_no_fault(cache: Any, redis_server: RedisServer) -> None:
    """A flushed key is a miss; the server is healthy."""
    await cache.set("a", b"1", 60)
    redis_server.command("FLUSHALL")
    assert await cache.get("a") is None
    assert cache.breaker.state == "closed"


async def test_a_server_that_comes_up_later_is_taken(tmp_path: Path) -> None:
    """We may start first."""
    server = RedisServer(redis_program(), tmp_path)
    cache = RedisCache(connect(RedisAddress("127.0.0.1", server.port)), "python:", budget=BUDGET)
    try:
        await cache.set("a", b"1", 60)
        assert (cache.name, await cache.get("a")) == ("memory_cache", b"1")
        server.start()
        await eventually(lambda: cache.name == "redis_cache", within=40)
    finally:
        await cache.close()
        server.kill()


async def test_a_wrong_password_is_reported_and_memory_serves(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason names the cause and not the password."""
    redis_server.command("CONFIG SET requirepass right")
    address = RedisAddress("127.0.0.1", redis_server.port, password="wr0ng-pass")
    assert "wr0ng-pass" not in repr(address) + str(address)
    cache = RedisCache(connect(address), "python:", budget=BUDGET)
    await cache.set("a", b"1", 60)
    assert await cache.get("a") == b"1"
    await eventually(lambda: "Authentication" in cache.breaker.reason)
    await eventually(lambda: cache.breaker.retry_in > 0.5)  # failed probes, with growing pauses
    assert "wr0ng-pass" not in caplog.text + cache.breaker.reason + repr(cache)
    await cache.close()


async def test_closing_while_it_is_hung_is_quick(cache: Any, redis_server: RedisServer) -> None:
    """A deploy does not wait for a neighbour."""
    redis_server.hang()
    await cache.get("a")
    began = time.monotonic()
    await cache.close()
    assert time.monotonic() - began < LIMIT


async def test_a_client_that_fails_to_close_is_let_go(cache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a neighbour does stops us from stopping."""

    async def fail() -> None:
        raise redis.exceptions.ConnectionError("gone")

    monkeypatch.setattr(cache._client, "aclose", fail)
    await cache.close()
    monkeypatch.undo()


async def test_a_reader_waits_for_redis_no_longer_than_the_budget_in_all(cache: Any, redis_server: RedisServer) -> None:
    """A cold key over a hung server: one look, one fetch, one write; then neither look nor write."""
    keeper = StaleCache(cache, "kalshi_api", (OSError,), near=0.0)

    async def fetch() -> Any:
        return {"n": 1}

    redis_server.hang()
    for most in (LIMIT, LIMIT, LIMIT):
        began = time.monotonic()
        answer = await keeper.get("k", 60, fetch)
        assert time.monotonic() - began < most
        assert answer.value == {"n": 1}
    assert answer.source == "memory_cache"
    redis_server.wake()
    await eventually(lambda: cache.breaker.state == "closed", within=40)
    assert (await keeper.get("k", 60, fetch)).source == "redis_cache"


async def test_a_flush_costs_no_answer(cache: Any, redis_server: RedisServer) -> None:
    """A value in memory still answers after the shared store lost it."""
    keeper = StaleCache(cache, "kalshi_api", (OSError,), near=0.0)
    calls = 0

    async def fetch() -> Any:
        nonlocal calls
        calls += 1
        return calls

    await keeper.get("k", 60, fetch)
    redis_server.command("FLUSHALL")
    assert (await keeper.get("k", 60, fetch)).value == 1
