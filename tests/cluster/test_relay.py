"""The relay and the registry of workers over a real Redis that dies, hangs, and holds messages of other programs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from cache.base import RedisAddress
from cache.decimal_json import dumps
from cache.redis import Client, connect
from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.relay import FRESH, KEPT, WAITING, Relay
from cluster.workers import PrefixInUse, RelaySettings
from tests.support import pages
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer

pytestmark = pytest.mark.redis
KEY = "test:relay:identity"


class PlacedJournal:
    """An epoch and an identity."""

    def __init__(self, identity: str = "identity") -> None:
        self.epoch, self.identity = "ours", identity


class End:
    """One worker's end of the relay, and what it received."""

    def __init__(self, server: RedisServer, name: str) -> None:
        self.journal = PlacedJournal()
        self.heads: list[int] = []
        self.snapshots: list[str] = []
        self.health = ComponentHealth("relay")
        settings = RelaySettings(RedisAddress("127.0.0.1", server.port), "test:")
        self.relay = Relay(self.health, settings, cast(Any, self.journal), self.take, self.snapshots.append)
        self.relay.name = name

    def announce(self, seq: int) -> None:
        """Announce that the journal ends with this entry."""
        self.relay.announce([pages.trade(seq)])

    def take(self, head: int) -> None:
        """Take an announcement."""
        self.heads.append(head)


@asynccontextmanager
async def receiving(end: End) -> AsyncIterator[End]:
    """Yield the end once it receives."""
    task = asyncio.create_task(end.relay.receive())
    await eventually(lambda: end.relay._place[0])
    try:
        yield end
    finally:
        await cancel_and_wait(task)
        await end.relay.leave()


MESSAGES: dict[str, dict[str, str]] = {
    "nothing": {"from": "stranger"},
    "no json": {"from": "stranger", "news": "hello"},
    "a list": {"from": "stranger", "news": "[1]"},
    "deep": {"from": "stranger", "news": "[" * 100_000},
    "a head that is none": {"from": "stranger", "news": '{"head":"first"}'},
    "a head as a list": {"from": "stranger", "news": '{"head":[1]}'},
    "an infinite head": {"from": "stranger", "news": '{"head":1e999}'},
}


async def test_a_message_that_cannot_be_read_is_counted_and_skipped(redis_server: RedisServer) -> None:
    """Nothing of it is used, and what follows is received; entries of version 0.1 are ignored."""
    writer = connect(RedisAddress("127.0.0.1", redis_server.port))
    async with receiving(End(redis_server, "one")) as end:
        for fields in MESSAGES.values():
            await writer.xadd(KEY, fields)
        old = '{"entries":[[7,"trade",1,"T","bot_live","{}"]]}'
        for news in ('{"unknown":"fine"}', old, '{"head":7}', '{"snapshot":"alive"}'):
            await writer.xadd(KEY, {"from": "two", "news": news})
        await eventually(lambda: end.snapshots == ["alive"])
        assert end.heads == [7]
        assert (end.health.counters["unreadable"], end.health.counters["heard"]) == (len(MESSAGES), 4)
        assert end.health.state == "ok"
    await writer.aclose()


async def test_an_error_of_a_listener_is_raised(redis_server: RedisServer) -> None:
    """It reaches the supervisor, instead of being counted as an unreadable message."""
    end, writer = End(redis_server, "one"), connect(RedisAddress("127.0.0.1", redis_server.port))
    nothing: dict[str, None] = {}
    end.relay._on_entries = lambda head: nothing["a mistake"]
    task = asyncio.create_task(end.relay.receive())
    await eventually(lambda: end.relay._place[0])
    await writer.xadd(KEY, {"from": "two", "news": '{"head":7}'})
    with pytest.raises(KeyError, match="a mistake"):
        await asyncio.wait_for(task, 5)
    await end.relay.leave()
    await writer.aclose()


async def test_another_physical_journal_is_not_received(redis_server: RedisServer) -> None:
    """The key names the journal; when it is replaced, the relay continues under the key of the new one."""
    one, copy = End(redis_server, "one"), End(redis_server, "copy")
    copy.journal.identity = "copy"
    async with receiving(one):
        sending = asyncio.create_task(copy.relay.send())
        copy.announce(5)
        await eventually(lambda: copy.health.counters["sent"] == 1)
        one.journal.identity = "copy"
        await eventually(lambda: one.relay._place[0] == "test:relay:copy", within=15)
        copy.announce(6)
        await eventually(lambda: one.heads == [6])
        await cancel_and_wait(sending)
        await copy.relay.leave()


