"""Tests of positions: they equal the ledger's books to the last digit, in any order of arrival, and can be stored."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.positions import Positions
from bot.strategy_types import Execution, Side
from ledger.market_book import MarketBook
from ledger.records import TradeRecord
from tests.support.trading import D, execution

CENTS = st.integers(1, 99).map(lambda cents: Decimal(cents) / 100)
FLOW = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 2000).map(lambda n: Decimal(n) / 100), CENTS, CENTS),
    max_size=30,
)
Flow = list[tuple[Side, Decimal, Decimal, Decimal]]


def executions(flow: Flow) -> list[Execution]:
    """One execution a second."""
    return [
        Execution(f"f{at}", "o", "KXA", side, quantity, price, fee, D(at), True)
        for at, (side, quantity, price, fee) in enumerate(flow, 1)
    ]


def ledger_book(flow: Flow) -> MarketBook:
    """The ledger's book of the same trades."""
    book = MarketBook("KXA")
    for at, (side, quantity, price, fee) in enumerate(flow, 1):
        book.trade(TradeRecord(at, D(at), "KXA", quantity if side == "BUY" else -quantity, price, fee))
    return book


@settings(max_examples=100, deadline=None)
@given(FLOW, st.randoms(use_true_random=False))
def test_positions_equal_the_ledger_in_any_order_of_arrival(flow: Flow, chance: st.DataObject) -> None:
    """Quantity, cost, realized profit and fees are those of the ledger, whichever execution arrives first."""
    arriving = executions(flow)
    chance.shuffle(arriving)  # type: ignore[attr-defined]
    positions = Positions()
    for each in arriving:
        positions.trade(each)
    if flow:
        book, mine = ledger_book(flow), positions.by_ticker["KXA"].book
        assert (mine.quantity, mine.cost, mine.realized) == (book.quantity, book.cost, book.realized)
        assert (mine.fees, mine.traded) == (book.fees, book.traded)


@settings(max_examples=100, deadline=None)
@given(FLOW, CENTS)
def test_total_profit_is_that_of_closing_everything_at_the_mark(flow: Flow, mark: Decimal) -> None:
    """Realized plus unrealized less fees is the cash of closing at the mark, to the last digit."""
    positions = Positions()
    for each in executions(flow):
        positions.trade(each)
    signed = [(quantity if side == "BUY" else -quantity, price) for side, quantity, price, _ in flow]
    exact = sum(change * (mark - price) for change, price in signed) - sum(fee for *_, fee in flow)
    assert positions.profit({"KXA": mark})["total"] == exact


@pytest.mark.parametrize(
    ("side", "price", "value", "profit"),
    [
        pytest.param("BUY", "0.40", "1", "6.00", id="long and right"),
        pytest.param("BUY", "0.40", "0", "-4.00", id="long and wrong"),
        pytest.param("SELL", "0.40", "0", "4.00", id="short and right"),
        pytest.param("SELL", "0.40", "1", "-6.00", id="short and wrong"),
        pytest.param("BUY", "0.40", "0.25", "-1.50", id="scalar"),
        pytest.param("SELL", "0.40", "0.25", "1.50", id="scalar short"),
        pytest.param("BUY", "0.40", "0.2345", "-1.66", id="rounded down to cents"),
        pytest.param("SELL", "0.40", "0.2345", "1.65", id="rounded down to cents, short"),
    ],
)
def test_a_settlement_turns_the_position_into_profit_once(side: Side, price: str, value: str, profit: str) -> None:
    """Ten contracts are paid at the market's value, the position is gone, and a repeated payout changes nothing."""
    positions = Positions()
    positions.trade(execution(side, "10", price))
    assert positions.settle("KXA", D(value))
    assert positions.position("KXA") == 0
    assert positions.profit({})["realized"] == D(profit)
    assert not positions.settle("KXA", D(value))
    assert positions.profit({})["realized"] == D(profit)


def test_a_position_without_a_mark_counts_at_its_cost() -> None:
    """Unrealized profit is 0 where no mark is known."""
    positions = Positions()
    positions.trade(execution("BUY", "3", "0.40", "0.02"))
    assert positions.profit({}) == {"realized": 0, "unrealized": 0, "fees": D("0.02"), "total": D("-0.02")}


@settings(max_examples=50, deadline=None)
@given(FLOW, FLOW)
def test_stored_positions_go_on_as_if_never_stored(before: Flow, after: Flow) -> None:
    """dump and load lose no digit, and later executions close the same lots."""
    kept, straight = Positions(), Positions()
    every = executions(before + after)
    for each in every[: len(before)]:
        kept.trade(each)
        straight.trade(each)
    kept = Positions.load(kept.dump())
    for each in every[len(before) :]:
        kept.trade(each)
        straight.trade(each)
    assert kept.dump() == straight.dump()
    assert kept.profit({"KXA": D("0.4")}) == straight.profit({"KXA": D("0.4")})


