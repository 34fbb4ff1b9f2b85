"""Risk has the last word: limits hold whatever is asked and filled, halts stay, closing is welcome."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.positions import Positions
from bot.risk import Risk
from bot.strategy_types import Execution, PlaceOrder, RestingOrder, Side
from tests.support.trading import D, execution, limits, order, quote, wish

NOW = 1_700_000_000.0


def risk(*fills: Execution, **more: object) -> Risk:
    """A risk whose books hold these fills."""
    positions = Positions()
    for fill in fills:
        positions.trade(fill)
    return Risk(limits(**more), positions)


def judge(judged: Risk, asked: PlaceOrder, *resting: RestingOrder, **more: object) -> PlaceOrder | str:
    """A review with a fresh quote."""
    return judged.review(asked, quote(**{"as_of": NOW} | more), list(resting), NOW)


@pytest.mark.parametrize(
    ("asked", "fills", "resting", "quantity"),
    [
        pytest.param(wish("BUY", "5", "0.40"), [], [], "5", id="fits"),
        pytest.param(wish("BUY", "25", "0.40"), [], [], "10", id="cut to the order size"),
        pytest.param(wish("BUY", "10", "0.40"), [("BUY", "45", "0.40")], [], "5", id="cut to the market's limit"),
        pytest.param(wish("SELL", "10", "0.90"), [("SELL", "10", "0.90")], [], "10", id="a short costs one less price"),
        pytest.param(wish("SELL", "10", "0.40"), [("BUY", "100", "0.40")], [], "10", id="closing above the limit"),
        pytest.param(wish("BUY", "10", "0.40"), [], [order("BUY", "45", "0.40")], "5", id="what rests counts"),
        pytest.param(
            wish("BUY", "10", "0.50"), [("BUY", "90", "0.50", "0", "KXB")], [], "10", id="total: room for ten"
        ),
        pytest.param(
            wish("BUY", "10", "0.50"), [("BUY", "94", "0.50", "0", "KXB")], [], "6", id="cut to the total limit"
        ),
    ],
)
def test_orders_are_cut_to_what_is_left(
    asked: PlaceOrder, fills: list[tuple[Side, str, str]], resting: list[RestingOrder], quantity: str
) -> None:
    """An order is made smaller until every limit holds; one that closes is not in their way."""
    verdict = judge(risk(*(execution(*fill) for fill in fills)), asked, *resting)
    assert isinstance(verdict, PlaceOrder)
    assert verdict.quantity == D(quantity)


@pytest.mark.parametrize(
    ("asked", "resting", "market", "says"),
    [
        pytest.param(wish("BUY", "5", "0.40"), [], {"active": False}, "closed", id="closed market"),
        pytest.param(wish("BUY", "5", "0.40"), [], {"as_of": NOW - 11}, "stale", id="stale prices"),
        pytest.param(wish("BUY", "5", "0.405"), [], {}, "grid", id="off the grid"),
        pytest.param(wish("BUY", "5", "0.40"), [order("SELL", "1", "0.40")], {}, "own", id="own order opposite"),
        pytest.param(wish("SELL", "5", "0.40"), [order("BUY", "1", "0.45")], {}, "own", id="own bid above"),
        pytest.param(wish("BUY", "5", "0.40"), [order("BUY", "50", "0.40")], {}, "exposure", id="nothing left"),
    ],
)
def test_orders_that_may_not_be_sent(
    asked: PlaceOrder, resting: list[RestingOrder], market: dict[str, object], says: str
) -> None:
    """Each refusal says why."""
    verdict = judge(risk(), asked, *resting, **market)
    assert isinstance(verdict, str)
    assert says in verdict


def test_paused_only_closes() -> None:
    """Paused, an order is cut to what is held the other way and not being closed already."""
    judged = risk(execution("BUY", "8", "0.40"))
    judged.paused = True
    assert isinstance(judge(judged, wish("BUY", "5", "0.40")), str)
    closing = judge(judged, wish("SELL", "10", "0.50"), order("SELL", "3", "0.60"))
    assert isinstance(closing, PlaceOrder)
    assert closing.quantity == 5


@pytest.mark.parametrize(
    ("profits", "names"),
    [
        pytest.param(["0", "-29.99"], [], id="below both"),
        pytest.param(["0", "-30"], ["daily_loss"], id="a day's loss"),
        pytest.param(["25", "-5"], ["daily_loss"], id="a day's loss counts from where the day began"),
        pytest.param(["0", "35", "-5"], ["drawdown"], id="below the best"),
        pytest.param(["0", "-100"], ["daily_loss", "drawdown"], id="both"),
    ],
)
def test_losses_halt(profits: list[str], names: list[str]) -> None:
    """The limit itself halts, and the halt says how much was lost."""
    judged = risk()
    for profit in profits:
        judged.observe(D(profit), NOW)
    assert sorted(judged.halts) == names
    assert judged.halted == bool(names)


def test_a_halt_stays_until_cleared_and_losses_then_count_anew() -> None:
    """Neither profit nor the next day lifts it; a person does, and the same loss does not halt again."""
    judged = risk()
    judged.observe(D(0), NOW)
    judged.observe(D(-31), NOW)
    judged.observe(D(1000), NOW + 90_000)
    assert judged.halted
    assert "halted" in judge(judged, wish("BUY", "1", "0.40"))
    judged.observe(D(-31), NOW + 90_001)
    judged.clear(D(-31))
    assert judged.observe(D(-31), NOW + 90_002) == []
    assert isinstance(judge(judged, wish("BUY", "1", "0.40")), PlaceOrder)


def test_a_new_day_forgives_the_days_loss_but_not_the_drawdown() -> None:
    """The daily baseline moves at midnight UTC, the best profit does not."""
    judged = risk()
    judged.observe(D(0), NOW)
    judged.observe(D(-29), NOW)
    judged.observe(D(-29), NOW + 86_400)
    judged.observe(D(-39), NOW + 86_401)
    assert not judged.halted
    judged.observe(D(-40), NOW + 86_402)
    assert list(judged.halts) == ["drawdown"]


def test_a_restart_forgets_neither_halts_nor_baselines() -> None:
    """dump and load: the same halts, the same distance to the next one."""
    judged = risk()
    judged.observe(D(20), NOW)
    judged.paused = True
    again = risk()
    again.load(judged.dump())
    again.observe(D("-10"), NOW)
    assert again.paused
    assert list(again.halts) == ["daily_loss"]
    third = risk()
    third.load(again.dump())
    assert third.halts == again.halts


ASKED = st.tuples(
    st.sampled_from(["KXA", "KXB", "KXC"]), st.sampled_from(["BUY", "SELL"]), st.integers(1, 30), st.integers(1, 99),
    st.integers(0, 100), st.booleans(),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(ASKED, max_size=25))
def test_no_flow_of_orders_passes_a_limit(flow: list[tuple[str, Side, int, int, int, bool]]) -> None:
    """Whatever is asked, and however much of it fills or goes on resting, every limit holds at every moment."""
    positions = Positions()
    judged = Risk(limits(), positions)
    resting: list[RestingOrder] = []
    for number, (ticker, side, size, cents, percent, rests) in enumerate(flow):
        price = Decimal(cents) / 100
        verdict = judged.review(wish(side, str(size), str(price), ticker), quote(as_of=NOW), resting, NOW)
        if not isinstance(verdict, PlaceOrder):
            continue
        assert 0 < verdict.quantity <= 10
        filled = (verdict.quantity * percent / 100).quantize(D("0.01"))
        if filled:
            positions.trade(Execution(str(number), "o", ticker, side, filled, price, D(0), D(0), True))
        if rests and verdict.quantity > filled:
            resting.append(RestingOrder(str(number), "", ticker, side, price, verdict.quantity - filled))
        exposure = judged.exposure(resting)
        assert max(exposure.values(), default=D(0)) <= 20
        assert sum(exposure.values()) <= 50
        assert all(position.cost <= 20 for position in positions.by_ticker.values())
