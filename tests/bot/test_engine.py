"""Tests of the engine: it trades what it may, never on old prices, and stores a halt before anything else."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.activity import activity_of
from bot.engine import Engine, TradingPlan
from bot.errors import OrderRejected, OrderUncertain, VenueError, VenueUnavailable
from bot.exposure import Strike
from bot.fees import FeeRule
from bot.market_data import ExchangeState
from bot.runner import BotRunner, RunnerTimes
from bot.strategies import Strategy, maker
from bot.strategy_types import Intent, MarketView, Quote
from bot.venues.paper import PaperVenue
from tests.support.eventually import eventually
from tests.support.trading import D, ManualClock, quote, trading_state, wish


class FakeMarket:
    """Market data that a test sets."""

    def __init__(self, time: ManualClock) -> None:
        self.time = time
        self.quotes_now: dict[str, Quote] = {name: quote(ticker=name) for name in ("KXA", "KXB", "KXC")}
        self.strikes: dict[str, Strike] = {}
        self.down = False
        self.fees = FeeRule()
        self.fees_read: list[str] = []
        self.without_fees: set[str] = set()
        self.exchange = ExchangeState(active=True, trading=True)

    def check(self) -> None:
        if self.down:
            raise VenueUnavailable("the exchange is down", "exchange unreachable")

    async def quotes(self, tickers: Collection[str]) -> dict[str, Quote]:
        if tickers:  # nothing is sent for none
            self.check()
        found = {name: self.quotes_now[name] for name in tickers if name in self.quotes_now}
        return {name: replace(each, read_at=self.time.monotonic) for name, each in found.items()}

    async def choose(self, count: int) -> list[str]:
        self.check()
        return [name for name, each in sorted(self.quotes_now.items()) if each.active][:count]

    async def recent(self, ticker: str, count: int) -> list[Decimal]:
        return [D("0.5")] * 3

    async def state(self) -> ExchangeState:
        self.check()
        return self.exchange

    async def exclusive(self, event_ticker: str) -> bool:
        return False

    async def fee_rule(self, ticker: str) -> FeeRule:
        self.fees_read.append(ticker)
        if ticker in self.without_fees:
            raise VenueUnavailable(f"{ticker}: the series cannot be read", "exchange fault")
        return self.fees


class Stage:
    """An engine on paper over such a market."""

    def __init__(self, tickers: Sequence[str] = ("KXA",), decide: Any = maker.decide, **more: Any) -> None:
        self.time = ManualClock()
        self.market = FakeMarket(self.time)
        self.saved: list[bool] = []
        flatten = more.pop("flatten", False)
        self.state = trading_state(**more)
        self.venue = PaperVenue(self.state, "boot", "pi-bot-", self.time.clock, no_fee)
        plan = TradingPlan([Strategy("test", decide)], tickers, 2, D(5), D(20), 1.0, True, flatten)
        data: Any = self.market
        self.engine = Engine(data, self.venue, self.state, plan, self.saved.append, self.time.clock, Random(1))

    def runner(self, check: Any = None, first: bool = True) -> BotRunner:
        """A runner of this engine whose turns follow each other at once."""
        return BotRunner(
            self.state, self.venue, self.engine, check, first, RunnerTimes(0.01), self.saved.append, self.time.clock
        )

    async def turns(self, count: int = 1, seconds: float = 1.0) -> None:
        """Let time pass and run turns."""
        for _ in range(count):
            self.time.pass_time(seconds)
            await self.engine.turn()


async def no_fee(ticker: str) -> FeeRule:
    """A series without fees."""
    return FeeRule(D(0), D(0))


async def test_a_maker_s_two_quotes_rest_after_the_first_turn_and_stay() -> None:
    """Nothing moves, so nothing is sent again."""
    stage = Stage()
    await stage.turns(1)
    first = [order.client_order_id for order in stage.venue.resting()]
    assert sorted(order.side for order in stage.venue.resting()) == ["BUY", "SELL"]
    await stage.turns(2)
    assert [order.client_order_id for order in stage.venue.resting()] == first


async def test_orders_are_cancelled_once_prices_are_too_old() -> None:
    """Without prices the failure is reported; orders are cancelled when prices are stale; quotes return with them."""
    stage = Stage()
    await stage.turns(1)
    stage.market.down = True
    await stage.turns(5)
    assert len(stage.venue.resting()) == 2
    assert "down" in stage.engine.trouble
    await stage.turns(8)
    assert stage.venue.resting() == []
    stage.market.down = False
    await stage.turns(2)
    assert stage.engine.trouble == ""
    assert len(stage.venue.resting()) == 2


@pytest.mark.parametrize("tickers", [(), ("KXA",)], ids=["chosen markets", "fixed markets"])
async def test_an_exchange_that_was_never_reached_works_in_no_turn(
    tickers: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """One warning and no line that turns work; the activity is paused until the exchange answers, then one line."""
    stage = Stage(tickers=tickers)
    runner = stage.runner()
    runner.stage = "running"
    stage.market.down = True
    with caplog.at_level("INFO", "bot.engine"):
        await stage.turns(30)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert activity_of(runner, stage.state.halts, stage.engine) == ("paused", "exchange unreachable")
        stage.market.down = False
        await stage.turns(3)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert stage.engine.trouble == ""


async def test_a_wall_clock_that_jumps_back_changes_no_age() -> None:
    """One hour back: prices go stale and the exchange's status is read as before."""
    stage = Stage()
    await stage.turns(1)
    stage.time.wall -= 3600
    stage.market.exchange = ExchangeState(True, False)
    await stage.turns(6)
    assert stage.engine.exchange_reason == "exchange paused"
    stage.market.down = True
    await stage.turns(12)
    assert stage.venue.resting() == []


