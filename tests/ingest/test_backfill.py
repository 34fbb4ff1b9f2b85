"""Backfill from an exchange that lags, fails and refuses, with a bot over HTTP and a real journal."""

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.backfill import PAPER
from journal.entries import Draft
from journal.entry_store import Appended, Query
from journal.errors import JournalUnavailable, LeaseLost
from journal.sqlite import SqliteJournal
from kalshi.account_models import Position
from kalshi.errors import NotAllowed, Unreachable
from tests.support.bot import ScriptedBot, serving, text_answer, trade
from tests.support.eventually import eventually
from tests.support.exchange import ScriptedExchange, ScriptedPush, fill, settlement
from tests.support.watching import RecordingHub, counted_more, worker

REFUSED = NotAllowed("GET /portfolio/fills", 401, "authentication_error")


def now(number: int, **changes: Any) -> dict[str, Any]:
    """A trade of the bot, a moment ago."""
    return trade(number, timestamp=round(time.time(), 3), **changes)


async def announced(hub: RecordingHub, count: int) -> None:
    """Wait until so many trades were announced."""
    await eventually(lambda: len(hub.ids) == count)


async def begun(watch: Any) -> None:
    """Wait until the first read of the fills has ended."""
    await eventually(lambda: watch.health()["healer"].get("sweeps"))


async def test_the_first_start_begins_now(path: Path, exchange: ScriptedExchange) -> None:
    """The account's positions are the baseline; older fills are not read."""
    exchange.complete = time.time()
    exchange.fills_made.append(fill(1, time.time() - 60))
    one = Position("T", *[Decimal(3)] * 6)
    exchange.held.append(one)
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, _):
        await begun(watch)
        assert hub.bodies("baseline")[0]["positions"][0]["ticker"] == "T"
        assert hub.ids == []
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, _):
        await begun(watch)
        assert hub.entries == []


async def test_a_gap_is_healed_from_fills(path: Path, exchange: ScriptedExchange) -> None:
    """More than the window between two polls: the rest comes from the exchange, as the bot's, each once, no gap."""
    exchange.complete = time.time()
    async with serving(ScriptedBot(window=3)) as bot:
        bot.make(now(1))
        async with worker(path, bot, interval=0.3, exchange=exchange) as (watch, hub, _):
            await begun(watch)
            made = [now(number) for number in range(10, 20)]
            exchange.complete = time.time() + 60
            exchange.fills_made += [fill(n, each["timestamp"]) for n, each in zip(range(10, 20), made, strict=True)]
            bot.make(*made)
            await announced(hub, 11)
            await eventually(lambda: watch.health()["healer"]["healed"] == 1)
            assert {body["source"] for body in hub.bodies()} == {"bot_live", "kalshi_api"}
            assert {body["origin"] for body in hub.bodies()} == {"bot"}
            assert sorted(int(name.strip("tf")) for name in hub.ids) == [1, *range(10, 20)]
            assert hub.bodies("gap") == []


async def test_a_gap_stays_open_until_the_exchange_is_complete(path: Path, exchange: ScriptedExchange) -> None:
    """Reads that lag behind the gap's end heal nothing; an exchange that is away neither; both survive a restart."""
    exchange.complete = time.time()
    async with serving(ScriptedBot(window=3)) as bot:
        bot.make(now(1))
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await begun(watch)
            bot.make(*(now(number) for number in range(10, 20)))
            await eventually(lambda: watch.health()["healer"].get("open") == 1)
            exchange.wrong = Unreachable("no answer")
            await eventually(lambda: watch.health()["healer"]["state"] == "degraded")
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await eventually(lambda: watch.health()["healer"]["state"] == "degraded")
            exchange.wrong, exchange.complete = None, time.time() + 60
            exchange.fills_made.append(fill(15, time.time() - 0.2))
            await eventually(lambda: watch.health()["healer"].get("healed") == 1)
            assert hub.ids == ["f15"]
            assert hub.bodies("gap") == []


