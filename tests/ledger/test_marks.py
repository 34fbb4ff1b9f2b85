"""The mark rule and the value of a position at a mark."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.marks import MarkInputs, compare_value, mark_price, sum_known, value_position

PRICES = st.none() | st.integers(1, 9999).map(lambda number: Decimal(number).scaleb(-4))


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        ({"bid": "0.40", "ask": "0.50"}, "0.45"),
        ({"bid": "0.40", "ask": "0.50", "last": "0.90"}, "0.45"),
        ({"bid": "0.01", "ask": "0.99", "last": "0.90"}, "0.90"),
        ({"bid": "0.40", "ask": "0.60", "last": "0.90"}, "0.60"),
        ({"bid": "0.40", "ask": "0.60", "last": "0.10"}, "0.40"),
        ({"bid": "0.40", "ask": "0.60"}, "0.40"),
        ({"bid": "0.40"}, "0.40"),
        ({"bid": "0.40", "last": "0.30"}, "0.40"),
        ({"bid": "0.40", "last": "0.60"}, "0.60"),
        ({"ask": "0.40"}, None),
        ({"ask": "0.40", "last": "0.60"}, "0.40"),
        ({"last": "0.60"}, None),
        ({}, None),
        ({"bid": "0.60", "ask": "0.40", "last": "0.50"}, None),
        ({"bid": "0.40", "ask": "0.50", "result": "yes"}, "1"),
        ({"bid": "0.40", "ask": "0.50", "result": "no"}, "0"),
        ({"result": "no", "settlement_floor": "0.05"}, "0.05"),
        ({"result": "scalar", "settlement_value": "0.37", "bid": "0.40", "ask": "0.50"}, "0.37"),
        ({"result": "scalar"}, None),
        ({"bid": "0.02", "ask": "0.06", "settlement_floor": "0.05"}, "0.05"),
        ({"settlement_floor": "0.05"}, None),
    ],
)
def test_the_first_rule_that_fits_decides(market: dict[str, Any], expected: str | None) -> None:
    """Payout, middle, last trade between the quotes, one side, unknown."""
    inputs: dict[str, Any] = {name: Decimal(text) if name != "result" else text for name, text in market.items()}
    assert mark_price(MarkInputs(**inputs)) == (None if expected is None else Decimal(expected))


@given(bid=PRICES, ask=PRICES, last=PRICES)
def test_a_mark_lies_between_the_quotes(bid: Decimal | None, ask: Decimal | None, last: Decimal | None) -> None:
    """A quoted mark never leaves the quotes, and a market without quotes has none."""
    mark = mark_price(MarkInputs(bid, ask, last))
    if mark is not None:
        assert bid is not None or ask is not None
        assert bid is None or mark >= bid
        assert ask is None or mark <= ask


def test_a_position_without_a_mark_has_no_value() -> None:
    """Unknown is None; a flat position is worth 0."""
    valued = value_position(Decimal(-4), Decimal("2.2"), None)
    assert (valued.average_price, valued.value, valued.unrealized) == (Decimal("0.55"), None, None)
    assert value_position(Decimal(0), Decimal(0), None).value == 0


def test_a_sum_of_which_nothing_is_known_is_unknown() -> None:
    """None where amounts exist and none is known; 0 where there are none."""
    assert sum_known([None, None]) is None
    assert sum_known([]) == 0
    assert sum_known([None, Decimal(2), Decimal(3)]) == 5


@pytest.mark.parametrize(
    ("values", "reported", "causes", "difference", "cause"),
    [
        (["1.50", "2.004"], "3.50", [], "0", None),
        (["1.50", "2.00"], "3.40", [], "-0.10", "mark"),
        (["1.50", "2.00"], "3.51", [], "0.01", "mark"),
        (["1.50", "2.00"], "3.49", [], "-0.01", "mark"),
        (["1.50", "2.00"], "4.40", ["missed"], "0.90", "missed"),
        (["1.50", None], "4.40", [], None, None),
        ([], "0", [], "0", None),
        (["1.50"], None, [], None, None),
    ],
)
def test_values_of_equal_contracts_differ_by_the_mark(
    values: list[str | None], reported: str | None, causes: list[str], difference: str | None, cause: str | None
) -> None:
    """The reported sum is rounded down to cents; without a mark the difference is unknown; other causes come first."""
    known = [None if value is None else Decimal(value) for value in values]
    row = compare_value(known, None if reported is None else Decimal(reported), causes)
    assert (row["difference"], row["cause"]) == (None if difference is None else Decimal(difference), cause)
    assert row["journal"] == (None if None in known else sum(filter(None, known)))