async def test_messages_beyond_the_limit_are_dropped_and_counted(redis_server: RedisServer) -> None:
    """While Redis is slow no caller waits and memory is bounded; waiting messages are sent in few writes."""
    one = End(redis_server, "one")
    async with receiving(End(redis_server, "two")) as two:
        for seq in range(1, WAITING + 6):
            one.announce(seq)
        assert one.health.counters["dropped"] == 5
        task = asyncio.create_task(one.relay.send())
        await eventually(lambda: two.heads[-1:] == [WAITING])
        assert two.heads == list(range(1, min(WAITING, KEPT) + 1))
        assert one.health.counters["sent"] == WAITING
        await cancel_and_wait(task)
        await one.relay.leave()


async def test_a_client_that_does_not_end_is_left() -> None:
    """Closing waits half a second for each of the two, no longer."""

    class Hung:
        async def aclose(self) -> None:
            await asyncio.Event().wait()

        async def hdel(self, *_: str) -> None:
            await asyncio.Event().wait()

    hung: Any = Hung()
    health = ComponentHealth("relay")
    journal: Any = PlacedJournal()
    relay = Relay(health, RelaySettings(RedisAddress("127.0.0.1", 1)), journal, print, print)
    relay.client = relay.reader = hung
    began = time.monotonic()
    await relay.leave()
    assert time.monotonic() - began < 3
    assert health.reason == "closing: TimeoutError"


@pytest.fixture
def redis(redis_server: RedisServer) -> Client:
    """A client, as the watch makes it."""
    return connect(RedisAddress("127.0.0.1", redis_server.port), timeout=0.3)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings with short intervals of the workers' heartbeats."""
    monkeypatch.setattr("cluster.relay.EVERY", 0.05)


def registry(redis: Client, clock: Clock, name: str = "me") -> Relay:
    """Return the relay of a worker that has three streams open."""
    health, journal = ComponentHealth("relay", clock), PlacedJournal("file1")
    settings = RelaySettings(RedisAddress("127.0.0.1", 1), "test:", lambda: {"open": 3})
    relay = Relay(health, settings, journal, lambda head: None, lambda text: None)  # type: ignore[arg-type]
    relay.client, relay.name = redis, name
    return relay


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


async def test_a_start_without_redis(redis: Client, redis_server: RedisServer) -> None:
    """The start goes on with an empty registry; once Redis is back this worker is registered, and leaves at its end."""
    redis_server.kill()
    clock = Clock()
    one, other = registry(redis, clock), registry(redis, clock, "other")
    await one.join()
    assert await one.gather() == []
    task = asyncio.create_task(one.register())
    await asyncio.sleep(0.1)
    redis_server.start()
    await eventually(other.gather)
    assert [each["open"] for each in await other.gather()] == [3]
    await cancel_and_wait(task)
    await one.leave()
    assert await other.gather() == []
    await redis.aclose()


async def test_a_prefix_that_is_taken_later_is_reported(redis: Client) -> None:
    """A journal replaced under running workers: they go on, degraded, with a message about what to do."""
    one = registry(redis, Clock())
    await one.join()
    task = asyncio.create_task(one.register())
    await redis.set("test:journal", "theirs")
    await eventually(lambda: one.health.state == "degraded")
    assert "journal theirs uses this prefix" in one.health.reason
    with pytest.raises(PrefixInUse):
        await one.join()
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
            await one.join()
        assert await redis.get("test:journal") == claim.encode()
    else:
        await one.join()
        assert await redis.get("test:journal") == b"ours file1"
    await redis.aclose()


@pytest.mark.parametrize("claim", [b"\x1b[31m" * 100_000, b"\xff\x00[", b"a\nforged: line"])
async def test_a_claim_of_a_hostile_neighbour_is_short_and_printable(redis: Client, claim: bytes) -> None:
    """The message stands in the log and in every answer of /health."""
    await redis.set("test:journal", claim)
    with pytest.raises(PrefixInUse) as caught:
        await registry(redis, Clock()).join()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    await redis.aclose()


async def test_leaving_a_redis_that_hangs_takes_no_time(redis: Client, redis_server: RedisServer) -> None:
    """The end is not kept up; the row goes with its time."""
    one = registry(redis, Clock())
    await one.join()
    redis_server.hang()
    began = time.monotonic()
    await one.leave()
    assert time.monotonic() - began < 1
    redis_server.wake()
    await redis.aclose()