@pytest.mark.parametrize(
    ("exchange", "reason"),
    [
        pytest.param(ExchangeState(True, False), "exchange paused", id="trading pause"),
        pytest.param(ExchangeState(False, False), "exchange paused", id="exchange pause"),
    ],
)
async def test_nothing_is_sent_while_the_exchange_does_not_trade(exchange: ExchangeState, reason: str) -> None:
    """The reason is the activity's; trading goes on when the exchange does."""
    stage = Stage()
    runner = stage.runner()
    runner.stage = "running"
    stage.market.exchange = exchange
    await stage.turns(3)
    assert stage.venue.resting() == []
    assert activity_of(runner, stage.state.halts, stage.engine) == ("paused", reason)
    stage.market.exchange = ExchangeState(True, True)
    await stage.turns(6)
    assert len(stage.venue.resting()) == 2
    assert activity_of(runner, stage.state.halts, stage.engine) == ("trading", None)


async def test_nothing_is_sent_in_the_weekly_maintenance() -> None:
    """Thursday at 03:30 in New York, for any status of the exchange."""
    stage = Stage()
    stage.time.wall = datetime(2026, 11, 26, 3, 30, tzinfo=ZoneInfo("America/New_York")).timestamp()
    await stage.turns(3)
    assert stage.venue.resting() == []
    assert stage.engine.exchange_reason == "maintenance"


async def test_a_loss_that_lasts_halts_and_is_stored_at_once() -> None:
    """Long ten and the price falls: halted, cancelled, stored; the price's return changes nothing."""
    stage = Stage(daily_loss=D(3), lasting=3.0)
    await stage.turns(1)
    await stage.venue.place(wish("BUY", "10", "0.51", rest=False))
    stage.market.quotes_now["KXA"] = quote("0.09", "0.11")
    await stage.turns(2)
    assert not stage.state.halts.halted, "two seconds are not three"
    assert stage.state.halts.losing
    await stage.turns(2)
    assert list(stage.state.halts.halts) == ["daily_loss"]
    assert stage.saved[-1] is True
    stage.market.quotes_now["KXA"] = quote()
    await stage.turns(5)
    assert stage.venue.resting() == []
    assert stage.state.halts.halted


async def test_a_second_of_pulled_quotes_is_no_loss() -> None:
    """Bid 1 and ask 99 cents leave the mark at the last trade, so six positions lose nothing."""
    stage = Stage(daily_loss=D(3))
    await stage.turns(1)
    await stage.venue.place(wish("BUY", "10", "0.51", rest=False))
    stage.market.quotes_now["KXA"] = quote("0.01", "0.99", last=D("0.51"))
    await stage.turns(3)
    assert not stage.state.halts.halted
    assert stage.state.marks["KXA"] == D("0.51")


async def test_a_halt_flattens_positions_only_if_that_is_set() -> None:
    """BOT_FLATTEN closes at the best price after a halt by a person; without it the position stays."""
    for flatten, left in ((False, D(10)), (True, D(0))):
        stage = Stage(flatten=flatten)
        await stage.turns(1)
        await stage.venue.place(wish("BUY", "10", "0.51", rest=False))
        stage.state.halts.halt("person", "test", stage.time.wall)
        await stage.turns(6)
        assert stage.state.positions.position("KXA") == left


