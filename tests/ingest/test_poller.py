"""Faults of the long poll and of pages: the interval polls go on, without extra requests."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.bot import Answer, ScriptedBot, json_answer, serving, text_answer, trade
from tests.support.eventually import eventually
from tests.support.watching import worker


def only_after(bot: ScriptedBot, answer: Answer) -> Answer:
    """Serve the bot's window, but this answer for a request with ?after=."""

    async def either(request: web.Request) -> web.StreamResponse:
        return await (answer if "after" in request.query else bot._trades)(request)

    return either


def asked_after(bot: ScriptedBot) -> int:
    """Return the number of requests for trades after a number."""
    return sum("after=" in path for path in bot.asked)


@pytest.mark.parametrize(
    "answer",
    [
        text_answer("", status=500),
        json_answer(None),
        text_answer("<html>"),
        json_answer({"trades": []}),
        json_answer([trade(99, seq=99, boot_id="x")]),
    ],
    ids=["an error", "no list", "html", "at once, nothing", "at once, what does not join"],
)
async def test_a_failed_long_poll_is_replaced_by_the_poll(path: Path, answer: Answer) -> None:
    """The bot stays online, its trades come by the poll, and one request is made for each poll."""
    async with serving(ScriptedBot(numbered=True)) as bot:
        bot.answers["/trades"] = only_after(bot, answer)
        async with worker(path, bot) as (watch, hub, _):
            for number in range(1, 6):
                bot.make(trade(number))
                await eventually(hub.newest_is(f"t{number}"))
            assert hub.ids == [f"t{number}" for number in range(1, 6)]
            assert hub.statuses[-1] == "online"
            polls = watch.health()["poller"]["polls"]
            assert 0 < asked_after(bot) <= polls + 1  # type: ignore[operator]
            bot.answers.clear()  # it works again, and is used again
            await eventually(lambda: asked_after(bot) > polls)  # type: ignore[operator]
            bot.make(trade(6))
            await eventually(lambda: hub.ids[-1] == "t6")


def one_by_one(bot: ScriptedBot) -> Answer:
    """A bot that gives no more than one trade at a time."""

    async def answer(request: web.Request) -> web.StreamResponse:
        after = int(request.query["after"])
        return web.json_response(bot.trades[after : after + 1])

    return answer


MADE = 600  # trades: one by one they take longer than an interval between two polls
PAGES: dict[str, Any] = {
    "an error": lambda bot: text_answer("", status=500),
    "nothing": lambda bot: json_answer([]),
    "one by one": one_by_one,
}


@pytest.mark.parametrize("kind", PAGES)
async def test_a_jump_that_the_bot_does_not_fill_is_a_gap(path: Path, kind: str) -> None:
    """Its pages fail, are empty, or never end: the poll goes on in time, and what is missing is announced."""
    async with serving(ScriptedBot(numbered=True, window=3)) as bot:
        bot.make(trade(1))
        bot.answers["/trades"] = only_after(bot, PAGES[kind](bot))
        async with worker(path, bot, interval=0.3) as (_, hub, _journal):
            await eventually(lambda: hub.ids == ["t1"])
            bot.make(*(trade(number) for number in range(2, MADE + 1)))
            await eventually(lambda: hub.bodies("gap"))
            await eventually(lambda: hub.ids[-1] == f"t{MADE}")
            missing = MADE - len(hub.ids)
            assert missing > 0
            assert f"{missing} of the bot's trades" in hub.bodies("gap")[0]["why"]
            assert len(hub.bodies("gap")) == 1
            assert hub.statuses[-1] == "online"


@pytest.mark.parametrize("answer", ["[]", "null", '"fine"'])
async def test_a_status_that_is_no_object_is_named(path: Path, answer: str) -> None:
    """The bot is offline with the reason in words, and its trades wait for its mode."""
    async with serving(ScriptedBot()) as bot:
        bot.answers["/status"] = text_answer(answer)
        async with worker(path, bot) as (_, hub, _journal):
            await eventually(lambda: hub.status_events[-1]["reason"] == "status: not an object")
            assert hub.statuses[-1] == "offline"
