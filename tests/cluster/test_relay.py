"""The relay over a real Redis: what strangers write, a crowd of news, an end that hangs."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from cache.redis import connect
from cache.redis_address import RedisAddress
from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.relay import BLOCK, KEPT, WAITING, Relay
from journal.entries import Entry
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer

pytestmark = pytest.mark.redis
KEY = "test:relay:epoch"


def entry(seq: int) -> Entry:
    """One place in the journal."""
    return Entry(seq, "trade", Decimal(seq), "T", "bot_live", "{}")


class End:
    """One worker's end of the relay, and what it heard."""

    def __init__(self, server: RedisServer, name: str) -> None:
        address = RedisAddress("127.0.0.1", server.port)
        self.entries: list[int] = []
        self.pulses: list[str] = []
        self.health = ComponentHealth("relay")
        self.relay = Relay(
            connect(address), connect(address, BLOCK + 3, 1), KEY, name, self.offer, self.pulses.append, self.health
        )

    def offer(self, entries: Sequence[Entry]) -> None:
        """Take entries."""
        self.entries += [each.seq for each in entries]


@asynccontextmanager
async def listening(end: End) -> AsyncIterator[End]:
    """The end, hearing."""
    task = asyncio.create_task(end.relay.listen())
    await eventually(lambda: end.relay._place)
    try:
        yield end
    finally:
        await cancel_and_wait(task)
        await end.relay.close()


NEWS: dict[str, dict[str, str]] = {
    "nothing": {"from": "stranger"},
    "no json": {"from": "stranger", "news": "hello"},
    "a list": {"from": "stranger", "news": "[1]"},
    "deep": {"from": "stranger", "news": "[" * 100_000},
    "entries of another shape": {"from": "stranger", "news": '{"entries":[[1,"trade"]]}'},
    "a seq as text": {"from": "stranger", "news": '{"entries":[["1","trade",1,"T","bot_live","{}"]]}'},
    "an unknown kind": {"from": "stranger", "news": '{"entries":[[1,"poem",1,"T","bot_live","{}"]]}'},
    "no time": {"from": "stranger", "news": '{"entries":[[1,"trade","noon","T","bot_live","{}"]]}'},
}


async def test_what_cannot_be_read_is_counted_and_passed_over(redis_server: RedisServer) -> None:
    """An older version's news, or a stranger's: nothing of it is told, and what follows is heard."""
    writer = connect(RedisAddress("127.0.0.1", redis_server.port))
    async with listening(End(redis_server, "one")) as end:
        for fields in NEWS.values():
            await writer.xadd(KEY, fields)
        await writer.xadd(KEY, {"from": "newer", "news": '{"weather":"fine"}'})
        await writer.xadd(KEY, {"from": "two", "news": '{"entries":[[7,"trade",1,"T","bot_live","{}"]]}'})
        await writer.xadd(KEY, {"from": "two", "news": '{"pulse":"alive"}'})
        await eventually(lambda: end.pulses == ["alive"])
        assert end.entries == [7]
        assert (end.health.counters["unreadable"], end.health.counters["heard"]) == (len(NEWS), 3)
        assert end.health.state == "ok"
    await writer.aclose()


async def test_a_mistake_of_a_listener_is_not_taken_for_bad_news(redis_server: RedisServer) -> None:
    """It comes through to whoever supervises, instead of being counted as somebody else's."""
    end, writer = End(redis_server, "one"), connect(RedisAddress("127.0.0.1", redis_server.port))
    end.offer = lambda entries: {}["a mistake"]  # type: ignore[method-assign,misc]
    end.relay._offer = end.offer
    task = asyncio.create_task(end.relay.listen())
    await eventually(lambda: end.relay._place)
    await writer.xadd(KEY, {"from": "two", "news": '{"entries":[[7,"trade",1,"T","bot_live","{}"]]}'})
    with pytest.raises(KeyError, match="a mistake"):
        await asyncio.wait_for(task, 5)
    await end.relay.close()
    await writer.aclose()


async def test_news_that_pile_up_are_dropped_and_counted(redis_server: RedisServer) -> None:
    """While Redis is slow nobody waits and memory is bounded; what waited goes out in few writes."""
    one = End(redis_server, "one")
    async with listening(End(redis_server, "two")) as two:
        for seq in range(1, WAITING + 6):
            one.relay.entries([entry(seq)])
        assert one.health.counters["dropped"] == 5
        task = asyncio.create_task(one.relay.send())
        await eventually(lambda: two.entries[-1:] == [WAITING])
        assert two.entries == list(range(1, min(WAITING, KEPT) + 1))
        assert one.health.counters["sent"] == WAITING
        await cancel_and_wait(task)
        await one.relay.close()


async def test_a_client_that_does_not_end_is_left_behind() -> None:
    """Closing waits half a second for each of the two, no longer."""

    class Hung:
        async def aclose(self) -> None:
            await asyncio.Event().wait()

    hung: Any = Hung()
    health = ComponentHealth("relay")
    relay = Relay(hung, hung, KEY, "one", lambda entries: None, lambda text: None, health)
    began = time.monotonic()
    await relay.close()
    assert time.monotonic() - began < 2
    assert health.reason == "closing: TimeoutError"
