"""Several workers on one journal: one polls, all send the same, and another takes over; with Redis and without."""

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from cache.base import RedisAddress
from cache.redis import connect
from cluster.workers import PrefixInUse, RelaySettings
from ingest.supervisor import Supervisor
from journal.errors import LeaseLost
from journal.sqlite import SqliteJournal
from streams.stats import add_up
from tests.support.bot import ScriptedBot, serving, trade
from tests.support.eventually import eventually
from tests.support.neighbours import RedisServer
from tests.support.watching import RecordingHub, worker


def polls(watch: Supervisor) -> bool:
    """Return True if this worker holds the lease."""
    return watch.health()["lease"]["reason"] == "this worker polls"


async def two(
    stack: AsyncExitStack, path: Path, bot: ScriptedBot, **more: Any
) -> list[tuple[Supervisor, RecordingHub]]:
    """Start two workers: the first polls, the second follows."""
    found = []
    for _ in range(2):
        watch, hub, _ = await stack.enter_async_context(worker(path, bot, **more))
        found.append((watch, hub))
        await eventually(lambda: polls(found[0][0]))
    return found


async def test_without_redis_the_others_follow_the_journal(path: Path) -> None:
    """Entries and status come within about a second, and health has the reason of the delay; one worker polls."""
    async with serving(ScriptedBot()) as bot, AsyncExitStack() as stack:
        (first, one), (second, other) = await two(stack, path, bot)
        for number in range(5):
            bot.make(trade(number))
            await eventually(other.newest_is(f"t{number}"), within=2.0)
        assert one.ids == other.ids
        await eventually(lambda: other.statuses[-1] == "online")
        assert not polls(second)
        assert "follow the journal" in str(second.health()["relay"]["reason"])
        idle = {part: second.health()[part]["state"] for part in ("poller", "healer", "push", "recorder")}
        assert set(idle.values()) == {"idle"}, "what the other worker does is not this one's trouble"
        assert json.loads((await second.live.answer(1))[0].value[0])["trade_id"] == "t4"
        assert (await second.live.answer(1))[0].source in ("bot_live", "journal")


async def test_a_worker_that_stops_hands_over_at_once(path: Path) -> None:
    """It gives the lease back, and the other polls before its term would have been over."""
    async with serving(ScriptedBot()) as bot, AsyncExitStack() as stack:
        async with worker(path, bot) as (first, _, _):
            await eventually(lambda: polls(first))
            second, hub, _ = await stack.enter_async_context(worker(path, bot))
            bot.make(trade(1))
            await eventually(lambda: hub.ids == ["t1"])
        began = time.monotonic()
        await eventually(lambda: polls(second))
        bot.make(trade(2))
        await eventually(lambda: hub.ids == ["t1", "t2"])
        assert time.monotonic() - began < 3.0
        assert hub.bodies("gap") == []


async def test_an_old_holder_cannot_write(path: Path) -> None:
    """One that was away for longer than its term finds itself fenced, stops, and follows; nothing is doubled."""
    async with serving(ScriptedBot()) as bot, worker(path, bot) as (first, hub, journal):
        await eventually(lambda: polls(first))
        real = journal.append
        patched: Any = journal

        async def fenced(*args: Any) -> Any:
            raise LeaseLost("another holder")

        patched.append = fenced
        bot.make(trade(1))
        await eventually(lambda: first.health()["lease"].get("terms", 0) > 1)  # type: ignore[operator]
        patched.append = real
        await eventually(lambda: hub.ids == ["t1"])


@pytest.mark.parametrize("left", ["nonsense", '{"mood":"fine"}', "[]"], ids=["no json", "another shape", "a list"])
async def test_an_unreadable_status_of_an_older_version_is_ignored(path: Path, left: str) -> None:
    """An unreadable status in the lease's row: the next holder begins with a bot that was not polled yet."""
    journal = SqliteJournal(path)
    await journal.open()
    lease = await journal.acquire("older", 30)
    assert lease is not None
    await journal.renew(lease, 30, left)
    bot = ScriptedBot()
    bot.make(trade(1))
    async with serving(bot), worker(path, bot) as (watch, hub, _):
        await eventually(lambda: watch.health()["lease"]["reason"] == "another worker polls")
        assert watch.health()["bot"]["reason"] == "not polled yet"
        await journal.release(lease)
        await eventually(lambda: hub.ids == ["t1"])
    await journal.close()