def test_positions_of_version_0_1_are_read() -> None:
    """A file without lots: quantity, cost, cash of YES trades and fees; profit is what it was."""
    old = {"trades": 3, "past": ["1.5", "0.1"], "positions": {"KXA": ["-10", "6.00", "4.00", "0.05"]}}
    positions = Positions.load(old)
    assert positions.position("KXA") == -10
    assert positions.profit({"KXA": D("0.30")}) == {
        "realized": D("1.5"), "unrealized": D("1.00"), "fees": D("0.15"), "total": D("2.35")
    }  # fmt: skip


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param({"past": ["-1E+99", "0"]}, id="profit out of range"),
        pytest.param({"past": ["NaN", "0"]}, id="profit is not a number"),
        pytest.param({"trades": -1}, id="negative count"),
        pytest.param({"trades": True}, id="true is not a count"),
        pytest.param({"positions": {"KXA": ["Infinity", "0", "0", "0"]}}, id="infinite position"),
        pytest.param({"positions": {"KXA": ["1", "-4", "0", "0"]}}, id="negative cost"),
        pytest.param({"positions": {"KXA": {}}}, id="an empty book"),
    ],
)
def test_damaged_positions_are_refused(spoiled: dict[str, object]) -> None:
    """A value that is not finite, out of bounds or missing is an error, never a number to go on with."""
    good: dict[str, object] = {"trades": 1, "past": ["0", "0"], "positions": {}}
    Positions.load(good)
    with pytest.raises((KeyError, TypeError, ValueError)):
        Positions.load(good | spoiled)


def at_times(*times: int) -> list[Execution]:
    """Executions at these seconds, each at another price; every third one sells."""
    return [
        Execution(f"f{at}", "o", "KXA", "SELL" if at % 3 == 0 else "BUY", D(1),
                  D(10 + at % 80) / 100, D(0), D(at), True)
        for at in times
    ]  # fmt: skip


@pytest.mark.parametrize("late", [1, 2, 51, 500, 799])
def test_a_late_execution_is_put_in_its_place(late: int) -> None:
    """Five minutes late at most where executions are many; however late it is where they are few."""
    times = [*range(1, 5), 5000] if late <= 2 else [*range(1, 60), 5000] if late == 51 else list(range(200, 801))
    straight, mixed = Positions(), Positions()
    for each in at_times(*times):
        straight.trade(each)
    for each in at_times(*[time for time in times if time != late], late):
        mixed.trade(each)
    mine, expected = mixed.by_ticker["KXA"].book, straight.by_ticker["KXA"].book
    assert (mine.quantity, mine.cost, mine.realized) == (expected.quantity, expected.cost, expected.realized)
    assert [(lot.left, lot.opened) for lot in mine.lots] == [(lot.left, lot.opened) for lot in expected.lots]


def test_positions_begin_with_nothing() -> None:
    """No trade, no profit, no position; each execution counts, in whichever market."""
    positions = Positions()
    assert positions.dump() == {"trades": 0, "past": ["0", "0"], "positions": {}}
    assert (positions.position("KXA"), positions.holding("KXA")) == (0, (0, 0))
    positions.trade(execution("BUY", "3", "0.40"))
    positions.trade(execution("SELL", "2", "0.40", ticker="KXB"))
    assert positions.trades == 2
    assert (positions.position("KXA"), positions.holding("KXB")) == (3, (D(-2), D("1.20")))
    assert repr(positions) == "Positions(trades=2, open=2)"
    positions.trade(execution("BUY", "2", "0.40", ticker="KXB", at="1"))
    assert repr(positions) == "Positions(trades=3, open=1)"


def test_profit_of_settled_markets_stays() -> None:
    """With their fees, beside that of open ones."""
    positions = Positions()
    positions.trade(execution("BUY", "10", "0.40", "0.10"))
    positions.trade(execution("BUY", "10", "0.50", "0.20", "KXB"))
    positions.trade(execution("SELL", "4", "0.60", "0.05", "KXB", at="1"))
    assert positions.settle("KXA", D(1))
    assert not positions.settle("KXC", D(1))
    assert positions.profit({"KXB": D("0.55")}) == {
        "realized": D("6.40"), "unrealized": D("0.30"), "fees": D("0.35"), "total": D("6.35"),
    }  # fmt: skip
    assert Positions.load(positions.dump()).profit({}) == positions.profit({})
