"""The books agree with an oracle that knows only fractions and first principles, and survive being kept."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.positions import Positions
from bot.strategy_types import Execution, Side
from tests.support.trading import D, execution

CENTS = st.integers(1, 99).map(lambda cents: Decimal(cents) / 100)
FLOW = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 2000).map(lambda n: Decimal(n) / 100), CENTS, CENTS),
    max_size=30,
)


def lots(flow: list[tuple[Side, Decimal, Decimal, Decimal]]) -> tuple[Fraction, Fraction, Fraction]:
    """The oracle: position, cost of the open part at average, and profit made by what was closed; in fractions."""
    held = cost = made = Fraction(0)
    for side, quantity, price, _ in flow:
        change = Fraction(quantity) * (1 if side == "BUY" else -1)
        while change:
            sign = 1 if change > 0 else -1
            if held * change < 0:
                part = min(abs(change), abs(held))
                average = cost / abs(held)
                gets = Fraction(price) if held > 0 else 1 - Fraction(price)
                made += part * (gets - average)
                cost -= part * average
            else:
                part = abs(change)
                cost += part * (Fraction(price) if sign > 0 else 1 - Fraction(price))
            held += sign * part
            change -= sign * part
    return held, cost, made


@settings(max_examples=150, deadline=None)
@given(FLOW)
def test_position_cost_and_profit_are_the_oracles(flow: list[tuple[Side, Decimal, Decimal, Decimal]]) -> None:
    """Position is exact; cost and realized profit agree to the rounding of a millionth per fill."""
    positions = Positions()
    for side, quantity, price, fee in flow:
        positions.trade(Execution("f", "o", "KXA", side, quantity, price, fee, D(0), True))
    held, cost, made = lots(flow)
    assert positions.position("KXA") == held
    if flow:
        position = positions.by_ticker["KXA"]
        slack = Fraction(len(flow), 1_000_000)
        assert abs(Fraction(position.cost) - cost) <= slack
        assert abs(Fraction(position.realized) - made) <= slack
        assert position.fees == sum(fee for *_, fee in flow)


@settings(max_examples=100, deadline=None)
@given(FLOW, CENTS)
def test_total_profit_is_exact_whatever_the_split(
    flow: list[tuple[Side, Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    """Realized plus unrealized less fees is what closing everything at the mark would leave, to the last digit."""
    positions = Positions()
    for side, quantity, price, fee in flow:
        positions.trade(Execution("f", "o", "KXA", side, quantity, price, fee, D(0), True))
    signed = [(quantity if side == "BUY" else -quantity, price) for side, quantity, price, _ in flow]
    exact = sum(change * (mark - price) for change, price in signed) - sum(fee for *_, fee in flow)
    assert positions.profit({"KXA": mark})["total"] == exact


@pytest.mark.parametrize(
    ("side", "price", "value", "made"),
    [
        pytest.param("BUY", "0.40", "1", "6.00", id="long and right"),
        pytest.param("BUY", "0.40", "0", "-4.00", id="long and wrong"),
        pytest.param("SELL", "0.40", "0", "4.00", id="short and right"),
        pytest.param("SELL", "0.40", "1", "-6.00", id="short and wrong"),
        pytest.param("BUY", "0.40", "0.25", "-1.50", id="scalar"),
    ],
)
def test_settlement_pays_what_the_market_said(side: Side, price: str, value: str, made: str) -> None:
    """Ten contracts at settlement become cash, and the position is gone."""
    positions = Positions()
    positions.trade(execution(side, "10", price))
    assert positions.settle("KXA", D(value))
    assert positions.position("KXA") == 0
    assert positions.profit({})["realized"] == D(made)
    assert not positions.settle("KXA", D(value))


def test_books_survive_being_kept() -> None:
    """What dump gives, load takes, to the last digit."""
    positions = Positions()
    positions.trade(execution("BUY", "3", "0.3333", "0.0157"))
    positions.trade(execution("SELL", "1", "0.5", "0.0175"))
    again = Positions.load(positions.dump())
    assert again.dump() == positions.dump()
    assert again.profit({"KXA": D("0.4")}) == positions.profit({"KXA": D("0.4")})
