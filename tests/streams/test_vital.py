"""The last line of defence: a mistake of ours in one part is seen, and the part goes on."""

import asyncio

import pytest

from journal.errors import LeaseLost
from streams.vital import Vital, ended, supervised
from tests.support.eventually import eventually


async def test_a_part_that_breaks_is_started_again(caplog: pytest.LogCaptureFixture) -> None:
    """Degraded until it does well again, one line with its trace in the log, and at work again after the pause."""
    vital, tries = Vital("feed"), 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ZeroDivisionError
        vital.good()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervised(work, vital, pause=0.01))
    await eventually(lambda: vital.state == "ok")
    assert (tries, vital.counts["failures"]) == (2, 1)
    [line] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert line.message == "feed: restarted after an unexpected error"
    assert line.exc_info is not None
    assert line.exc_info[0] is ZeroDivisionError
    await ended(task)


@pytest.mark.parametrize("group", [False, True], ids=["alone", "in a group of tasks"])
async def test_a_lost_lease_ends_the_part(group: bool) -> None:
    """Another worker does this work now: no second try, also when it comes beside another error."""

    async def work() -> None:
        lost = LeaseLost("another holder")
        raise ExceptionGroup("tasks", [ValueError("beside"), lost]) if group else lost

    async with asyncio.timeout(1):
        with pytest.raises(LeaseLost):
            await supervised(work, Vital("push"), pause=60)


async def test_a_swallowed_cancellation_is_repeated() -> None:
    """A library that takes the first one for something else cannot keep us from ending."""
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
    await ended(task, again=0.02)
    assert task.cancelled()
    assert swallowed == 1
