"""The last line of defence: a mistake of ours in one part is seen, and the part goes on."""

import asyncio
import logging

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever
from journal.errors import LeaseLost
from tests.support.clock import Clock
from tests.support.eventually import eventually


async def test_a_part_that_breaks_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    """Degraded until it does well again, one line with its trace in the log, and at work again after the pause."""
    health, tries = ComponentHealth("feed"), 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ZeroDivisionError
        health.succeed()
        await asyncio.Event().wait()

    task = asyncio.create_task(run_forever(work, health, restart_delay=0.01))
    await eventually(lambda: health.state == "ok")
    assert (tries, health.counters["failures"]) == (2, 1)
    [line] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert line.message == "feed: restarted after an unexpected error"
    assert line.exc_info is not None
    assert line.exc_info[0] is ZeroDivisionError
    await cancel_and_wait(task)


@pytest.mark.parametrize("group", [False, True], ids=["alone", "in a group of tasks"])
async def test_a_lost_lease_ends_the_component(group: bool) -> None:
    """Another worker does this work now: no restart, also when it comes beside another error."""

    async def work() -> None:
        lost = LeaseLost("another holder")
        raise ExceptionGroup("tasks", [ValueError("beside"), lost]) if group else lost

    async with asyncio.timeout(1):
        with pytest.raises(LeaseLost):
            await run_forever(work, ComponentHealth("push"), restart_delay=60)


async def test_a_swallowed_cancellation_is_repeated() -> None:
    """A library that swallows the first cancellation does not prevent the end."""
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await cancel_and_wait(task, retry_after=0.02)
    assert task.cancelled()
    assert swallowed == 1


def test_health_in_json_has_ages_and_counts() -> None:
    """The age is of the last success, in seconds to the millisecond, and never negative; no reason is null."""
    clock = Clock(100.0)
    health = ComponentHealth("feed", clock)
    assert health.as_json() == {"state": "starting", "age": None, "reason": None}
    health.succeed()
    clock.now += 1.23456
    assert health.as_json() == {"state": "ok", "age": 1.235, "reason": None}
    for _ in range(2):
        health.fail("no answer")
    assert health.as_json() == {"state": "degraded", "age": 1.235, "reason": "no answer", "failures": 2}
    clock.now -= 50
    assert health.as_json()["age"] == 0.0
    health.set_idle("another worker polls")
    assert (health.state, health.reason) == ("idle", "another worker polls")
    health.start()
    assert (health.state, health.reason, health.last_success) == ("starting", "", 100.0)


def test_health_logs_changes_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A failure is a warning, a success is information, idle and starting are details; repetitions are silent."""
    caplog.set_level(logging.DEBUG)
    health = ComponentHealth("feed")
    health.start()  # it is in this state
    health.succeed("first page")
    health.succeed("first page")
    health.fail("no answer")
    health.fail("no answer")
    health.fail("timeout")
    health.succeed()
    health.set_idle("no keys")
    health.start()
    health.succeed("logged elsewhere", log_change=False)
    health.fail("logged elsewhere", log_change=False)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "feed: ok: first page"),
        ("WARNING", "feed: degraded: no answer"),
        ("WARNING", "feed: degraded: timeout"),
        ("INFO", "feed: ok"),
        ("DEBUG", "feed: idle: no keys"),
        ("DEBUG", "feed: starting"),
    ]
    assert (health.state, health.counters["failures"]) == ("degraded", 4)


async def test_a_component_is_restarted_after_its_pause(caplog: pytest.LogCaptureFixture) -> None:
    """By default a second; an error in a group without a lost lease is restarted too, and its kind is the reason."""
    starts: list[float] = []
    loop = asyncio.get_running_loop()
    health = ComponentHealth("feed")

    async def work() -> None:
        starts.append(loop.time())
        raise ExceptionGroup("tasks", [ValueError("one")])

    task = asyncio.create_task(run_forever(work, health))
    await eventually(lambda: len(starts) == 2)
    await cancel_and_wait(task)
    assert starts[1] - starts[0] >= 0.99
    assert health.reason == "unexpected ExceptionGroup"
    assert "degraded" not in caplog.text  # the line with the trace says it
    await cancel_and_wait()
