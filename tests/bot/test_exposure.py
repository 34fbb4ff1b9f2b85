"""Tests of exposure: the most that a position and its orders can lose, whichever of them fill."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.exposure import largest, market_exposure
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
