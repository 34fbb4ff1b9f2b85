"""Tests of the runner: a failed start is retried, and the end cancels for as long as orders disappear, no longer."""

import asyncio
import time
from typing import Any

import pytest

from bot.clock import BotClock
from bot.errors import AnotherBotRunning, LimitsTooLarge, VenueUnavailable
from bot.runner import BotRunner, RunnerTimes
from bot.strategy_types import RestingOrder
from tests.support.eventually import eventually
from tests.support.trading import order, trading_state


class SlowVenue:
    """A venue and its engine. step: seconds for one cancel. silent: nothing is ever answered."""

    def __init__(self, orders: int, step: float = 0.0, silent: bool = False) -> None:
        self.left = [order("BUY", "5", "0.40", name=str(number)) for number in range(orders)]
        self.step, self.silent = step, silent
        self.turning = False
        self.failures: list[tuple[str, str]] = []

    def resting(self) -> list[RestingOrder]:
        return list(self.left)

    async def turn(self) -> None:
        self.turning = True
        await asyncio.sleep(60 if self.silent else 0)

    async def cancel_all(self) -> None:
        return

    async def withdraw(self) -> None:
        while self.left:
            await asyncio.sleep(60 if self.silent else self.step)
            self.left.pop()

    async def refresh(self, quotes: object) -> None:
        return

    def report_halt(self, halt: object) -> None:
        return

    def report_failure(self, failure: str, reason: str) -> None:
        self.failures.append((failure, reason))


def runner_of(venue: Any, saved: list[bool], times: RunnerTimes, **more: Any) -> BotRunner:
    """A runner on paper."""
    return BotRunner(trading_state(exchange=True), venue, venue, None, True, times, saved.append, BotClock(), **more)


async def ended(venue: SlowVenue) -> tuple[list[bool], float]:
    """Start, stop in the middle of a turn; return what was saved and the seconds that the end took."""
    saved: list[bool] = []
    runner = runner_of(venue, saved, RunnerTimes(60.0, last_turn=0.05, no_progress=0.2))
    running = asyncio.create_task(runner.run())
    await eventually(lambda: venue.turning)
    begun = time.monotonic()
    assert runner.stop()
    assert not runner.stop(), "the second call returns False"
    await running
    return saved, time.monotonic() - begun


async def test_the_end_waits_for_an_exchange_that_cancels_slowly(caplog: pytest.LogCaptureFixture) -> None:
    """Ten cancels of 50 ms each take longer than no_progress, and all are done."""
    venue = SlowVenue(10, 0.05)
    saved, took = await ended(venue)
    assert (venue.left, saved[-1]) == ([], True)
    assert took > 0.4
    assert "may still rest" not in caplog.text


async def test_the_end_does_not_wait_for_a_silent_exchange_and_names_what_may_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the turn nor the end waits; the state is stored all the same."""
    saved, took = await ended(SlowVenue(7, silent=True))
    assert saved[-1] is True
    assert took < 10
    assert "it did not answer in time" in caplog.text
    assert "what may still rest: BUY 5 KXA at 0.40, " in caplog.text
    assert "and 2 more" in caplog.text


class AwayVenue(SlowVenue):
    """An exchange that fails while it is away."""

    def __init__(self) -> None:
        super().__init__(1)
        self.away, self.turns = True, 0

    async def turn(self) -> None:
        self.turns += 1

    async def cancel_all(self) -> None:
        await self.withdraw()

    async def withdraw(self) -> None:
        if self.away:
            raise VenueUnavailable("the exchange is down for the night", "maintenance")
        self.left.clear()


async def test_a_start_without_the_exchange_is_tried_again() -> None:
    """Orders of an earlier run cannot be cancelled now, so nothing is traded; the start is not a halt."""
    venue = AwayVenue()
    runner = runner_of(venue, [], RunnerTimes(0.01, retry_after=0.02))
    running = asyncio.create_task(runner.run())
    await eventually(lambda: len(venue.failures) > 2)
    assert (runner.stage, venue.turns) == ("starting", 0)
    assert set(venue.failures) == {("the exchange is down for the night", "maintenance")}
    venue.away = False
    await eventually(lambda: venue.turns)
    assert (runner.stage, venue.left) == ("running", [])
    runner.stop()
    await running


async def test_a_turn_that_takes_too_long_is_a_failure_of_the_exchange() -> None:
    """Its time limit ends it, and the next one begins."""
    venue = SlowVenue(0, silent=True)
    runner = runner_of(venue, [], RunnerTimes(0.01, turn_limit=0.05, retry_after=0.01))
    running = asyncio.create_task(runner.run())
    await eventually(lambda: len(venue.failures) > 1)
    assert venue.failures[0] == ("a turn took longer than 0 s", "exchange unreachable")
    runner.stop()
    await running


async def test_an_end_without_the_exchange_logs_the_reason_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the error and what may still rest."""
    venue = AwayVenue()
    venue.away = False
    runner = runner_of(venue, [], RunnerTimes(0.01))
    running = asyncio.create_task(runner.run())
    await eventually(lambda: venue.turns)
    venue.left, venue.away = [order("SELL", "3", "0.60")], True
    runner.stop()
    await asyncio.wait_for(running, 5)
    assert "ended without confirmation from the exchange (the exchange is down for the night)" in caplog.text
    assert "what may still rest: SELL 3 KXA at 0.60" in caplog.text


@pytest.mark.parametrize("hook", ["prepare", "verify"])
@pytest.mark.parametrize("error", [AnotherBotRunning("two"), LimitsTooLarge("at most 2")])
async def test_a_start_that_cannot_work_ends_the_bot_before_a_turn(hook: str, error: Exception) -> None:
    """Another bot, or limits beyond the account's money: the error is raised and nothing was traded."""

    async def refuse() -> None:
        raise error

    venue = AwayVenue()
    venue.away = False
    runner = runner_of(venue, [], RunnerTimes(0.01), **{hook: refuse})
    with pytest.raises(type(error)):
        await runner.run()
    assert venue.turns == 0
    assert bool(venue.left) == (hook == "prepare"), "prepare comes before the first cancel, verify after it"
