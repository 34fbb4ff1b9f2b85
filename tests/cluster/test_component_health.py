"""The last line of defence: a mistake of ours in one part is seen, and the part goes on."""

import asyncio

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever
from journal.errors import LeaseLost
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
