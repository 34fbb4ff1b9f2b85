"""The loop: it trades what it may, stands behind no old price, and what halts it is on disk first."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.engine import Engine, TradingPlan
from bot.errors import OrderRejected, OrderUncertain, VenueError, VenueUnavailable
from bot.fees import FeeRule
from bot.runner import BotRunner
from bot.strategies import maker
from bot.strategy_types import Intent, MarketView, Quote
from bot.trading_state import TradingState
from bot.venues.paper import PaperVenue
from tests.support.eventually import eventually
from tests.support.trading import D, limits, quote, wish

FRIDAY = 1_700_200_000.0


class Market:
    """Prices that a test sets."""

    def __init__(self) -> None:
        self.now = FRIDAY
        self.quotes_now: dict[str, Quote] = {name: quote(ticker=name) for name in ("KXA", "KXB", "KXC")}
        self.down = False
        self.open = True

    async def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        if self.down:
            raise VenueUnavailable("the exchange is down")
        seen = {name: self.quotes_now[name] for name in tickers if name in self.quotes_now}
        return {name: quote_at(each, self.now) for name, each in seen.items()}

    async def choose(self, count: int) -> list[str]:
        return [name for name, each in sorted(self.quotes_now.items()) if each.active][:count]

    async def recent(self, ticker: str, count: int) -> list[Decimal]:
        return [D("0.5")] * 3

    async def trading(self) -> bool:
        return self.open


def quote_at(now: Quote, moment: float) -> Quote:
    """The same quote, read at a moment."""
    return Quote(
        now.ticker, now.bid, now.bid_size, now.ask, now.ask_size, now.last, now.volume, moment, now.active, now.bands,
        now.value,
    )  # fmt: skip


class Stage:
    """An engine on paper over such a market."""

    def __init__(self, tickers: Sequence[str] = ("KXA",), decide: Any = maker.decide, **more: Any) -> None:
        self.market = Market()
        self.saved: list[bool] = []
        self.state = TradingState("boot", limits(**more), exchange=False)
        clock = lambda: self.market.now  # noqa: E731
        self.venue = PaperVenue(self.state, "boot", "pi-bot-", clock, no_fee)
        plan = TradingPlan([decide], tickers, 2, D(5), D(20), 1.0, weekly_pause=True)
        self.engine = Engine(self.market, self.venue, self.state, plan, self.saved.append, clock, Random(1))  # type: ignore[arg-type]

    async def turns(self, count: int = 1, seconds: float = 1.0) -> None:
        """Time passes, the engine turns."""
        for _ in range(count):
            self.market.now += seconds
            await self.engine.turn()


async def no_fee(ticker: str) -> FeeRule:
    """Costs nothing."""
    return FeeRule(D(0), D(0))


async def test_it_quotes_and_goes_on() -> None:
    """The maker's two orders rest after the first turn and stay."""
    stage = Stage()
    await stage.turns(3)
    assert sorted(order.side for order in stage.venue.resting()) == ["BUY", "SELL"]


async def test_old_prices_stand_behind_nothing() -> None:
    """Cut off, it says so once, withdraws when its prices are too old, and quotes again when they are back."""
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


async def test_a_closed_exchange_is_left_alone() -> None:
    """While it does not trade nothing is sent."""
    stage = Stage()
    stage.market.open = False
    await stage.turns(3)
    assert stage.venue.resting() == []
    stage.market.open = True
    await stage.turns(6)
    assert len(stage.venue.resting()) == 2


async def test_the_weekly_pause_is_left_alone_before_the_exchange_says_so() -> None:
    """Thursday at 03:30 in New York, whatever /exchange/status says."""
    stage = Stage()
    stage.market.now = datetime(2026, 11, 26, 3, 30, tzinfo=ZoneInfo("America/New_York")).timestamp()
    await stage.turns(3)
    assert stage.venue.resting() == []


async def test_a_loss_halts_for_good_and_is_on_disk_first() -> None:
    """Long ten, the price falls: halted, withdrawn, saved; and the price's return changes nothing."""
    stage = Stage(daily_loss=D(3))
    await stage.turns(1)
    await stage.venue.place(wish("BUY", "10", "0.51", rest=False))
    stage.market.quotes_now["KXA"] = quote("0.09", "0.11")
    await stage.turns(2)
    assert list(stage.state.risk.halts) == ["daily_loss"]
    assert True in stage.saved
    stage.market.quotes_now["KXA"] = quote()
    await stage.turns(5)
    assert stage.venue.resting() == []
    assert stage.state.risk.halted


async def test_paused_it_only_closes() -> None:
    """Long ten and paused: an ask may rest, a bid may not."""
    stage = Stage()
    await stage.turns(1)
    await stage.venue.place(wish("BUY", "10", "0.51", rest=False))
    stage.state.risk.paused = True
    await stage.engine.settle()
    await stage.turns(2)
    assert [order.side for order in stage.venue.resting()] == ["SELL"]


async def test_it_chooses_markets_and_replaces_those_that_close() -> None:
    """Two of three; when one closes the third takes its place."""
    stage = Stage(tickers=())
    await stage.turns(1)
    assert stage.engine.tickers == ["KXA", "KXB"]
    stage.market.quotes_now["KXA"] = quote(active=False)
    await stage.turns(8)
    assert stage.engine.tickers == ["KXC", "KXB"]
    assert {order.ticker for order in stage.venue.resting()} == {"KXB", "KXC"}


