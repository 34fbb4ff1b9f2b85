"""Messages of the relay over a scripted client: batches, places, counts, and the bounds that are kept in Redis."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from cache.base import RedisAddress
from cache.decimal_json import dumps, loads
from cluster.component_health import ComponentHealth, cancel_and_wait
from cluster.relay import Relay
from cluster.workers import RelaySettings
from tests.support import pages
from tests.support.clock import Clock
from tests.support.eventually import eventually


class Journal:
    """An epoch and an identity."""

    epoch, identity = "ours", "file"


class Pipeline:
    """Collects commands until they are executed."""

    def __init__(self, client: "ScriptedClient") -> None:
        self._client = client
        self._commands: list[tuple[Any, ...]] = []

    def xadd(self, key: str, fields: dict[str, str], **more: object) -> None:
        self._commands.append(("xadd", key, loads(fields["news"]), more))

    def expire(self, key: str, seconds: int) -> None:
        self._commands.append(("expire", key, seconds))

    def hset(self, key: str, name: str, text: str) -> None:
        self._commands.append(("hset", key, name, loads(text)))

    async def execute(self) -> None:
        if self._client.broken:
            raise RedisConnectionError
        self._client.executed.append(self._commands)


class ScriptedClient:
    """As much of a Redis client as the relay uses. answers: of xread, one after the other; then it waits."""

    def __init__(self, answers: Sequence[Any] = (), last: Sequence[Any] = ()) -> None:
        self.executed: list[list[tuple[Any, ...]]] = []
        self.broken = False
        self.answers, self.last = list(answers), list(last)
        self.read_from: list[dict[str, str]] = []
        self.options: dict[str, object] = {}
        self.claims: list[tuple[Any, ...]] = []

    def pipeline(self, transaction: bool) -> Pipeline:
        assert not transaction, "messages are independent of each other"
        return Pipeline(self)

    async def xrevrange(self, key: str, count: int) -> Sequence[Any]:
        return self.last[:count]

    async def xread(self, places: dict[str, str], **options: object) -> Any:
        self.read_from.append(places)
        self.options = options
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def get(self, key: str) -> None:
        self.claims.append(("get", key))

    async def set(self, key: str, value: str, ex: int) -> None:
        self.claims.append(("set", key, value, ex))


class Listening:
    """A relay over scripted clients, and what its listeners received."""

    def __init__(self, reader: ScriptedClient | None = None) -> None:
        self.clock = Clock()
        self.client, self.reader = ScriptedClient(), reader or ScriptedClient()
        self.heads: list[int] = []
        self.snapshots: list[str] = []
        journal: Any = Journal()
        settings = RelaySettings(RedisAddress("127.0.0.1", 1), "test:", lambda: {"open": 3})
        health = ComponentHealth("relay", self.clock)
        self.relay: Any = Relay(health, settings, journal, self.heads.append, self.snapshots.append)
        self.relay.client, self.relay.reader, self.relay.name = self.client, self.reader, "me"

    @property
    def counters(self) -> dict[str, int]:
        """Counters of health."""
        return dict(self.relay.health.counters)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds of each pause; a pause only lets other tasks run."""
    found: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        if seconds >= 1:
            found.append(seconds)
        await sleep(0)

    monkeypatch.setattr("asyncio.sleep", pause)
    return found


async def test_messages_that_wait_are_sent_together() -> None:
    """In their order and in one call; the stream holds about a thousand and expires a day after the last."""
    one = Listening()
    one.relay.announce(pages.trades(4, 5))
    one.relay.send_snapshot("online")
    one.relay.announce([pages.trade(6)])
    task = asyncio.create_task(one.relay.send())
    await eventually(lambda: one.client.executed)
    kept = {"maxlen": 1000, "approximate": True}
    [commands] = one.client.executed
    assert commands == [
        ("xadd", "test:relay:file", {"head": 5}, kept), ("xadd", "test:relay:file", {"snapshot": "online"}, kept),
        ("xadd", "test:relay:file", {"head": 6}, kept), ("expire", "test:relay:file", 86_400),
    ]  # fmt: skip
    one.relay.send_snapshot("offline")
    await eventually(lambda: len(one.client.executed) == 2)
    await eventually(lambda: one.counters == {"sent": 4})
    await cancel_and_wait(task)


