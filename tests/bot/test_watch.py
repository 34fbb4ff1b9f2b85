"""Tests of the watch: it cancels when the bot is dead or stuck, again and again until it is back."""

from typing import Any

import pytest

from bot.cancel import CancelReceipt
from bot.watch import BotWatch
from tests.support.trading import ManualClock


class Scene:
    """A bot whose status a test sets, and a cancel that is counted."""

    def __init__(self) -> None:
        self.time = ManualClock()
        self.status: dict[str, Any] | None = {"loop_age": 0.5}
        self.cancels = 0
        self.proven = True
        self.watch = BotWatch(self.read, self.cancel, 15.0, lambda: self.time.monotonic)

    async def read(self) -> dict[str, Any] | None:
        return self.status

    async def cancel(self) -> CancelReceipt:
        self.cancels += 1
        return CancelReceipt("prefix pi-bot-", self.time.wall, proven=self.proven)

    async def steps(self, count: int) -> None:
        """Run steps of two seconds."""
        for _ in range(count):
            self.time.pass_time(2.0)
            await self.watch.step()


@pytest.mark.parametrize("status", [{"loop_age": 0.5}, {"loop_age": 15}, {}, {"loop_age": "soon"}], ids=str)
async def test_a_bot_that_answers_and_turns_keeps_its_orders(status: dict[str, Any]) -> None:
    """A loop age up to the limit, or none at all, is a sign of the bot."""
    scene = Scene()
    scene.status = status
    await scene.steps(30)
    assert scene.cancels == 0


async def test_a_dead_bot_s_orders_are_cancelled_after_the_limit() -> None:
    """No answer for 15 s; a shorter time without one cancels nothing."""
    scene = Scene()
    await scene.steps(1)
    scene.status = None
    await scene.steps(7)
    assert scene.cancels == 0
    await scene.steps(1)
    assert (scene.cancels, scene.watch.away) == (1, True)


async def test_a_stuck_bot_s_orders_are_cancelled_at_once() -> None:
    """It answers, but its loop has not turned for longer than the limit."""
    scene = Scene()
    scene.status = {"loop_age": 15.1}
    await scene.steps(1)
    assert scene.cancels == 1


async def test_the_cancel_is_repeated_until_the_bot_is_back() -> None:
    """A proven cancel is repeated after the limit, an unproven one at the next step; then it watches anew."""
    scene = Scene()
    scene.status = {"loop_age": 60}
    await scene.steps(8)
    assert scene.cancels == 1
    await scene.steps(1)
    assert scene.cancels == 2
    scene.proven = False
    await scene.steps(10)
    before = scene.cancels
    await scene.steps(1)
    assert scene.cancels == before + 1
    scene.status = {"loop_age": 1}
    await scene.steps(20)
    assert (scene.cancels, scene.watch.away) == (before + 1, False)
