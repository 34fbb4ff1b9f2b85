"""Tests of the paper venue: displayed size is used once, the queue comes first, fees are the exchange's."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import BotClock
from bot.errors import OrderRejected, VenueUnavailable
from bot.fees import FeeRule
from bot.strategy_types import Execution, PlaceOrder, Quote
from bot.venues.paper import PaperVenue
from tests.support.trading import D, quote, wish


class RecordingListener:
    """A listener that records."""

    def __init__(self) -> None:
        self.fills: list[Execution] = []
        self.paid: list[tuple[str, Decimal]] = []

    def execution(self, execution: Execution) -> None:
        self.fills.append(execution)

    def settlement(self, ticker: str, value: Decimal) -> None:
        self.paid.append((ticker, value))

    @property
    def short(self) -> list[tuple[str, str, str]]:
        return [(fill.side, str(fill.quantity), str(fill.price)) for fill in self.fills]


async def no_maker_fee(ticker: str) -> FeeRule:
    """A series without maker fees."""
    return FeeRule()


def paper(reported: RecordingListener, rule: Any = no_maker_fee) -> PaperVenue:
    """A venue with a stopped clock."""
    return PaperVenue(reported, "boot", "pi-bot-", BotClock(lambda: 1_700_000_000.25, lambda: 0.0), rule)


async def at(venue: PaperVenue, moment: float, bid: str = "0.49", ask: str = "0.51", **more: Any) -> Quote:
    """Show the venue a quote of this moment."""
    now = quote(bid, ask, read_at=moment, **more)
    await venue.refresh({"KXA": now})
    return now


async def test_a_taker_gets_the_best_price_and_the_displayed_size_once() -> None:
    """The size that was taken is gone until the quote changes."""
    reported = RecordingListener()
    venue = paper(reported)
    await at(venue, 1, ask_size=D(8))
    await venue.place(wish("BUY", "5", "0.60", rest=False))
    await venue.place(wish("BUY", "5", "0.60", rest=False))
    await venue.place(wish("BUY", "5", "0.60", rest=False))
    assert reported.short == [("BUY", "5", "0.51"), ("BUY", "3", "0.51")]
    await at(venue, 2, ask_size=D(8))
    await venue.place(wish("BUY", "5", "0.60", rest=False))
    assert len(reported.fills) == 2, "the same quote is the same size"
    await at(venue, 3, ask_size=D(9))
    await venue.place(wish("BUY", "5", "0.60", rest=False))
    assert reported.short[2] == ("BUY", "5", "0.51")
    assert venue.resting() == []


async def test_an_order_that_takes_below_the_market_vanishes() -> None:
    """It neither fills nor rests."""
    reported = RecordingListener()
    venue = paper(reported)
    await at(venue, 1)
    await venue.place(wish("BUY", "5", "0.50", rest=False))
    assert reported.fills == []
    assert venue.resting() == []


@pytest.mark.parametrize(
    ("side", "price", "later", "fills"),
    [
        pytest.param("BUY", "0.49", {"last": D("0.49"), "volume": D(60)}, [], id="still behind the queue"),
        pytest.param("BUY", "0.49", {"last": D("0.49"), "volume": D(103)}, ["3"], id="the queue is through"),
        pytest.param("BUY", "0.49", {"last": D("0.48"), "volume": D(2)}, ["2"], id="traded through us"),
        pytest.param("BUY", "0.50", {"last": D("0.50"), "volume": D(4)}, ["4"], id="first at a better price"),
        pytest.param("BUY", "0.49", {"bid": "0.47", "ask": "0.49"}, ["5"], id="the ask came to us"),
        pytest.param("SELL", "0.51", {"last": D("0.52"), "volume": D(9)}, ["5"], id="sell: traded through"),
        pytest.param("SELL", "0.51", {"bid": "0.51", "ask": "0.53", "bid_size": D(1)}, ["1"], id="sell: bid came"),
        pytest.param("SELL", "0.51", {"last": D("0.50"), "volume": D(900)}, [], id="sell: traded below us"),
        pytest.param("BUY", "0.49", {"last": D("0.48"), "volume": D(0)}, [], id="no new trade"),
    ],
)
async def test_a_resting_order_is_filled_as_its_queue_allows(
    side: Any, price: str, later: dict[str, Any], fills: list[str]
) -> None:
    """100 contracts stood at the best before us."""
    reported = RecordingListener()
    venue = paper(reported)
    await at(venue, 1)
    await venue.place(wish(side, "5", price))
    await at(venue, 2, **later)
    assert [str(fill.quantity) for fill in reported.fills] == fills
    assert all(fill.price == D(price) and not fill.is_taker for fill in reported.fills)


@pytest.mark.parametrize(
    ("before", "wanted", "says"),
    [
        pytest.param({}, wish("BUY", "5", "0.51"), "post only", id="would take"),
        pytest.param({"active": False}, wish("BUY", "5", "0.49"), "does not trade", id="closed"),
        pytest.param({}, wish("BUY", "5", "0.49", ticker="KXZ"), "does not trade", id="never seen"),
    ],
)
async def test_an_order_that_the_exchange_would_refuse_is_rejected(
    before: dict[str, Any], wanted: PlaceOrder, says: str
) -> None:
    """The order is rejected and does not rest."""
    venue = paper(RecordingListener())
    await at(venue, 1, **before)
    with pytest.raises(OrderRejected, match=says):
        await venue.place(wanted)
    assert venue.resting() == []


async def test_fees_are_the_series_and_the_dearest_until_known() -> None:
    """0.07 x 5 x 0.51 x 0.49 rounded up to $0.0001; a maker pays if the rule includes makers or is unknown."""
    reported = RecordingListener()
    known = paper(reported)
    await at(known, 1)
    await known.place(wish("BUY", "5", "0.51", rest=False))
    assert reported.fills[-1].fee == D("0.0875")

    async def unknown(ticker: str) -> FeeRule:
        raise VenueUnavailable("down")

    dear = paper(reported, unknown)
    await at(dear, 1)
    await dear.place(wish("BUY", "5", "0.50"))
    await at(dear, 2, last=D("0.50"), volume=D(5))
    assert reported.fills[-1].fee == D("0.0219")


async def test_a_market_that_ends_drops_orders_and_pays_once() -> None:
    """A closed market has no resting orders; its payout is reported once."""
    reported = RecordingListener()
    venue = paper(reported)
    await at(venue, 1)
    await venue.place(wish("BUY", "5", "0.49"))
    await at(venue, 2, active=False)
    assert venue.resting() == []
    await at(venue, 3, active=False, value=D(1))
    await at(venue, 4, active=False, value=D(1))
    assert reported.paid == [("KXA", D(1))]


async def test_trade_ids_contain_the_boot_id() -> None:
    """Ids contain the boot id, so two runs never share one."""
    reported = RecordingListener()
    venue = paper(reported)
    await at(venue, 1)
    await venue.place(wish("BUY", "1", "0.51", rest=False))
    await venue.place(wish("BUY", "1", "0.51", rest=False))
    assert len({fill.trade_id for fill in reported.fills}) == 2
    assert all("boot" in fill.trade_id for fill in reported.fills)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(40, 60), st.integers(0, 30)), min_size=2, max_size=15))
async def test_orders_together_never_get_more_than_traded(moves: list[tuple[int, int, int]]) -> None:
    """All orders together fill at most the volume that traded or the size that arrived."""
    reported = RecordingListener()
    venue = paper(reported)
    volume = D(0)
    await at(venue, 0)
    for moment, (orders, cents, traded) in enumerate(moves, 1):
        for _ in range(orders):
            await venue.place(wish("BUY", "5", "0.49")) if cents % 2 else None
        volume += traded
        before = sum(fill.quantity for fill in reported.fills)
        last = Decimal(cents) / 100
        await at(venue, moment, "0.49", "0.51", last=last, volume=volume)
        assert sum(fill.quantity for fill in reported.fills) - before <= traded