async def test_fees_that_change_are_read_again_after_an_hour() -> None:
    """Strategies see the fees of the series as they are now."""
    seen: list[Decimal] = []

    def watching(view: MarketView) -> Sequence[Intent]:
        seen.append(view.fees.taker)
        return []

    stage = Stage(decide=watching)
    await stage.turns(3)
    stage.market.fees = FeeRule(D("0.14"))
    await stage.turns(60, seconds=59.0)
    assert seen[-1] == D("0.07")
    await stage.turns(3, seconds=30.0)
    assert seen[-1] == D("0.14")
    assert len(stage.market.fees_read) == 2


async def test_fees_that_cannot_be_read_keep_no_others_from_being_read() -> None:
    """The first two markets fail again and again; the third one has its fees at the second turn."""
    stage = Stage(tickers=("KXA", "KXB", "KXC"))
    stage.market.without_fees = {"KXA", "KXB"}
    await stage.turns(5)
    assert stage.market.fees_read == ["KXA", "KXB", "KXC"]
    await stage.turns(30)
    assert stage.market.fees_read == ["KXA", "KXB", "KXC", "KXA", "KXB"]


async def test_a_paused_bot_only_closes() -> None:
    """Long ten and paused: an ask may rest, a bid may not."""
    stage = Stage()
    await stage.turns(1)
    await stage.venue.place(wish("BUY", "10", "0.51", rest=False))
    stage.state.halts.paused = True
    await stage.engine.apply_change()
    await stage.turns(2)
    assert [order.side for order in stage.venue.resting()] == ["SELL"]


async def test_a_market_that_closed_is_replaced_by_the_next_best() -> None:
    """Two of three are traded; when one closes the third takes its place and its strategy."""
    stage = Stage(tickers=())
    await stage.turns(1)
    assert stage.engine.tickers == ["KXA", "KXB"]
    stage.market.quotes_now["KXA"] = quote(active=False)
    await stage.turns(8)
    assert stage.engine.tickers == ["KXC", "KXB"]
    assert {order.ticker for order in stage.venue.resting()} == {"KXB", "KXC"}


async def test_no_order_rests_shortly_before_a_market_closes() -> None:
    """Within stop_before of the close, quotes are cancelled and none is placed."""
    stage = Stage(stop_before=60.0)
    stage.market.quotes_now["KXA"] = quote(close_time=stage.time.wall + 65)
    await stage.turns(2)
    assert len(stage.venue.resting()) == 2
    await stage.turns(5)
    assert stage.venue.resting() == []
    assert stage.engine.sender.decisions.counts["closing soon"] > 0


async def test_a_bug_in_a_strategy_halts_the_trading_and_not_the_bot() -> None:
    """The halt is a fault, nothing rests, and stop ends the bot."""

    def broken(view: MarketView) -> Sequence[Intent]:
        raise ZeroDivisionError

    stage = Stage(decide=broken)
    runner = stage.runner()
    running = asyncio.create_task(runner.run())
    await eventually(lambda: stage.state.halts.halted)
    assert list(stage.state.halts.halts) == ["fault"]
    assert not running.done()
    assert activity_of(runner, stage.state.halts, stage.engine) == ("halted", "fault")
    runner.stop()
    await asyncio.wait_for(running, 5)
    assert activity_of(runner, stage.state.halts, stage.engine) == ("stopped", "stopping")
    assert stage.saved[-1] is True