WORKER = """
import asyncio, sys
from pathlib import Path
from tests.support.bot import ScriptedBot
from tests.support.watching import worker

async def main():
    bot = ScriptedBot()
    bot.url = sys.argv[2]
    async with worker(Path(sys.argv[1]), bot) as (watch, hub, _):
        print("up", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_take_over_after_kill(path: Path) -> None:
    """kill -9 of the worker that polls: another has the bot's trades within the term and two polls."""
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(1))
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, str(path), bot.url, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        try:
            assert victim.stdout is not None
            assert await victim.stdout.readline() == b"up\n"
            await eventually(lambda: "/trades" in bot.asked)
            async with worker(path, bot) as (watch, hub, _):
                assert not polls(watch)
                victim.kill()
                killed = time.monotonic()
                bot.make(trade(2))
                await eventually(lambda: hub.ids[-1:] == ["t2"], within=9.0)  # t1 may be before its start
                assert time.monotonic() - killed < 7.5
                assert hub.bodies("gap") == []
        finally:
            if victim.returncode is None:
                victim.kill()
            await victim.communicate()


@pytest.mark.redis
async def test_with_redis_the_others_receive_entries_at_once(path: Path, redis_server: RedisServer) -> None:
    """Milliseconds with Redis; killed, the journal brings the rest; back again, milliseconds again; none lost."""
    address = RedisAddress("127.0.0.1", redis_server.port)
    async with serving(ScriptedBot(numbered=True)) as bot, AsyncExitStack() as stack:
        (first, one), (second, other) = await two(stack, path, bot, interval=1.0, relay=RelaySettings(address, "test:"))
        await eventually(lambda: second.health()["relay"]["state"] == "ok")
        await eventually(lambda: any("after" in requested for requested in bot.asked))
        took = []
        for number in range(10):
            began = time.monotonic()
            bot.make(trade(number))
            await eventually(other.newest_is(f"t{number}"), every=0.001)
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.01)
        assert sorted(took)[5] < 0.1
        redis_server.kill()
        bot.make(trade(10))
        await eventually(lambda: other.ids[-1] == "t10")
        await eventually(lambda: second.health()["relay"]["state"] == "degraded")
        assert "through the journal" in str(second.health()["relay"]["reason"])
        redis_server.start()
        await eventually(lambda: second.health()["relay"]["state"] == "ok")
        bot.make(trade(11))
        await eventually(lambda: other.ids[-1] == "t11")
        assert one.ids == other.ids == [f"t{number}" for number in range(12)]


@pytest.mark.redis
async def test_numbers_add_up_over_workers(path: Path, redis_server: RedisServer) -> None:
    """Each worker reports its numbers; the others add them, and no longer when it is gone."""
    address = RedisAddress("127.0.0.1", redis_server.port)
    more: dict[str, Any] = {"relay": RelaySettings(address, "test:", lambda: {"open": 3, "ends": {"slow": 1}})}
    async with serving(ScriptedBot()) as bot, AsyncExitStack() as stack:
        watch, _, _ = await stack.enter_async_context(worker(path, bot, **more))
        async with worker(path, bot, **more):
            await eventually(lambda: watch.workers.gather())
            others = await watch.workers.gather()
            assert [each["open"] for each in others] == [3]
        assert await watch.workers.gather() == []
        client = connect(address)
        keys = sorted(await client.keys("*"))
        assert all(key.startswith(b"test:") for key in keys)
        assert all([await client.ttl(key) > 0 for key in keys])
        await client.aclose()


@pytest.mark.redis
async def test_two_journals_under_one_prefix(path: Path, tmp_path: Path, redis_server: RedisServer) -> None:
    """The second does not start, and its error names the setting to change."""
    more: dict[str, Any] = {"relay": RelaySettings(RedisAddress("127.0.0.1", redis_server.port), "test:")}
    async with serving(ScriptedBot()) as bot, worker(path, bot, **more):
        with pytest.raises(PrefixInUse, match="REDIS_KEY_PREFIX"):
            async with worker(tmp_path / "other.db", bot, **more):
                pytest.fail("it must not start")
    async with serving(ScriptedBot()) as bot, worker(tmp_path / "other.db", bot, **more):
        pass


def test_adding_up() -> None:
    """Counts are summed, also inside; of places and latencies the greatest stands for all."""
    one = {"open": 1, "position": 5, "ends": {"slow": 1}, "latency_ms": {"p50": 1.0, "p99": None}}
    other = {"open": 2, "position": 4, "ends": {"gone": 2}, "latency_ms": {"p50": 2.0, "p99": 9.0}}
    assert add_up([one, other]) == {
        "open": 3, "position": 5, "ends": {"slow": 1, "gone": 2}, "latency_ms": {"p50": 2.0, "p99": 9.0},
    }  # fmt: skip
