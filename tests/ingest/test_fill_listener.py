"""Rare failures of the push: the connection lost, a bot that was never polled, a journal that is away."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from journal.errors import JournalUnavailable, LeaseLost
from kalshi.fill_socket import Connected, Disconnected
from tests.support.bot import ScriptedBot, serving, text_answer, trade
from tests.support.eventually import eventually
from tests.support.exchange import ScriptedExchange, ScriptedPush, fill
from tests.support.watching import worker


async def begun(watch: Any) -> None:
    """Wait until the first read of the fills has ended."""
    await eventually(lambda: watch.health()["healer"].get("sweeps"))


async def test_a_lost_connection_is_reported_and_its_fills_are_read_by_rest(
    path: Path, exchange: ScriptedExchange
) -> None:
    """Health gives the reason; with the next connection REST is read at once for fills that were not pushed."""
    push = ScriptedPush()
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange, push=push) as (watch, hub, _):
        await begun(watch)
        push.queue.put_nowait(Disconnected("the exchange closed the socket (code 1006)"))
        await eventually(lambda: watch.health()["push"]["state"] == "degraded")
        assert watch.health()["push"]["reason"] == "the exchange closed the socket (code 1006)"
        exchange.fills_made.append(fill(1, time.time()))
        bot.make(trade(1, timestamp=time.time(), order_id="o1"))
        push.queue.put_nowait(Connected())
        await eventually(lambda: watch.health()["push"]["state"] == "ok")
        await eventually(lambda: hub.ids)
        assert len(hub.ids) == 1


@pytest.mark.parametrize("mode", ["paper", None], ids=["it turns out to be on paper", "it never answers"])
async def test_a_fill_before_the_first_poll_of_the_bot(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch, mode: str | None
) -> None:
    """It waits for the bot's mode: on paper the account's fills are left out; else it is the account's."""
    monkeypatch.setattr("ingest.fill_listener.FIRST_LOOK", 0.8)
    push = ScriptedPush()
    async with serving(ScriptedBot()) as bot:
        bot.answers["/status"] = text_answer("", status=500)
        async with worker(path, bot, exchange=exchange, push=push) as (watch, hub, _):
            await eventually(lambda: watch.health()["push"]["state"] == "ok")
            push.queue.put_nowait(fill(1, time.time()))
            until = time.monotonic() + 1.2
            await eventually(lambda: watch.health()["push"].get("fills") == 1)
            assert hub.ids == []
            if mode is None:
                await eventually(lambda: hub.ids == ["f1"])
                assert hub.bodies()[0]["origin"] == "account"
                return
            bot.status["mode"] = mode
            bot.answers.clear()
            await eventually(lambda: hub.status_events[-1]["mode"] == "paper")
            push.queue.put_nowait(fill(2, time.time()))
            await eventually(lambda: watch.health()["push"].get("ignored") == 1)
            await asyncio.sleep(until - time.monotonic())  # its patience is over
            assert hub.ids == []


@pytest.mark.parametrize("wrong", [JournalUnavailable("the disk is full"), LeaseLost("another holder")], ids=repr)
async def test_a_pushed_fill_that_cannot_be_written_is_read_later(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    """A journal that is away, a lease that is lost: the push drops the fill, REST brings it, and it is sent once."""
    push = ScriptedPush()
    async with serving(ScriptedBot()) as bot:
        bot.status["order_prefix"] = "bot-"
        async with worker(path, bot, exchange=exchange, push=push) as (watch, hub, journal):
            await begun(watch)
            honest = journal.append
            refused: list[object] = []

            async def refuse(drafts: object, *_: object) -> None:
                refused.append(drafts)
                raise wrong

            monkeypatch.setattr(journal, "append", refuse)
            made = fill(1, time.time(), client_order_id="bot-1")
            push.queue.put_nowait(made)
            await eventually(lambda: refused)
            exchange.fills_made.append(made)
            monkeypatch.setattr(journal, "append", honest)
            await eventually(lambda: hub.ids == ["f1"], within=8)
            assert hub.bodies()[0]["origin"] == "bot"
            if isinstance(wrong, LeaseLost):
                assert watch.health()["lease"]["terms"] > 1  # type: ignore[operator]
            else:
                assert watch.health()["push"]["left"] == 1
