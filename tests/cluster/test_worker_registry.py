"""The registry of workers over a real Redis that dies, hangs, and holds rows of other programs."""

import asyncio
import time
from typing import Any

import pytest

from cache.decimal_json import dumps
from cache.redis import connect
from cache.redis_address import RedisAddress
from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.errors import PrefixInUse
from cluster.relay import Client
from cluster.worker_registry import FRESH, WorkerRegistry
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer

pytestmark = pytest.mark.redis


@pytest.fixture
def redis(redis_server: RedisServer) -> Client:
    """A client, as the watch makes it."""
    return connect(RedisAddress("127.0.0.1", redis_server.port), timeout=0.3)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life that no test has to wait for."""
    monkeypatch.setattr("cluster.worker_registry.EVERY", 0.05)


class PlacedJournal:
    """An epoch and an identity."""

    def __init__(self, epoch: str = "ours", identity: str = "file1") -> None:
        self.epoch, self.identity = epoch, identity


def registry(redis: Client, clock: Clock, name: str = "me", journal: Any = None) -> WorkerRegistry:
    """Return the registry of a worker that has three streams open."""
    journal = journal or PlacedJournal()
    return WorkerRegistry(redis, "test:", journal, name, lambda: {"open": 3}, ComponentHealth("relay"), clock)


async def test_the_dead_and_the_unreadable_are_no_workers(redis: Client) -> None:
    """A worker that has not registered for a while is not counted, later removed; so is a row of another shape."""
    clock = Clock()
    one = registry(redis, clock)
    rows = {
        "alive": dumps({"at": clock.now, "open": 1}), "silent": dumps({"at": clock.now - FRESH - 1, "open": 1}),
        "long dead": dumps({"at": clock.now - 10 * FRESH, "open": 1}), "no json": "hello", "no time": '{"open":1}',
        "a list": "[1]", "a huge time": '{"at":"1e999999999999","open":1}', "deep": "[" * 100_000,
    }  # fmt: skip
    await redis.hset("test:workers:file1", mapping=rows)
    assert await one.gather() == [{"at": clock.now, "open": 1}]
    assert sorted(await redis.hkeys("test:workers:file1")) == [b"alive", b"silent"]
    await redis.aclose()


async def test_a_redis_that_is_away_bars_nobody(redis: Client, redis_server: RedisServer) -> None:
    """The start goes on, nobody is gathered; once it is back this worker stands on the roll, and leaves it."""
    redis_server.kill()
    clock = Clock()
    one, other = registry(redis, clock), registry(redis, clock, "other")
    await one.claim()
    assert await one.gather() == []
    task = asyncio.create_task(one.run())
    await asyncio.sleep(0.1)
    redis_server.start()
    await eventually(other.gather)
    assert [each["open"] for each in await other.gather()] == [3]
    await cancel_and_wait(task)
    await one.leave()
    assert await other.gather() == []
    await redis.aclose()


async def test_a_prefix_that_is_taken_meanwhile_is_said(redis: Client) -> None:
    """A journal replaced under running workers: they go on, degraded, and say what to do."""
    one = registry(redis, Clock())
    await one.claim()
    task = asyncio.create_task(one.run())
    await redis.set("test:journal", "theirs")
    await eventually(lambda: one.health.state == "degraded")
    assert "journal theirs uses this prefix" in one.health.reason
    with pytest.raises(PrefixInUse):
        await one.claim()
    await cancel_and_wait(task)
    await redis.aclose()


@pytest.mark.parametrize(
    ("claim", "refused"),
    [("ours", ""), ("ours file9", ""), ("theirs file1", ""), ("theirs file9", "theirs"), ("theirs", "theirs")],
    ids=["version 0.1", "a copy", "before a new epoch", "another journal", "another journal of version 0.1"],
)
async def test_a_prefix_is_taken_by_another_journal_alone(redis: Client, claim: str, refused: str) -> None:
    """The same epoch or the same physical journal may use it: a new epoch needs no waiting."""
    await redis.set("test:journal", claim)
    one = registry(redis, Clock())
    if refused:
        with pytest.raises(PrefixInUse, match=f"says that journal {refused} uses this prefix, ours is ours"):
            await one.claim()
        assert await redis.get("test:journal") == claim.encode()
    else:
        await one.claim()
        assert await redis.get("test:journal") == b"ours file1"
    await redis.aclose()


async def test_leaving_a_redis_that_hangs_takes_no_time(redis: Client, redis_server: RedisServer) -> None:
    """The end is not kept up; the row goes with its time."""
    one = registry(redis, Clock())
    await one.claim()
    redis_server.hang()
    began = time.monotonic()
    await one.leave()
    assert time.monotonic() - began < 1
    redis_server.wake()
    await redis.aclose()
