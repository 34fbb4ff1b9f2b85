"""The relay over a real Redis: messages of other programs, many messages at once, a client that does not end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cache.redis import connect
from cache.redis_address import RedisAddress
from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.relay import BLOCK, KEPT, WAITING, Relay
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer

pytestmark = pytest.mark.redis
KEY = "test:relay:identity"


class End:
    """One worker's end of the relay, and what it received."""

    def __init__(self, server: RedisServer, name: str) -> None:
        address = RedisAddress("127.0.0.1", server.port)
        self.key = KEY
        self.heads: list[int] = []
        self.snapshots: list[str] = []
        self.health = ComponentHealth("relay")
        self.relay = Relay(
            connect(address), connect(address, BLOCK + 3, 1), lambda: self.key, name, self.take,
            self.snapshots.append, self.health,
        )  # fmt: skip

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
        await end.relay.close()


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
    await end.relay.close()
    await writer.aclose()


async def test_another_physical_journal_is_not_received(redis_server: RedisServer) -> None:
    """The key names the journal; when it is replaced, the relay continues under the key of the new one."""
    one, copy = End(redis_server, "one"), End(redis_server, "copy")
    copy.key = "test:relay:copy"
    async with receiving(one):
        sending = asyncio.create_task(copy.relay.send())
        copy.relay.announce(5)
        await eventually(lambda: copy.health.counters["sent"] == 1)
        one.key = "test:relay:copy"
        await eventually(lambda: one.relay._place[0] == "test:relay:copy", within=15)
        copy.relay.announce(6)
        await eventually(lambda: one.heads == [6])
        await cancel_and_wait(sending)
        await copy.relay.close()


async def test_messages_beyond_the_limit_are_dropped_and_counted(redis_server: RedisServer) -> None:
    """While Redis is slow nobody waits and memory is bounded; what waited is sent in few writes."""
    one = End(redis_server, "one")
    async with receiving(End(redis_server, "two")) as two:
        for seq in range(1, WAITING + 6):
            one.relay.announce(seq)
        assert one.health.counters["dropped"] == 5
        task = asyncio.create_task(one.relay.send())
        await eventually(lambda: two.heads[-1:] == [WAITING])
        assert two.heads == list(range(1, min(WAITING, KEPT) + 1))
        assert one.health.counters["sent"] == WAITING
        await cancel_and_wait(task)
        await one.relay.close()


async def test_a_client_that_does_not_end_is_left() -> None:
    """Closing waits half a second for each of the two, no longer."""

    class Hung:
        async def aclose(self) -> None:
            await asyncio.Event().wait()

    hung: Any = Hung()
    health = ComponentHealth("relay")
    relay = Relay(hung, hung, lambda: KEY, "one", lambda head: None, lambda text: None, health)
    began = time.monotonic()
    await relay.close()
    assert time.monotonic() - began < 2
    assert health.reason == "closing: TimeoutError"