class ScriptedCheck:
    """An account check with an answer that a test sets."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.begun = 0

    async def begin(self) -> None:
        self.begun += 1

    async def differences(self) -> str:
        return self.words


@pytest.mark.parametrize(("words", "halts"), [("", []), ("KXA: our fills say 1, the exchange 2", ["reconcile"])])
async def test_a_difference_at_the_start_halts_before_the_first_order(words: str, halts: list[str]) -> None:
    """Not one order is sent, and the halt names the difference."""
    stage = Stage()
    check = ScriptedCheck(words)
    runner = stage.runner(check)
    running = asyncio.create_task(runner.run())
    await eventually(lambda: runner.stage == "running")
    assert list(stage.state.halts.halts) == halts
    assert (stage.venue.resting() == []) == bool(words)
    assert check.begun == 1
    if words:
        assert words in stage.state.halts.halts["reconcile"].why
    runner.stop()
    await asyncio.wait_for(running, 5)


async def test_a_difference_while_trading_halts_and_cancels() -> None:
    """Positions are compared every half minute."""
    stage, check = Stage(), ScriptedCheck("")
    runner = stage.runner(check)
    running = asyncio.create_task(runner.run())
    await eventually(lambda: len(stage.venue.resting()) == 2)
    check.words = "KXA: our fills say 1, the exchange 2"
    stage.time.pass_time(31)
    await eventually(lambda: stage.state.halts.halted)
    assert check.words in stage.state.halts.halts["reconcile"].why
    await eventually(lambda: stage.venue.resting() == [])
    runner.stop()
    await asyncio.wait_for(running, 5)


async def test_a_halted_bot_cancels_even_while_prices_cannot_be_read() -> None:
    """Cancelling needs no price."""
    stage = Stage()
    await stage.turns(1)
    stage.market.down = True
    stage.state.halts.halt("person", "test", stage.time.wall)
    await stage.turns(1)
    assert stage.venue.resting() == []


def failing(stage: Stage, name: str, error: VenueError) -> list[int]:
    """Let a method of the venue fail from now on; the list grows with each call."""
    calls: list[int] = []

    async def fail(*_: object) -> None:
        calls.append(1)
        raise error

    setattr(stage.venue, name, fail)
    return calls


async def test_a_halt_is_stored_though_orders_cannot_be_cancelled() -> None:
    """It is stored first; the failure is reported, and every turn cancels again until nothing rests."""
    stage = Stage()
    await stage.turns(1)
    calls = failing(stage, "cancel_all", OrderUncertain("2 of our orders may still rest"))
    stage.state.halts.halt("person", "test", stage.time.wall)
    await stage.engine.apply_change()
    assert stage.saved[-1] is True
    assert "may still rest" in stage.engine.trouble
    await stage.turns(3)
    assert len(calls) >= 4
    assert len(stage.venue.resting()) == 2
    del stage.venue.cancel_all
    await stage.turns(1)
    assert stage.venue.resting() == []
    assert stage.engine.trouble == ""


async def test_cancelling_is_tried_again_while_prices_are_stale() -> None:
    """Prices are too old and the cancel fails as well; the next turn cancels."""
    stage = Stage()
    await stage.turns(1)
    stage.market.down = True
    calls = failing(stage, "cancel_all", OrderUncertain("they may still rest"))
    await stage.turns(13)
    assert calls
    assert "they may still rest" in stage.engine.trouble
    del stage.venue.cancel_all
    await stage.turns(1)
    assert stage.venue.resting() == []


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        pytest.param(OrderRejected("post only cross", "post only"), 4, id="post only"),
        pytest.param(OrderRejected("invalid price", "price"), 2, id="refused"),
        pytest.param(OrderUncertain("no answer", "exchange unreachable"), 2, id="uncertain"),
    ],
)
async def test_an_order_that_fails_keeps_no_other_market_from_being_tried(error: VenueError, tries: int) -> None:
    """Both markets are tried in the same turn; a market that refused pauses, but not after a post-only refusal."""
    stage = Stage(tickers=("KXA", "KXB"))
    calls = failing(stage, "place", error)
    await stage.turns(1)
    assert len(calls) == tries
    assert stage.engine.trouble == ""


async def test_a_market_that_is_no_longer_traded_keeps_no_order() -> None:
    """It is open, but others are traded more now."""
    stage = Stage(tickers=())
    await stage.turns(1)
    assert {order.ticker for order in stage.venue.resting()} == {"KXA", "KXB"}

    async def others(count: int) -> list[str]:
        return ["KXB", "KXC"]

    stage.market.choose = others  # type: ignore[method-assign]
    await stage.turns(2, seconds=1000.0)
    await stage.turns(3)
    assert {order.ticker for order in stage.venue.resting()} == {"KXB", "KXC"}


@pytest.mark.parametrize("reason", ["no cash", "scope", "attestation", "key", "price", "unknown market"])
async def test_refused_orders_are_counted_and_sent_ever_more_rarely(
    reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A minute of refusals: few tries, counts by reason, one warning, and activity refused with the reason."""
    stage = Stage(tickers=("KXA", "KXB", "KXC"))
    runner = stage.runner()
    runner.stage = "running"
    calls = failing(stage, "place", OrderRejected(f"HTTP 400 {reason}", reason))
    await stage.turns(60)
    refusals = stage.engine.sender.refusals
    assert refusals.counts == {reason: len(calls)}
    assert len(calls) <= 24, "each of three markets pauses for 1, 2, 4, 8, 16 and 32 s"
    assert reason in stage.engine.trouble
    assert activity_of(runner, stage.state.halts, stage.engine) == ("refused", reason)
    assert caplog.text.count("in a row were refused or not answered") == 1
    assert stage.engine.sender.decisions.counts[f"waiting after {reason}"] > 0


