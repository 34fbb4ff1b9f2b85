"""The end: what rests is taken back for as long as that gets on, and silence is not waited for."""

import asyncio
import time
from typing import Any

import pytest

from bot.errors import VenueUnavailable
from bot.runner import BotRunner
from bot.strategy_types import RestingOrder
from bot.trading_state import TradingState
from tests.support.eventually import eventually
from tests.support.trading import limits, order


class Slow:
    """A venue and its engine: an order goes at every step; deaf: none does, ever."""

    def __init__(self, orders: int, step: float, deaf: bool) -> None:
        self.left = [order("BUY", "5", "0.40", name=str(number)) for number in range(orders)]
        self.step, self.deaf = step, deaf

    def resting(self) -> list[RestingOrder]:
        return list(self.left)

    async def turn(self) -> None:
        await asyncio.sleep(60 if self.deaf else 0)

    async def cancel_all(self) -> None:
        return

    async def withdraw(self) -> None:
        while self.left:
            await asyncio.sleep(60 if self.deaf else self.step)
            self.left.pop()

    async def refresh(self, quotes: object) -> None:
        return


async def lived(venue: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bool], float]:
    """Begin, be asked to end in the middle of a turn: what was saved, and how long the end took."""
    monkeypatch.setattr("bot.runner._GRACE", 0.05)
    monkeypatch.setattr("bot.runner._SILENCE", 0.1)
    saved: list[bool] = []
    runner = BotRunner(TradingState("boot", limits(), exchange=True), venue, venue, None, True, 60.0, saved.append)
    running = asyncio.create_task(runner.run())
    await asyncio.sleep(0.05)
    begun = time.monotonic()
    assert runner.stop()
    assert not runner.stop(), "asked twice"
    await running
    return saved, time.monotonic() - begun


async def test_a_slow_exchange_that_gets_on_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten orders at a twentieth of a second each take longer than silence may."""
    venue = Slow(10, 0.05, deaf=False)
    saved, took = await lived(venue, monkeypatch)
    assert (venue.left, saved[-1]) == ([], True)
    assert took > 0.4
    assert "may still rest" not in caplog.text


async def test_silence_is_not_waited_for_and_what_may_rest_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in a turn nor in the end; the state is kept all the same."""
    saved, took = await lived(Slow(7, 0.0, deaf=True), monkeypatch)
    assert saved[-1] is True
    assert took < 2
    assert "it did not answer in time" in caplog.text
    assert "what may still rest: BUY 5 KXA at 0.40, " in caplog.text
    assert "and 2 more" in caplog.text


class Away(Slow):
    """An exchange that says so: whatever is asked of it fails while it is away."""

    def __init__(self) -> None:
        super().__init__(1, 0.0, deaf=False)
        self.away, self.turns = True, 0

    async def turn(self) -> None:
        self.turns += 1

    async def cancel_all(self) -> None:
        await self.withdraw()

    async def withdraw(self) -> None:
        if self.away:
            raise VenueUnavailable("the exchange is down for the night")
        self.left.clear()


async def test_a_start_without_the_exchange_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What an earlier life left cannot be cancelled now, so nothing is traded; no halt, for it passes."""
    monkeypatch.setattr("bot.runner._AGAIN", 0.02)
    venue: Any = Away()
    state = TradingState("boot", limits(), exchange=True)
    runner = BotRunner(state, venue, venue, None, True, 0.01, lambda durable: None)
    running = asyncio.create_task(runner.run())
    await eventually(lambda: caplog.text.count("starting: the exchange is down for the night; trying again") > 2)
    assert (runner.stage, venue.turns) == ("starting", 0)
    venue.away = False
    await eventually(lambda: venue.turns)
    assert (runner.stage, venue.left, state.risk.halted) == ("running", [], False)
    runner.stop()
    await running


async def test_an_end_without_the_exchange_says_why(caplog: pytest.LogCaptureFixture) -> None:
    """At once, with what may still rest."""
    venue: Any = Away()
    venue.away = False
    runner = BotRunner(
        TradingState("boot", limits(), exchange=True), venue, venue, None, True, 0.01, lambda durable: None
    )
    running = asyncio.create_task(runner.run())
    await eventually(lambda: venue.turns)
    venue.left, venue.away = [order("SELL", "3", "0.60")], True
    runner.stop()
    await asyncio.wait_for(running, 3)
    assert "ended without the exchange's word (the exchange is down for the night)" in caplog.text
    assert "what may still rest: SELL 3 KXA at 0.60" in caplog.text
