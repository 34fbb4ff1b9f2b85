"""The supervisor over HTTP and a real journal: each trade is published once, in order, or its loss is."""

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web

from journal.entry_store import Query
from tests.support.bot import Answer, ScriptedBot, drip, hang_up, json_answer, serving, text_answer, trade
from tests.support.eventually import eventually
from tests.support.watching import worker


async def test_trades_are_announced_once_in_order(path: Path) -> None:
    """The window at start, then what is new, each with its seq; the bot is online."""
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(2), trade(1))
        async with worker(path, bot) as (watch, hub, _):
            await eventually(lambda: len(hub.entries) == 2)
            bot.make(trade(3))
            await eventually(lambda: len(hub.entries) == 3)
            assert hub.ids == ["t1", "t2", "t3"]
            assert hub.statuses == ["offline", "online"]

            async def newest_of_the_bot() -> list[str] | None:
                answer, seq = await watch.live.answer(2)
                of_the_bot = (answer.source, answer.stale, seq) == ("bot_live", False, 3)  # not while a poll is late
                return [json.loads(text)["trade_id"] for text in answer.value] if of_the_bot else None

            assert await eventually(newest_of_the_bot) == ["t3", "t2"]


async def test_a_trade_of_a_numbered_bot_comes_at_once(path: Path) -> None:
    """A bot with a long poll: its trade comes long before the next poll."""
    async with serving(ScriptedBot(numbered=True)) as bot:
        bot.make(trade(1))
        async with worker(path, bot, interval=5.0) as (_, hub, _):
            await eventually(lambda: any("after" in requested for requested in bot.asked))
            took = []
            for number in range(2, 12):
                began = time.monotonic()
                bot.make(trade(number))
                await eventually(hub.newest_is(f"t{number}"), every=0.001)
                took.append(time.monotonic() - began)
                await asyncio.sleep(0.01)
            assert sorted(took)[5] < 0.1


async def test_a_numbered_bot_fills_a_jump_itself(path: Path) -> None:
    """More than a window between two polls is read by number, without a gap."""
    async with serving(ScriptedBot(numbered=True)) as bot:
        bot.make(trade(0))
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: len(hub.entries) == 1)
        bot.make(*(trade(number) for number in range(1, 2500)))
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: len(hub.entries) == 2499)
            assert hub.ids == [f"t{number}" for number in range(1, 2500)]


