"""Tests of exposure: the most that a position and its orders can lose, whichever of them fill."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.exposure import MarketRisk, Strike, event_exposure, largest, market_exposure
from bot.strategy_types import RestingOrder, Side
from ledger.market_book import MarketBook
from ledger.records import TradeRecord
from tests.support.trading import D, order

CENTS = st.integers(1, 99).map(lambda cents: Decimal(cents) / 100)
ORDER = st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 20).map(Decimal), CENTS)


def trade(book: MarketBook, side: Side, quantity: Decimal, price: Decimal) -> None:
    """Add a trade to the book, after those before."""
    change = quantity if side == "BUY" else -quantity
    book.trade(TradeRecord(book.trades, D(book.trades), "KXA", change, price, D(0)))


@settings(max_examples=300, deadline=None)
@given(st.lists(ORDER, max_size=3), st.lists(ORDER, max_size=5), st.data())
def test_no_way_of_filling_risks_more(
    before: list[tuple[Side, Decimal, Decimal]], wanted: list[tuple[Side, Decimal, Decimal]], data: st.DataObject
) -> None:
    """Any part of any of the orders, in any order: the cost of the position never passes the exposure."""
    position = MarketBook("KXA")
    for side, quantity, price in before:
        trade(position, side, quantity, price)
    orders = [
        RestingOrder(str(i), str(i), "KXA", side, price, quantity) for i, (side, quantity, price) in enumerate(wanted)
    ]
    bound = market_exposure(position.quantity, position.cost, orders)
    for one in data.draw(st.permutations(orders)):
        part = Decimal(data.draw(st.integers(0, int(one.quantity))))
        if part:
            trade(position, one.side, part, one.price)
        assert position.cost <= bound + D("0.00001")


def test_both_sides_of_a_quote_do_not_add_up() -> None:
    """A bid and an ask cannot both lose: the dearer one counts."""
    assert market_exposure(D(0), D(0), [order("BUY", "10", "0.40"), order("SELL", "10", "0.55")]) == D("4.50")


def test_closing_orders_add_no_risk() -> None:
    """Long ten, an ask of ten adds nothing; an ask of fifteen adds the five that open."""
    assert market_exposure(D(10), D(4), [order("SELL", "10", "0.50")]) == 4
    assert market_exposure(D(10), D(1), [order("SELL", "15", "0.50")]) == D("2.5")


def test_largest_finds_the_edge() -> None:
    """The largest multiple that fits, zero when none does."""
    assert largest(D(10), D("0.01"), lambda size: size <= D("3.456")) == D("3.45")
    assert largest(D(10), D("0.01"), lambda size: size <= 0) == 0
    assert largest(D(10), D("0.01"), lambda size: True) == 10


@pytest.mark.parametrize(
    ("with_low", "with_high", "pays"),
    [(True, True, [False, True, True, True, False]), (False, True, [False, False, True, True, False]),
     (True, False, [False, True, True, False, False]), (False, False, [False, False, True, False, False])],
)  # fmt: skip
def test_the_ends_of_a_strike(with_low: bool, with_high: bool, pays: list[bool]) -> None:
    """Each belongs to it or not; a missing end lets everything in."""
    strike = Strike(D(50), D(60), with_low, with_high)
    assert [strike.contains(D(value)) for value in (49, 50, 55, 60, 61)] == pays
    assert Strike(None, D(60)).contains(D(-999))
    assert Strike(D(50), None).contains(D(999))
    assert Strike(D(50), D(60)) == Strike(D(50), D(60), True, True)


def test_the_risk_of_a_market_counts_each_order_where_it_loses() -> None:
    """A bid loses if the market pays NO, an ask if it pays YES; a gain is negative."""
    risk = MarketRisk.of(D(10), D(4), [order("BUY", "5", "0.30"), order("SELL", "2", "0.90")])
    assert (risk.if_yes, risk.if_no, risk.strike) == (D("-5.80"), D("5.50"), None)
    risk = MarketRisk.of(D(-10), D(4), [])
    assert (risk.if_yes, risk.if_no) == (D(4), D(-6))


@pytest.mark.parametrize(
    ("exclusive", "markets", "worst"),
    [
        (False, [(2, 5), (3, 1)], 8),
        (True, [(2, 5), (3, 1)], 8),
        (True, [(2, -5), (3, -1)], 1),
        (True, [(1, -5), (1, -1)], 0),
        (True, [(9, -5), (3, -1)], 8),
        (True, [(-2, 5), (-3, 4)], 9),
        (True, [(7, 5), (-3, 4)], 11),
        (True, [], 0),
        (False, [(-2, -5)], 0),
    ],
)
def test_the_worst_case_of_an_event(exclusive: bool, markets: list[tuple[int, int]], worst: int) -> None:
    """Independent markets add up; of exclusive ones at most one pays YES. A sure gain risks nothing."""
    risks = {f"M{number}": MarketRisk(D(yes), D(no)) for number, (yes, no) in enumerate(markets)}
    assert event_exposure(risks, exclusive) == worst


def test_strikes_of_one_number_lose_together() -> None:
    """Each interval, each strike itself, and what lies beyond both ends is an outcome."""
    low, high = Strike(D(50), None), Strike(D(60), None, with_low=False)

    def worst(*risks: MarketRisk) -> Decimal:
        return event_exposure({f"M{number}": risk for number, risk in enumerate(risks)}, exclusive=False)

    assert worst(MarketRisk(D(-3), D(4), low), MarketRisk(D(-1), D(6), high)) == 10  # below 50
    assert worst(MarketRisk(D(7), D(-4), low), MarketRisk(D(-1), D(6), high)) == 13  # from 50 to 60
    assert worst(MarketRisk(D(7), D(-9), low), MarketRisk(D(5), D(-6), high)) == 12  # above 60
    assert worst(MarketRisk(D(3), D(-9), Strike(D(50), D(50)))) == 3  # 50 itself
    assert worst(MarketRisk(D(3), D(-9), Strike(D(50), D(60), False, False))) == 3  # between
    assert worst(MarketRisk(D(3), D(-9), Strike(None, D(50), with_high=False))) == 3  # below all
    assert worst(MarketRisk(D(3), D(-9), low), MarketRisk(D(1), D(2))) == 5  # beside an independent one
