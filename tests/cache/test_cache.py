"""Every cache: memory, a real Redis, and a Redis that is down."""

import asyncio
from typing import Any

import pytest

from cache.base import RedisAddress
from cache.memory import MemoryCache
from cache.redis import RedisCache, connect
from commands.ports import free_port
from tests.support.eventually import eventually


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis), "redis that is down"])
async def cache(request: pytest.FixtureRequest) -> Any:
    """Each implementation in turn."""
    if request.param == "memory":
        it: MemoryCache | RedisCache = MemoryCache()
    else:
        port = request.getfixturevalue("redis_server").port if request.param == "redis" else free_port()
        it = RedisCache(connect(RedisAddress("127.0.0.1", port)), "python:")
    yield it
    await it.close()


async def test_a_value_that_was_set_is_returned(cache: Any) -> None:
    """Bytes come back as they went in, the newest of each key."""
    assert await cache.get("a") is None
    await cache.set("a", b"\x00\xff1", 10)
    await cache.set("a", b"2", 10)
    await cache.set("b", b"", 10)
    assert [await cache.get("a"), await cache.get("b")] == [b"2", b""]


async def test_a_value_expires_after_its_ttl(cache: Any) -> None:
    """It is gone after the ttl, also for a fraction of a second."""
    await cache.set("a", b"1", 1.5)
    assert await cache.get("a") == b"1"

    async def gone() -> Any:
        return await cache.get("a") is None

    await eventually(gone, within=20)


async def test_deleted_keys_are_gone_and_others_stay(cache: Any) -> None:
    """Deleting nothing, or an absent key, succeeds."""
    await cache.set("a", b"1", 10)
    await cache.set("b", b"2", 10)
    await cache.delete("a", "never")
    await cache.delete()
    assert [await cache.get("a"), await cache.get("b")] == [None, b"2"]


async def test_many_at_once(cache: Any) -> None:
    """A hundred readers and writers do not mix up keys."""

    async def one(n: Any) -> Any:
        await cache.set(f"k{n}", str(n).encode(), 10)
        return await cache.get(f"k{n}")

    assert await asyncio.gather(*(one(n) for n in range(100))) == [str(n).encode() for n in range(100)]


async def test_memory_is_bounded_by_entries() -> None:
    """The one unused for longest goes first."""
    cache = MemoryCache(max_entries=2)
    await cache.set("a", b"1", 10)
    await cache.set("b", b"2", 10)
    await cache.get("a")
    await cache.set("c", b"3", 10)
    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"3"]
    assert len(cache) == 2


async def test_memory_is_bounded_by_bytes() -> None:
    """However few the entries are; one larger than all is not kept and pushes nothing out by itself."""
    cache = MemoryCache(max_bytes=10)
    await cache.set("a", b"12345", 10)
    await cache.set("big", b"x" * 11, 10)
    assert await cache.get("a") == b"12345"
    await cache.set("b", b"123456", 10)
    assert [await cache.get("a"), await cache.get("b")] == [None, b"123456"]
    assert len(cache) == 1
