"""Tests of both venues on a simulated exchange: an order has the same effect on paper and live."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.account_fills import AccountFills
from bot.clock import BotClock
from bot.errors import OrderRejected
from bot.market_data import MarketData
from bot.venues.base import Venue
from bot.venues.live import LiveVenue
from bot.venues.paper import PaperVenue
from tests.support.eventually import eventually
from tests.support.simulator import Simulator, running_simulator
from tests.support.trading import D, wish
from tests.support.venues import RecordingListener, client, live_venue

TICKER = "KXRAINNYC"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("keys")) as running:
        yield running


@dataclass
class Stage:
    """A venue, its reports, and a market quoted at 0.45 / 0.55 with a thousand contracts."""

    venue: Venue
    reported: RecordingListener
    prices: MarketData
    simulator: Simulator
    ticker: str

    async def look(self) -> None:
        """Read quotes, then refresh the venue."""
        await self.venue.refresh(await self.prices.quotes([self.ticker]))

    def take(self, side: str, count: str, price: str) -> Any:
        """Let another trader take from the book."""
        return self.simulator.control(
            "POST", "/take", {"ticker": self.ticker, "side": side, "count": count, "price": price}
        )


@pytest.fixture(params=["paper", "live"])
async def stage(request: pytest.FixtureRequest, simulator: Simulator, tmp_path: Path) -> AsyncIterator[Stage]:
    async with aiohttp.ClientSession() as session:
        reader = client(session, simulator)
        clock = iter(range(1, 10_000)).__next__
        prices = MarketData(reader, lambda: float(clock()), time.time)
        ticker = next(t for t in await prices_open(reader) if t.startswith(TICKER))
        reported = RecordingListener()
        venue: Venue
        if request.param == "paper":
            venue = PaperVenue(reported, "boot", "pi-bot-", BotClock(), prices.fee_rule)
        else:
            account = AccountFills()
            venue = live_venue(reader, reported, account, f"b{time.monotonic_ns()}")
        simulator.quote(ticker, "0.4500", "0.5500")
        if isinstance(venue, LiveVenue):
            await venue.fills.read_all()  # what earlier tests left
            reported.fills.clear()
        stage = Stage(venue, reported, prices, simulator, ticker)
        await stage.look()
        yield stage
        await venue.cancel_all()


async def prices_open(reader: Any) -> list[str]:
    """Return every open ticker."""
    return [market.ticker for market in (await reader.markets({"status": "open", "limit": 1000})).rows]


async def test_a_taking_order_is_reported_once_with_its_fee(stage: Stage) -> None:
    """Five at the ask, 0.07 x 5 x 0.55 x 0.45 = 0.0867 rounded up; a second read reports nothing."""
    await stage.venue.place(wish("BUY", "5", "0.60", stage.ticker, rest=False))
    await eventually(lambda: _looked(stage, 1))
    await stage.look()
    [fill] = stage.reported.fills
    assert (fill.side, fill.quantity, fill.price, fill.is_taker) == ("BUY", 5, D("0.55"), True)
    assert fill.fee == D("0.0867")
    assert stage.venue.resting() == []
    assert not stage.venue.frozen(stage.ticker)


async def test_a_taking_order_that_finds_nothing_is_gone(stage: Stage) -> None:
    """It does not rest."""
    await stage.venue.place(wish("SELL", "5", "0.50", stage.ticker, rest=False))
    await stage.look()
    assert stage.reported.fills == []
    assert stage.venue.resting() == []


async def test_an_order_that_would_take_may_not_rest(stage: Stage) -> None:
    """A post-only order that crosses is refused and does not rest."""
    with pytest.raises(OrderRejected, match="post only cross"):
        await stage.venue.place(wish("BUY", "5", "0.55", stage.ticker))
    assert stage.venue.resting() == []


async def test_a_resting_order_is_filled_in_parts_and_the_rest_taken_back(stage: Stage) -> None:
    """Two of five go, at our price; the rest can be cancelled, also twice."""
    await stage.venue.place(wish("BUY", "5", "0.50", stage.ticker))
    [resting] = stage.venue.resting()
    assert (resting.side, resting.price, resting.quantity) == ("BUY", D("0.50"), 5)
    stage.take("ask", "2.00", "0.5000" if isinstance(stage.venue, LiveVenue) else "0.4500")
    await eventually(lambda: _looked(stage, 1))
    assert [(fill.quantity, fill.price, fill.is_taker) for fill in stage.reported.fills] == [(2, D("0.50"), False)]
    [left] = stage.venue.resting()
    assert left.quantity == 3
    await stage.venue.cancel(left)
    await stage.venue.cancel(left)
    assert stage.venue.resting() == []


async def test_a_market_that_does_not_exist_is_refused(stage: Stage) -> None:
    """The order is rejected."""
    with pytest.raises(OrderRejected):
        await stage.venue.place(wish("BUY", "5", "0.50", "KXNOTHING-1"))
    assert stage.venue.resting() == []


async def test_cancel_all_leaves_no_order(stage: Stage) -> None:
    """Orders of both sides are cancelled."""
    await stage.venue.place(wish("BUY", "5", "0.46", stage.ticker))
    await stage.venue.place(wish("SELL", "5", "0.54", stage.ticker))
    assert len(stage.venue.resting()) == 2
    await stage.venue.cancel_all()
    assert stage.venue.resting() == []


async def _looked(stage: Stage, fills: int) -> bool:
    await stage.look()
    return len(stage.reported.fills) >= fills