async def test_an_accepted_order_ends_the_pauses() -> None:
    """The reason goes, the other market is tried at once, and counts stay."""
    stage = Stage(tickers=("KXA", "KXB"))
    failing(stage, "place", OrderRejected("HTTP 400 insufficient_balance", "no cash"))
    await stage.turns(10)
    assert stage.engine.trouble
    del stage.venue.place
    await stage.turns(70)
    assert stage.engine.trouble == ""
    assert len(stage.venue.resting()) == 4
    assert stage.engine.sender.refusals.counts["no cash"] > 0


async def test_a_bot_without_markets_or_orders_is_quiet() -> None:
    """Trading with the reason quiet: after a minute in which nothing was sent and nothing rested."""
    stage = Stage(decide=lambda view: [])
    runner = stage.runner()
    runner.stage = "running"
    await stage.turns(5)
    assert activity_of(runner, stage.state.halts, stage.engine) == ("trading", None)
    await stage.turns(60)
    assert activity_of(runner, stage.state.halts, stage.engine) == ("trading", "quiet")


async def test_a_failure_that_lasts_is_the_reason_of_a_pause() -> None:
    """One failed turn changes nothing; after five seconds the activity names it."""
    stage = Stage()
    runner = stage.runner()
    runner.stage = "running"
    await stage.turns(1)
    stage.market.down = True
    await stage.turns(1)
    assert activity_of(runner, stage.state.halts, stage.engine) == ("trading", None)
    await stage.turns(5)
    assert activity_of(runner, stage.state.halts, stage.engine) == ("paused", "exchange unreachable")


async def test_a_second_bot_under_the_prefix_halts() -> None:
    """Two bots under one prefix would cancel and count each other's orders."""
    stage = Stage()
    await stage.turns(1)
    stage.venue.second_bot = lambda: "another bot sends orders under pi-bot-"  # type: ignore[method-assign]
    await stage.turns(1)
    assert list(stage.state.halts.halts) == ["second_bot"]


async def test_decisions_name_what_was_seen_wanted_and_stopped() -> None:
    """The newest decision comes first; each intent has its result, and results are counted."""
    stage = Stage(order_size=D(2), market_exposure=D("0.5"))
    await stage.turns(2)
    log = stage.engine.sender.decisions.as_json()
    newest = log["decisions"][0]
    assert (newest["turn"], newest["ticker"], newest["strategy"]) == (2, "KXA", "test")
    assert (newest["bid"], newest["ask"], newest["mid"]) == (D("0.49"), D("0.51"), D("0.50"))
    first = log["decisions"][-1]["wanted"]
    assert [one["side"] for one in first] == ["BUY", "SELL"]
    assert {one["result"] for one in first} == {"sent"}
    assert log["counts"]["sent"] == 2
    small = Stage(market_exposure=D("0.001"))
    await small.turns(1)
    [bid, ask] = small.engine.sender.decisions.as_json()["decisions"][0]["wanted"]
    assert (bid["result"], bid["stopped_by"], ask["stopped_by"]) == ("stopped", "market exposure", "market exposure")


async def test_the_last_200_decisions_are_stored() -> None:
    """Older ones are dropped, their counts stay."""
    stage = Stage(tickers=("KXA", "KXB", "KXC"), decide=lambda view: [])
    await stage.turns(70)
    log = stage.engine.sender.decisions.as_json()
    assert log["count"] == 200
    assert log["decisions"][-1]["turn"] > 1


async def test_a_trade_carries_the_decision_behind_it() -> None:
    """Strategy, mid and the times of decision, sending and acknowledgement."""
    stage = Stage()
    await stage.turns(1)
    stage.market.quotes_now["KXA"] = quote("0.47", "0.48", last=D("0.48"), volume=D(500))
    await stage.turns(1)
    trade = stage.state.trade_log.last(1).trades[0]
    assert (trade["strategy"], trade["mid"]) == ("test", D("0.50"))
    assert trade["decided_at"] <= trade["sent_at"] <= trade["acknowledged_at"] <= trade["timestamp"]