BAD: dict[str, tuple[str, Answer | None]] = {
    "html": ("HTML instead of JSON", text_answer("<html>no</html>", content_type="text/html")),
    "half": ("not whole JSON", text_answer('{"trades": [{"times')),
    "null": ("neither a list", text_answer("null")),
    "empty": ("not whole JSON", text_answer("")),
    "deep": ("not whole JSON", text_answer("[" * 100_000)),
    "exponent": ("not whole JSON", text_answer("[1e99999999999999999999]")),
    "latin": ("not whole JSON", text_answer(b'["\xff\xfe\xfd"]')),
    "error": ("HTTP 500", text_answer("[]", status=500)),
    "redirect": ("redirects are not followed", text_answer("", status=302, headers={"Location": "/other"})),
    "drip": ("no whole answer within", drip),
    "hang-up": ("trades: ", hang_up),
    "huge": ("larger than 1000 kB", json_answer([trade(number) for number in range(20_000)])),
    "broken-gzip": ("trades: ", text_answer(b"\x1f\x8b nonsense", headers={"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_answer_is_named_and_nothing_is_lost(kind: str, path: Path) -> None:
    """Offline within two polls with the reason; afterwards the trades made meanwhile are announced, none twice."""
    reason, answer = BAD[kind]
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(1), trade(2))
        async with worker(path, bot) as (watch, hub, _):
            await eventually(lambda: len(hub.entries) == 2)
            assert answer is not None
            bot.answers["/trades"] = answer
            await eventually(lambda: hub.statuses[-1] == "offline")
            assert reason in hub.status_events[-1]["reason"]
            assert watch.health()["bot"]["state"] == watch.health()["poller"]["state"] == "degraded"
            bot.make(trade(3))
            bot.answers.clear()
            await eventually(lambda: "t3" in hub.ids)
            assert hub.statuses == ["offline", "online", "offline", "online"]
            assert hub.ids == ["t1", "t2", "t3"]
            assert len(hub.bodies("gap")) == (1 if kind == "huge" else 0)


async def test_trades_wait_until_the_bots_mode_is_known(path: Path) -> None:
    """After a failed first status the mode is unknown; nothing is written with a guessed mode, and nothing is lost."""
    async with serving(ScriptedBot()) as bot:
        bot.status["mode"] = "paper"
        bot.answers = {"/status": text_answer("", status=500)}
        bot.make(trade(1))
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: len(bot.asked) > 3)
            assert hub.ids == []
            bot.answers.clear()
            await eventually(lambda: hub.ids == ["t1"])
            assert hub.bodies()[0]["mode"] == "paper"


async def test_a_bot_without_a_status_trades_live(path: Path) -> None:
    """404 on its status URL and on /health beside it: it names no other mode, and it is not well."""
    async with serving(ScriptedBot()) as bot:
        bot.answers = {"/status": text_answer("", status=404), "/health": text_answer("", status=404)}
        bot.make(trade(1))
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: hub.ids == ["t1"])
            assert (hub.bodies()[0]["mode"], hub.statuses[-1]) == ("live", "offline")


@pytest.mark.parametrize(
    "answer",
    [text_answer("OK", content_type="text/plain"), text_answer("[]"), text_answer("", status=500)],
    ids=["text", "a list", "500 for ever"],
)
async def test_trades_of_an_unknown_mode_wait_and_make_one_gap(
    path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreadable status gives no mode; the trades are written once it can be read."""
    monkeypatch.setattr("ingest.trade_intake.ANNOUNCE_AFTER", 0.3)
    async with serving(ScriptedBot()) as bot:
        bot.answers = {"/status": answer}
        bot.make(trade(1))
        async with worker(path, bot) as (watch, hub, _):
            await eventually(lambda: hub.bodies("gap"))
            assert hub.ids == []
            assert "the mode of its trades is unknown" in hub.bodies("gap")[0]["why"]
            assert (hub.status_events[-1]["mode"], watch.health()["poller"]["pending"]) == (None, 1)
            bot.status["mode"] = "paper"
            bot.answers.clear()
            await eventually(lambda: hub.ids == ["t1"])
            assert hub.bodies()[0]["mode"] == "paper"
            assert len(hub.bodies("gap")) == 1


async def test_the_mode_of_a_trade_overrides_the_status(path: Path) -> None:
    """A paper trade of a bot with status live is a paper trade."""
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(1, mode="paper"), trade(2))
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: len(hub.ids) == 2)
            assert [body["mode"] for body in hub.bodies()] == ["paper", "live"]


async def test_unread_records_are_one_gap(path: Path) -> None:
    """A run of records that cannot be read is announced once, degrades the poller, and ends with the run."""
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(1))
        async with worker(path, bot) as (watch, hub, _):
            await eventually(lambda: hub.ids == ["t1"])
            bot.make(trade(2, price=65), trade(3, price=70))
            await eventually(lambda: hub.bodies("gap"))
            bot.make(trade(4))
            await eventually(lambda: hub.ids == ["t1", "t4"])
            [gap] = hub.bodies("gap")
            assert gap["why"].startswith("2 records of the bot could not be read: price: not in dollars")
            poller = watch.health()["poller"]
            assert (poller["state"], hub.statuses[-1]) == ("degraded", "online")
            assert "cannot be read" in str(poller["reason"])
            bot.trades = bot.trades[3:]
            await eventually(lambda: watch.health()["poller"]["state"] == "ok")


async def test_the_health_url_stands_beside_the_status_url(path: Path) -> None:
    """Only the last path segment is replaced, so another service at the root of the host gets no request."""
    async with serving(ScriptedBot()) as bot:
        bot.answers = {
            "/bot1/status": text_answer("", status=404), "/bot1/health": json_answer({"mode": "demo"}),
            "/health": json_answer({}),
            "/bot1/trades": json_answer([]),
        }  # fmt: skip
        bot.url += "/bot1"
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: hub.statuses[-1] == "online")
            assert hub.status_events[-1]["mode"] == "demo"
            assert "/health" not in bot.asked


async def test_two_bots_behind_one_url_are_one_gap_and_one_alarm(path: Path) -> None:
    """The trades of both are written, the poller reports two bots, and the gaps do not multiply."""
    async with serving(ScriptedBot()) as bot:
        turns = [0]
        windows = [
            [trade(n, boot_id="b1", seq=n) for n in (1, 2)], [trade(n, boot_id="b2", seq=n) for n in (51, 52)],
        ]  # fmt: skip

        async def balanced(request: web.Request) -> web.StreamResponse:
            turns[0] += 1
            return web.json_response(windows[turns[0] % 2])

        bot.answers["/trades"] = balanced
        async with worker(path, bot, interval=0.05) as (watch, hub, _):
            await eventually(lambda: turns[0] > 20)
            assert sorted(hub.ids) == ["t1", "t2", "t51", "t52"]
            assert len(hub.bodies("gap")) == 1
            assert "two bots answer in turn" in str(watch.health()["poller"]["reason"])


async def test_a_nan_makes_only_its_record_unreadable(path: Path) -> None:
    """NaN, as Python writes it, in a field that is not read does no harm; in a price it makes one record unreadable."""
    async with serving(ScriptedBot()) as bot:
        bot.status = {"mode": "demo", "win_rate": float("nan")}
        bot.trades = [trade(1) | {"pnl": float("nan")}, trade(2) | {"price": float("nan")}, trade(3)]
        bot.answers = {"/status": json_answer(bot.status), "/trades": json_answer(bot.trades)}
        async with worker(path, bot) as (watch, hub, _):
            await eventually(lambda: len(hub.ids) == 2)
            assert (hub.ids, hub.statuses[-1]) == (["t1", "t3"], "online")
            assert watch.health()["poller"]["skipped"] == {"price: out of range": 1}
            bot.answers["/trades"] = json_answer([*bot.trades, trade(4) | {"price": 65}])
            await eventually(lambda: len(watch.health()["poller"]["skipped"]) == 2)  # type: ignore[arg-type]
            bot.answers["/trades"] = json_answer([trade(3), trade(5)])
            await eventually(lambda: "t5" in hub.ids)
            # A record that could not be read is lost to the journal; that is not forgotten with the window it was in.
            assert sum(watch.health()["poller"]["skipped"].values()) == 2  # type: ignore[attr-defined]


async def test_a_bot_that_is_gone_is_offline_within_two_polls(path: Path) -> None:
    """The reason does not contain its address; when it is back it is online at once."""
    bot = ScriptedBot()
    async with serving(bot):
        port = int(bot.url.rpartition(":")[2])
        bot.make(trade(1))
    async with worker(path, bot) as (_, hub, _journal):
        await eventually(lambda: hub.status_events[-1]["reason"] == "no connection (Connection refused)")
        async with serving(bot, port):
            await eventually(lambda: hub.statuses[-1] == "online")
            await eventually(lambda: hub.ids == ["t1"])
        await eventually(lambda: hub.statuses == ["offline", "offline", "online", "offline"])


async def test_bad_records_do_not_take_good_ones_along(path: Path) -> None:
    """Each that cannot be read is counted under its reason; in gzip, in any order, with strange neighbours."""
    async with serving(ScriptedBot()) as bot:
        bot.make(
            trade(5), trade(1, price=65), trade(2, quantity=-1), trade(3, ticker="A\nB"), {"timestamp": 1},
            trade(4, price=0.1 + 0.2, color="red"),
        )  # fmt: skip
        bot.trades.append(None)  # type: ignore[arg-type]

        async def zipped(request: web.Request) -> web.StreamResponse:
            response = web.json_response(bot.trades)
            response.enable_compression(web.ContentCoding.gzip)
            return response

        bot.answers["/trades"] = zipped
        async with worker(path, bot) as (watch, hub, _):
            await eventually(lambda: len(hub.ids) == 2)
            assert hub.ids == ["t4", "t5"]
            assert hub.bodies()[0]["price"] == Decimal("0.3")
            assert sum(watch.health()["poller"]["skipped"].values()) == 5  # type: ignore[attr-defined]


async def test_a_missing_status_url_is_replaced_by_health(path: Path) -> None:
    """For a bot that answers 404 on its status URL /health is requested, from then on at once."""
    async with serving(ScriptedBot()) as bot:
        bot.answers["/status"] = text_answer("", status=404)
        bot.answers["/health"] = json_answer({"ok": True, "mode": "paper", "trades": 7})
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: hub.statuses[-1] == "online")
            assert (hub.status_events[-1]["mode"], hub.status_events[-1]["trades"]) == ("paper", 7)
            await eventually(lambda: bot.asked.count("/health") > 2)
            assert bot.asked.count("/status") == 1
            del bot.answers["/status"]
            bot.answers["/health"] = text_answer("", status=404)  # another version of it, with /status alone
            await eventually(lambda: hub.status_events[-1]["mode"] == "live")
            assert hub.statuses[-1] == "online"


async def test_a_stalled_bot_is_not_called_online(path: Path) -> None:
    """It answers, but its own loop is old."""
    async with serving(ScriptedBot()) as bot:
        bot.status["loop_age"] = 99
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: hub.statuses[-1] == "stalled")
            bot.status["loop_age"] = 0.1
            await eventually(lambda: hub.statuses[-1] == "online")


@pytest.mark.parametrize("while_we_are_away", [False, True])
async def test_a_gap_without_keys_is_announced(path: Path, while_we_are_away: bool) -> None:
    """More trades than the window between two polls, or while we were away: a gap entry, then what is left."""
    async with serving(ScriptedBot(window=3)) as bot:
        bot.make(*(trade(number) for number in range(3)))
        async with worker(path, bot, interval=0.2) as (_, hub, _):
            await eventually(lambda: len(hub.entries) == 3)
            if not while_we_are_away:
                bot.make(*(trade(number) for number in range(10, 20)))
                await eventually(lambda: hub.bodies("gap"))
        if while_we_are_away:
            bot.make(*(trade(number) for number in range(10, 20)))
            async with worker(path, bot) as (_, hub, _):
                await eventually(lambda: hub.bodies("gap"))
                assert hub.ids == ["t17", "t18", "t19"]
        gap = hub.bodies("gap")[0]
        assert gap["from"] < gap["to"]
        assert "no exchange keys" in gap["why"]


async def test_a_restart_loses_and_doubles_nothing(path: Path) -> None:
    """The trades of the window are known, and only new ones are announced."""
    async with serving(ScriptedBot()) as bot:
        bot.make(trade(1), trade(2))
        async with worker(path, bot) as (_, hub, _):
            await eventually(lambda: len(hub.entries) == 2)
        bot.make(trade(3))
        async with worker(path, bot) as (_, hub, journal):
            await eventually(lambda: len(hub.entries) == 1)
            assert hub.ids == ["t3"]
            assert hub.statuses[0] == "offline"
            assert len(await journal.history(Query())) == 3


async def test_the_number_of_trades_is_that_of_now(path: Path) -> None:
    """Health and new streams show the number of trades; other streams get no event for it."""
    async with serving(ScriptedBot()) as bot, worker(path, bot) as (watch, hub, _):
        await eventually(lambda: hub.statuses[-1] == "online")
        found = len(hub.status_events)
        bot.make(*[trade(number) for number in range(7)])
        await eventually(lambda: watch.health()["bot"]["trades"] == 7)
        assert hub.stored_status["trades"] == 7
        assert len(hub.status_events) == found