async def test_a_fault_in_a_strategy_halts_and_the_bot_lives_on() -> None:
    """The loop turns, the fault is a halt, nothing rests; stop ends it."""

    def broken(view: MarketView) -> Sequence[Intent]:
        raise ZeroDivisionError

    stage = Stage(decide=broken)
    runner = BotRunner(stage.state, stage.venue, stage.engine, None, True, 0.01, stage.saved.append)

    running = asyncio.create_task(runner.run())
    await eventually(lambda: stage.state.risk.halted)
    assert list(stage.state.risk.halts) == ["fault"]
    assert not running.done()
    runner.stop()
    await asyncio.wait_for(running, 5)
    assert runner.stage == "stopping"
    assert stage.saved[-1] is True


class Disagreeing:
    """A reconciler with an opinion."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.begun = 0

    async def begin(self) -> None:
        self.begun += 1

    async def differences(self) -> str:
        return self.words


@pytest.mark.parametrize(("words", "halts"), [("", []), ("KXA: our fills say 1, the exchange 2", ["reconcile"])])
async def test_it_does_not_trade_on_a_difference(words: str, halts: list[str]) -> None:
    """Found at the start: not one order is sent, and the halt says what differs."""

    stage = Stage()
    reconciler = Disagreeing(words)
    runner = BotRunner(stage.state, stage.venue, stage.engine, reconciler, True, 0.01, stage.saved.append)  # type: ignore[arg-type]
    running = asyncio.create_task(runner.run())
    await eventually(lambda: runner.stage == "running")
    assert list(stage.state.risk.halts) == halts
    assert (stage.venue.resting() == []) == bool(words)
    assert reconciler.begun == 1
    if words:
        assert words in stage.state.risk.halts["reconcile"].why
    runner.stop()
    await asyncio.wait_for(running, 5)


async def test_a_difference_that_comes_up_later_halts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The books are compared again now and then; what rests is taken back at once."""
    monkeypatch.setattr("bot.runner._AUDIT_EVERY", 0.05)
    stage, reconciler = Stage(), Disagreeing("")
    runner = BotRunner(stage.state, stage.venue, stage.engine, reconciler, True, 0.01, stage.saved.append)  # type: ignore[arg-type]
    running = asyncio.create_task(runner.run())
    await eventually(lambda: len(stage.venue.resting()) == 2)
    reconciler.words = "KXA: our fills say 1, the exchange 2"
    await eventually(lambda: stage.state.risk.halted)
    assert reconciler.words in stage.state.risk.halts["reconcile"].why
    await eventually(lambda: stage.venue.resting() == [])
    runner.stop()
    await asyncio.wait_for(running, 5)


async def test_halted_it_withdraws_even_while_prices_fail() -> None:
    """Cancelling needs no price."""
    stage = Stage()
    await stage.turns(1)
    stage.market.down = True
    stage.state.risk.halt("person", "asked for", stage.market.now)
    await stage.turns(1)
    assert stage.venue.resting() == []


def failing(stage: Stage, name: str, wrong: VenueError) -> list[int]:
    """The venue's method fails from now on; how often it was tried."""
    tried: list[int] = []

    async def fail(*_: object) -> None:
        tried.append(1)
        raise wrong

    setattr(stage.venue, name, fail)
    return tried


async def test_what_a_person_asked_for_is_kept_though_the_exchange_is_away() -> None:
    """On disk before anything else; trouble is said, and every turn tries again until nothing rests."""
    stage = Stage()
    await stage.turns(1)
    tried = failing(stage, "cancel_all", OrderUncertain("2 of our orders may still rest"))
    stage.state.risk.halt("person", "asked for", stage.market.now)
    await stage.engine.settle()
    assert stage.saved[-1] is True
    assert "may still rest" in stage.engine.trouble
    await stage.turns(3)
    assert len(tried) >= 4
    assert len(stage.venue.resting()) == 2
    del stage.venue.cancel_all  # type: ignore[attr-defined]
    await stage.turns(1)
    assert stage.venue.resting() == []
    assert stage.engine.trouble == ""


async def test_blind_and_unheard_it_says_so_and_tries_again() -> None:
    """Prices are too old and the withdrawal fails as well."""
    stage = Stage()
    await stage.turns(1)
    stage.market.down = True
    tried = failing(stage, "cancel_all", OrderUncertain("they may still rest"))
    await stage.turns(13)
    assert tried
    assert "they may still rest" in stage.engine.trouble
    del stage.venue.cancel_all  # type: ignore[attr-defined]
    await stage.turns(1)
    assert stage.venue.resting() == []


@pytest.mark.parametrize(
    "wrong", [OrderRejected("post only cross"), OrderUncertain("no answer")], ids=["a no", "a doubt"]
)
async def test_one_order_that_does_not_go_keeps_up_no_other(wrong: VenueError) -> None:
    """It is no trouble of the venue's: both sides of both markets are tried in the same turn."""
    stage = Stage(tickers=("KXA", "KXB"))
    tried = failing(stage, "place", wrong)
    await stage.turns(1)
    assert len(tried) == 4
    assert stage.engine.trouble == ""


async def test_a_market_that_is_no_longer_traded_keeps_no_order() -> None:
    """It is open still, but others are traded more now."""
    stage = Stage(tickers=())
    await stage.turns(1)
    assert {order.ticker for order in stage.venue.resting()} == {"KXA", "KXB"}

    async def others(count: int) -> list[str]:
        return ["KXB", "KXC"]

    stage.market.choose = others  # type: ignore[method-assign]
    await stage.turns(2, seconds=1000.0)
    await stage.turns(3)
    assert {order.ticker for order in stage.venue.resting()} == {"KXB", "KXC"}