@pytest.mark.parametrize("reason", ["refused", "paper"])
async def test_a_gap_that_can_never_be_filled_is_announced(path: Path, exchange: ScriptedExchange, reason: str) -> None:
    """Keys that are refused, and paper mode, in which the exchange is not read."""
    async with serving(ScriptedBot(window=3)) as bot:
        bot.make(now(1))
        if reason == "paper":
            bot.status["mode"] = "paper"
            exchange.fills_made.append(fill(7, time.time()))
        else:
            exchange.wrong = REFUSED
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await announced(hub, 1)
            bot.make(*(now(number) for number in range(10, 20)))
            await eventually(lambda: hub.bodies("gap"))
            assert (PAPER if reason == "paper" else "HTTP 401") in hub.bodies("gap")[0]["why"]
            assert exchange.asked == []
            assert watch.health()["healer"]["state"] == ("idle" if reason == "paper" else "degraded")


async def test_a_reader_of_live_trades_is_answered_whatever_fails(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot is gone, the exchange refuses our keys, the journal cannot keep the gap that this makes: stale, no error.

    Once the journal is back the gap is announced.
    """
    async with serving(ScriptedBot(window=3)) as bot:
        bot.make(now(1))
        async with worker(path, bot, exchange=exchange) as (watch, hub, journal):
            await announced(hub, 1)
            await begun(watch)
            honest = journal.append

            async def full(*_: object) -> None:
                raise JournalUnavailable("the disk is full")

            monkeypatch.setattr(journal, "append", full)
            exchange.wrong = REFUSED
            bot.make(*(now(number) for number in range(10, 20)))
            await eventually(lambda: watch.health()["healer"].get("open") == 1)
            bot.answers["/trades"] = text_answer("no")
            await eventually(lambda: hub.statuses[-1] == "offline")
            await eventually(lambda: time.time() - watch.complete_to() > 0.6)  # all that was read is too old
            answer, _ = await watch.live.answer(5)
            assert answer.stale
            assert len(answer.value) == 1
            assert watch.health()["healer"]["reason"] == "the disk is full"
            monkeypatch.setattr(journal, "append", honest)
            await eventually(lambda: hub.bodies("gap"))


async def test_an_exchange_that_hangs_keeps_no_reader_of_live_trades(path: Path, exchange: ScriptedExchange) -> None:
    """Two seconds at most, then the journal's tail, marked stale."""

    async def hang() -> float:
        await asyncio.Event().wait()
        return 0.0

    async with serving(ScriptedBot()) as bot:
        bot.make(now(1))
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await announced(hub, 1)
            await begun(watch)
            exchange.user_data_timestamp = hang  # type: ignore[method-assign]
            bot.answers["/trades"] = text_answer("no")
            await eventually(lambda: hub.statuses[-1] == "offline")
            await eventually(lambda: time.time() - watch._snapshot.swept > 0.3)  # the last good sweep is none of now
            began = time.monotonic()
            answer, _ = await watch.live.answer(5)
            assert time.monotonic() - began < 15
            assert (answer.source, answer.stale, len(answer.value)) == ("journal", True, 1)


async def test_a_lease_lost_during_a_read_ends_the_term(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker is the leader: this one becomes a follower, and its trades are announced once."""
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, journal):
        await begun(watch)
        honest = journal.append

        async def fenced(*_: object) -> None:
            raise LeaseLost("another holder")

        monkeypatch.setattr(journal, "append", fenced)
        exchange.settled.append(settlement("A", time.time()))
        await eventually(lambda: watch.health()["lease"].get("terms", 0) > 1)  # type: ignore[operator]
        monkeypatch.setattr(journal, "append", honest)
        await eventually(lambda: hub.bodies("settlement"))
        assert len(hub.bodies("settlement")) == 1


async def test_a_long_absence_is_kept_in_several_commits(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, each once; the watermark moves with the last of them, so that a kill between two costs nothing."""
    monkeypatch.setattr("ingest.backfill.BATCH", 3)
    exchange.complete = time.time()
    async with serving(ScriptedBot()) as bot:
        async with worker(path, bot, exchange=exchange) as (watch, _, _journal):
            await begun(watch)
        exchange.complete = time.time() + 60
        bot.status["order_prefix"] = "bot-"
        exchange.fills_made += [fill(n, time.time() + n / 1000, client_order_id=f"bot-{n}") for n in range(1, 9)]
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await announced(hub, 8)
            assert hub.ids == [f"f{n}" for n in range(1, 9)]
            assert watch.health()["recorder"]["commits"] >= 3  # type: ignore[operator]


async def test_a_commit_suits_a_slow_database(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that cannot take four hundred trades within a call's limit receives them in parts."""
    honest = SqliteJournal.append

    async def slow(self: SqliteJournal, drafts: Sequence[Draft], *rest: Any) -> Appended:
        if len(drafts) > 300:
            raise JournalUnavailable("did not answer within 10 s; is it hung?")
        return await honest(self, drafts, *rest)

    monkeypatch.setattr(SqliteJournal, "append", slow)
    exchange.complete = time.time()
    async with serving(ScriptedBot()) as bot:
        bot.status["order_prefix"] = "bot-"
        async with worker(path, bot, exchange=exchange) as (watch, _, _journal):
            await begun(watch)
        exchange.complete = time.time() + 60
        exchange.fills_made += [fill(n, time.time() + n / 1000, client_order_id=f"bot-{n}") for n in range(1, 401)]
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await announced(hub, 400)


async def test_account_trades_during_paper_mode_are_not_announced_later(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watermark moves on meanwhile, also in the journal, and live begins there again, after a restart too."""
    monkeypatch.setattr("ingest.backfill.SAVE_WATERMARK_EVERY", 0.0)
    monkeypatch.setattr("ingest.exchange_fills.MARGIN", 0.0)
    async with serving(ScriptedBot()) as bot:
        async with worker(path, bot, exchange=exchange) as (watch, hub, journal):
            await begun(watch)
            bot.status["mode"] = "paper"
            await eventually(lambda: watch.health()["healer"]["state"] == "idle")
            mark = (await journal.marks())["fills"]
            made = fill(1, time.time())
            exchange.fills_made.append(made)
            await eventually(lambda: _moved(journal, max(float(mark), float(made.timestamp))))
        bot.status["mode"] = "live"
        async with worker(path, bot, exchange=exchange) as (watch, hub, _):
            await begun(watch)
            exchange.fills_made.append(fill(2, time.time()))
            await eventually(lambda: hub.ids)
            assert hub.ids == ["f2"]


async def _moved(journal: SqliteJournal, mark: float) -> bool:
    return float((await journal.marks())["fills"]) > mark + 1  # reads of the exchange are by whole seconds


async def test_the_account_beside_the_bot(path: Path, exchange: ScriptedExchange) -> None:
    """An execution that the bot does not claim within two polls is the account's; one it claims is the bot's."""
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, _):
        await begun(watch)
        exchange.complete = time.time() + 3600
        exchange.fills_made += [fill(1, time.time() + 4000), fill(2, time.time()), fill(3, time.time())]
        bot.make(now(3, order_id="o3"))
        await announced(hub, 2)
        await eventually(counted_more(watch, "healer", "sweeps", 3))
        assert {body["trade_id"]: body["origin"] for body in hub.bodies()} == {"f2": "account", "t3": "bot"}
        assert watch.health()["recorder"]["heuristic"] == 1


async def test_while_the_bot_is_offline_fills_are_its_trades(path: Path, exchange: ScriptedExchange) -> None:
    """The fallback: fills come at its pace, as the bot's; when it is back nothing comes twice."""
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, _):
        bot.make(now(1))
        await announced(hub, 1)
        await begun(watch)
        honest, bot.answers["/trades"] = bot.answers, text_answer("no")
        await eventually(lambda: hub.statuses[-1] == "offline")
        made = now(2)
        bot.make(made)
        exchange.fills_made.append(fill(2, made["timestamp"]))
        await announced(hub, 2)
        assert hub.bodies()[-1] | {"origin": "bot", "source": "kalshi_api"} == hub.bodies()[-1]
        answer, _ = await watch.live.answer(10)
        assert answer.source in ("kalshi_api", "memory_cache")
        honest.clear()
        await eventually(lambda: hub.statuses[-1] == "online")
        await eventually(counted_more(watch, "poller", "polls", 3))
        assert len(hub.ids) == 2
        assert hub.bodies("gap") == []


async def test_settlements_come_once(path: Path, exchange: ScriptedExchange) -> None:
    """Each is an entry of its own kind, and later reads of it change nothing."""
    exchange.complete = time.time()
    async with serving(ScriptedBot()) as bot, worker(path, bot, exchange=exchange) as (watch, hub, journal):
        await begun(watch)
        exchange.complete = time.time() + 3600
        exchange.settled += [settlement("A", time.time()), settlement("B", time.time(), value=None, result="no")]
        await eventually(lambda: len(hub.bodies("settlement")) == 2)
        await eventually(counted_more(watch, "healer", "sweeps", 3))
        assert [(each["ticker"], each["value"]) for each in hub.bodies("settlement")] == [("A", 1), ("B", 0)]
        assert len(await journal.history(Query())) == 3


async def test_push_is_on_the_stream_at_once(
    path: Path, exchange: ScriptedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With evidence in milliseconds, whosever name the order bears; REST repeats none of them."""
    monkeypatch.setattr("ingest.fill_listener.MAX_WAIT", 60.0)  # a fill without evidence waits that long
    push = ScriptedPush()
    async with serving(ScriptedBot(numbered=True)) as bot:
        bot.status["order_prefix"] = "bot-"
        async with worker(path, bot, exchange=exchange, push=push) as (watch, hub, _):
            await begun(watch)
            began = time.monotonic()
            mine, other = fill(1, time.time(), client_order_id="bot-1"), fill(2, time.time(), client_order_id="x")
            push.queue.put_nowait(mine)
            await eventually(lambda: hub.ids == ["f1"], every=0.001)
            assert time.monotonic() - began < 10
            push.queue.put_nowait(other)
            push.queue.put_nowait(other)
            await eventually(lambda: hub.ids == ["f1", "f2"])
            exchange.fills_made += [mine, other]
            await eventually(counted_more(watch, "healer", "sweeps", 3))
            bot.make(now(1, fill_id="f1"))
            await eventually(counted_more(watch, "poller", "polls", 3))
            assert [(body["trade_id"], body["origin"]) for body in hub.bodies()] == [("f1", "bot"), ("f2", "account")]


async def test_a_pushed_fill_waits_for_the_bots_report(path: Path, exchange: ScriptedExchange) -> None:
    """A bot that names no orders reports a little later than the exchange: its trade is its own, another's is not."""
    push, moments = ScriptedPush(), list[float]()
    async with (
        serving(ScriptedBot()) as bot,
        worker(path, bot, interval=0.6, exchange=exchange, push=push, on_account_trade=moments.append) as (
            watch,
            hub,
            _,
        ),
    ):
        await begun(watch)
        for number in (1, 2):
            push.queue.put_nowait(fill(number, time.time()))
        await eventually(lambda: len(moments) == 2)
        assert hub.ids == []  # what is held of the account is old already
        bot.make(now(1))
        await eventually(lambda: len(hub.ids) == 2)
        assert [(body["trade_id"], body["origin"]) for body in hub.bodies()] == [("t1", "bot"), ("f2", "account")]


async def test_a_pushed_fill_waits_less_than_a_second(path: Path, exchange: ScriptedExchange) -> None:
    """For any poll interval: a fill that the bot does not report is the account's, and on the stream."""
    push = ScriptedPush()
    async with (
        serving(ScriptedBot()) as bot,
        worker(path, bot, interval=30, exchange=exchange, push=push) as (watch, hub, _),
    ):
        await begun(watch)
        begin = time.monotonic()
        push.queue.put_nowait(fill(1, time.time()))
        await eventually(lambda: len(hub.ids) == 1)
        assert time.monotonic() - begin < 15  # and not the interval of 30 s
        assert hub.bodies()[0]["origin"] == "account"


async def test_push_is_off_in_paper_mode(path: Path, exchange: ScriptedExchange) -> None:
    """Fills of the account are ignored while the bot is on paper."""
    push = ScriptedPush()
    async with serving(ScriptedBot()) as bot:
        bot.status["mode"] = "paper"
        async with worker(path, bot, exchange=exchange, push=push) as (watch, hub, _):
            await eventually(lambda: hub.status_events[-1]["mode"] == "paper")
            push.queue.put_nowait(fill(1, time.time()))
            await eventually(lambda: watch.health()["push"].get("ignored") == 1)
            assert hub.ids == []