async def test_a_thousand_messages_wait_at_most(pauses: list[float]) -> None:
    """The rest are dropped and counted; those of a call that failed are not sent again."""
    one = Listening()
    for _ in range(1001):
        one.relay.send_snapshot("x")
    assert one.counters == {"dropped": 1}
    one.client.broken = True
    task = asyncio.create_task(one.relay.send())
    await eventually(lambda: pauses)
    assert one.relay.health.reason.startswith("Redis: ConnectionError; workers follow each other")
    assert pauses[0] == 1.0
    one.client.broken = False
    one.relay.send_snapshot("y")
    await eventually(lambda: one.client.executed)
    assert len(one.client.executed[0]) == 2
    await cancel_and_wait(task)


def message(id: str, sender: str = "other", **news: object) -> tuple[bytes, dict[bytes, bytes]]:
    """Return a message as Redis has it."""
    return id.encode(), {b"from": sender.encode(), b"news": dumps(news).encode()}


async def test_reading_begins_behind_the_last_message() -> None:
    """And goes on behind each that was read; own messages are passed over, a quiet read is a success."""
    answers = [
        [(b"test:relay:file", [message("7-1", head=5), message("7-2", "me", head=6), message("7-3", snapshot="a")])],
        None,
    ]
    one = Listening(ScriptedClient(answers, [(b"6-9", {})]))
    task = asyncio.create_task(one.relay.receive())
    await eventually(lambda: len(one.reader.read_from) == 3)
    assert [places["test:relay:file"] for places in one.reader.read_from] == ["6-9", "7-3", "7-3"]
    assert one.reader.options == {"count": 100, "block": 5000}
    assert (one.heads, one.snapshots, one.counters["heard"]) == ([5], ["a"], 2)
    assert (one.relay.receiving, one.relay.health.state, one.relay.health.last_success) == (True, "ok", 1000.0)
    await cancel_and_wait(task)


async def test_each_read_counts_as_a_success() -> None:
    """Health shows the time of the last one, also of one without a message."""
    one = Listening(ScriptedClient([None]))
    stamps = iter([1.0, 2.0, 3.0, 4.0])
    one.relay.health.clock = lambda: next(stamps)
    task = asyncio.create_task(one.relay.receive())
    await eventually(lambda: len(one.reader.read_from) == 2)
    assert one.relay.health.last_success == 2.0
    await cancel_and_wait(task)


async def test_a_failed_read_is_repeated_at_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second; meanwhile the worker does not count as one that receives."""
    answers = [None, RedisConnectionError(), [(b"test:relay:file", [message("7-1", head=5)])]]
    one = Listening(ScriptedClient(answers))
    pauses: list[tuple[float, bool]] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        if seconds >= 1:
            pauses.append((seconds, one.relay.receiving))
        await sleep(0)

    monkeypatch.setattr("asyncio.sleep", pause)
    task = asyncio.create_task(one.relay.receive())
    await eventually(lambda: one.heads == [5])
    assert pauses == [(1.0, False)]
    assert {places["test:relay:file"] for places in one.reader.read_from[:3]} == {"0-0"}
    assert one.relay.receiving
    assert one.relay.health.state == "ok"
    await cancel_and_wait(task)


async def test_a_worker_is_registered_every_two_seconds(pauses: list[float]) -> None:
    """With its numbers and the time; the registry and the claim of the prefix expire some time after the last."""
    one = Listening()
    task = asyncio.create_task(one.relay.register())
    await eventually(lambda: len(one.client.executed) == 2)
    await cancel_and_wait(task)
    assert one.client.executed[0] == [
        ("hset", "test:workers:file", "me", {"at": 1000, "open": 3}), ("expire", "test:workers:file", 60),
    ]  # fmt: skip
    assert one.client.claims[:2] == [("get", "test:journal"), ("set", "test:journal", "ours file", 15)]
    assert set(pauses) == {2.0}


async def test_workers_are_counted_for_six_seconds() -> None:
    """Then their numbers are left out, and after a minute their rows are removed."""
    one = Listening()
    rows = {b"me": 1000, b"a": 1005.9, b"b": 994.1, b"late": 994, b"ahead": 1006, b"old": 940.1, b"dead": 940}
    removed: list[bytes] = []

    async def hgetall(key: str) -> dict[bytes, bytes]:
        return {name: dumps({"at": at, "open": at}).encode() for name, at in rows.items()}

    async def hdel(key: str, *names: bytes) -> None:
        removed.extend(names)

    client: Any = one.client
    client.hgetall, client.hdel = hgetall, hdel
    assert [float(row["open"]) for row in await one.relay.gather()] == [1005.9, 994.1]
    assert removed == [b"dead"]
