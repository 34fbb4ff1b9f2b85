"""Log of the supervisor: one line for each change of state."""

import logging
import time
from pathlib import Path

import pytest

from cluster.component_health import ComponentHealth
from kalshi.fill_socket import Connected, Disconnected
from tests.support.bot import ScriptedBot, hang_up, serving
from tests.support.eventually import eventually
from tests.support.exchange import ScriptedExchange, ScriptedPush
from tests.support.watching import worker


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    """From INFO up, as in production."""
    caplog.set_level(logging.INFO)


def test_the_same_again_is_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """A lasting failure is counted and not logged again; it is shown in health."""
    health = ComponentHealth("part")
    for reason in ("gone", "gone", "refused"):
        health.fail(reason)
    health.succeed()
    health.fail("told elsewhere", log_change=False)
    assert caplog.messages == ["part: degraded: gone", "part: degraded: refused", "part: ok"]
    assert (health.state, health.reason, health.counters["failures"]) == ("degraded", "told elsewhere", 4)


async def test_a_bot_that_goes_and_comes_is_two_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The poller that fails with it has nothing to add; one lost poll is not even a line."""
    async with serving(ScriptedBot()) as bot, worker(tmp_path / "journal.db", bot) as (watch, hub, _):
        await eventually(lambda: hub.statuses[-1] == "online")
        await eventually(lambda: all(watch.health()[part]["state"] == "ok" for part in ("recorder", "feed")))
        caplog.clear()
        bot.answers["/trades"] = bot.answers["/status"] = hang_up
        await eventually(lambda: hub.statuses[-1] == "offline")
        assert watch.health()["poller"]["state"] == "degraded"
        bot.answers.clear()
        await eventually(lambda: hub.statuses[-1] == "online")
    seen = [
        (each.levelname, each.message.replace(",", ":").split(":")[0])
        for each in caplog.records
        if "aiohttp" not in each.name
    ]
    assert seen == [("WARNING", "bot offline"), ("INFO", "bot online")]


async def test_a_push_logs_its_own_changes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It has its own lines, so health changes without one."""
    push, exchange = ScriptedPush(), ScriptedExchange(complete=time.time() + 3600)
    async with (
        serving(ScriptedBot()) as bot,
        worker(tmp_path / "journal.db", bot, push=push, exchange=exchange) as (watch, _, _journal),
    ):
        await eventually(lambda: watch.health()["push"]["state"] == "ok")
        push.queue.put_nowait(Disconnected("the line broke"))
        await eventually(lambda: watch.health()["push"]["reason"] == "the line broke")
        push.queue.put_nowait(Connected())
        await eventually(lambda: watch.health()["push"]["state"] == "ok")
    assert not [message for message in caplog.messages if message.startswith("push")]
