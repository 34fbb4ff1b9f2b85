"""Ingest while its journal is away: nothing is announced before it is written, and every loss is a gap."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands.journal import main
from ingest import trade_intake
from ingest.supervisor import Supervisor
from journal.errors import JournalUnavailable
from journal.sqlite import SqliteJournal
from tests.support.bot import ScriptedBot, serving, trade
from tests.support.eventually import eventually
from tests.support.exchange import ScriptedExchange, fill
from tests.support.watching import counted_more, worker


async def test_nothing_is_announced_before_it_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journal cannot be written trades wait and health has the reason; then they are announced."""
    async with serving(ScriptedBot(window=3)) as bot, worker(path, bot) as (watch, hub, journal):
        await eventually(lambda: hub.statuses[-1] == "online")
        honest = journal.append

        async def full(*_: object) -> None:
            raise JournalUnavailable("the disk is full")

        monkeypatch.setattr(journal, "append", full)
        for number in range(9):  # more than a window, each seen by one poll at least
            bot.make(trade(number))
            await eventually(asked_more(bot, 4))
        assert hub.entries == []
        assert watch.health()["recorder"]["reason"] == "the disk is full"
        assert watch.health()["poller"]["pending"] == 9
        assert (await watch.live.answer(9))[0].stale  # for it lacks what the poll saw
        monkeypatch.setattr(journal, "append", honest)
        await eventually(lambda: len(hub.entries) == 9)
        assert hub.ids == [f"t{number}" for number in range(9)]


async def test_the_newest_trades_are_read_again_after_a_reset(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal with a new epoch that cannot be read at once: the trades are back once it can."""
    async with serving(ScriptedBot()) as bot, worker(path, bot) as (watch, hub, journal):
        bot.make(trade(0), trade(1))
        await eventually(lambda: len(hub.entries) == 2)
        honest, failed = journal.history, asyncio.Event()

        async def away(*_: object) -> None:
            failed.set()
            raise JournalUnavailable("the database is away")

        monkeypatch.setattr(journal, "history", away)
        assert await asyncio.to_thread(main, ["new-epoch"], f"sqlite:///{path}") == 0
        await eventually(lambda: hub.resets)
        await asyncio.wait_for(failed.wait(), 10)
        assert (await watch.live.answer(9))[1] == 0  # a stream from there has the trades
        monkeypatch.setattr(journal, "history", honest)
        await eventually(lambda: len(watch.live.newest(9)) == 2)
        assert (await watch.live.answer(9))[1] == 2


@pytest.mark.parametrize(("name", "text"), [("bot", "{"), ("holes", "[1]"), ("begun", "x")])
async def test_a_damaged_mark_stops_the_recording_until_it_is_mended(name: str, text: str, path: Path) -> None:
    """Health names it and nothing is written; once the mark can be read the leader begins."""
    journal = SqliteJournal(path)
    await journal.open()
    await journal.append([], marks={name: text})
    async with serving(ScriptedBot()) as bot, worker(path, bot) as (watch, hub, _):
        bot.make(trade(1))
        await eventually(lambda: watch.health()["recorder"]["state"] == "degraded")
        assert f"the mark {name} of the journal cannot be read" in str(watch.health()["recorder"]["reason"])
        await journal.append([], marks={name: "" if name != "begun" else "1.5"})
        await eventually(lambda: hub.ids == ["t1"])
        assert watch.health()["recorder"]["state"] == "ok"
    await journal.close()


@pytest.mark.slow
async def test_trades_that_were_read_outlast_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is longer than the lease's term: with no room to renew it, its holder goes on all the same."""
    async with serving(ScriptedBot(window=3)) as bot, worker(path, bot) as (watch, hub, journal):
        await eventually(lambda: hub.statuses[-1] == "online")
        honest = (journal.append, journal.renew)

        async def full(*_: object) -> None:
            raise JournalUnavailable("the disk is full")

        monkeypatch.setattr(journal, "append", full)
        monkeypatch.setattr(journal, "renew", full)
        for number in range(9):  # three windows in all
            bot.make(trade(number))
            await eventually(asked_more(bot, 4))
        await eventually(lambda: watch.health()["lease"]["state"] == "degraded")
        monkeypatch.setattr(journal, "append", honest[0])
        monkeypatch.setattr(journal, "renew", honest[1])
        await eventually(lambda: len(hub.entries) == 9)
        assert hub.ids == [f"t{number}" for number in range(9)]
        await eventually(lambda: watch.health()["lease"]["state"] == "ok")
        assert watch.health()["lease"]["terms"] == 1


def asked_more(bot: ScriptedBot, count: int) -> Callable[[], bool]:
    """Return a check that the bot has received count further requests."""
    before = len(bot.asked)
    return lambda: len(bot.asked) >= before + count


@contextmanager
def moved(path: Path) -> Iterator[None]:
    """A journal that cannot be written, for its file is elsewhere."""
    away = path.rename(path.with_name("away.db"))
    yield
    away.rename(path)


async def overrun(bot: ScriptedBot, watch: Supervisor) -> None:
    """One trade after the other, each read, until no more can wait."""
    for number in range(1, 9):
        bot.make(trade(number))
        await eventually(counted_more(watch, "poller", "polls", 2))


@pytest.mark.parametrize("keys", [False, True], ids=["announced", "healed"])
async def test_trades_beyond_the_limit_become_a_gap(path: Path, monkeypatch: pytest.MonkeyPatch, keys: bool) -> None:
    """The newest wait and are announced; the dropped ones are one gap with its time, or come from the exchange."""
    monkeypatch.setattr(trade_intake, "MAX_PENDING", 3)
    exchange = ScriptedExchange(complete=1_700_000_000) if keys else None
    async with serving(ScriptedBot(window=3)) as bot, worker(path, bot, exchange=exchange) as (watch, hub, _):
        bot.make(trade(0))
        await eventually(lambda: hub.ids == ["t0"])
        await eventually(lambda: watch.health()["healer"]["state"] == ("ok" if keys else "idle"))
        if exchange:
            exchange.complete += 1000
            exchange.fills_made += [fill(number, 1_700_000_000 + number) for number in range(1, 9)]
        with moved(path):
            await overrun(bot, watch)
            assert watch.health()["poller"]["pending"] == 3
            assert watch.health()["healer"]["open"] == 1
            assert hub.ids == ["t0"]
        lost = [] if exchange else ["t1", "t2", "t3", "t4", "t5"]
        await eventually(lambda: len(hub.ids) == 9 - len(lost))
        await eventually(lambda: watch.health()["healer"]["open"] == 0)
        assert {int(name[1:]) for name in hub.ids} == {0, *range(1 + len(lost), 9)}
        gaps = [(gap["from"] - 1_700_000_000, gap["to"] - 1_700_000_000) for gap in hub.bodies("gap")]
        assert gaps == ([] if exchange else [(1, 5)])


async def test_the_exchange_is_not_read_for_a_journal_that_is_away(path: Path) -> None:
    """The journal refused a batch of fills: no more are read until it is back, then all of them are."""
    exchange = ScriptedExchange(complete=1_700_000_000)
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, _):
        await eventually(lambda: watch.health()["healer"].get("sweeps"))
        with moved(path):
            exchange.complete += 1000
            exchange.fills_made += [fill(number, 1_700_000_000 + number) for number in range(1, 9)]
            await eventually(lambda: watch.health()["healer"].get("failures"))
            requested = len(exchange.asked)
            await eventually(counted_more(watch, "healer", "failures", 1))
            assert len(exchange.asked) == requested
        await eventually(lambda: len(hub.ids) == 8)
