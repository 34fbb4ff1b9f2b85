"""Fixed-point texts and cents become exact numbers, or are refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.records import cents, fixed
from ledger.amounts import complement


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6, allow_nan=False))
def test_six_decimals_are_kept(number: int) -> None:
    """Every digit that the exchange sends is in the amount."""
    assert fixed(f"{number:f}") == number


@pytest.mark.parametrize("text", ["10", "10.0", "10.00", "10.000000", "-0.25", "0.2500"])
def test_counts_have_two_decimals_and_may_have_more_zeros(text: str) -> None:
    """The value counts, not how it is written."""
    assert fixed(text, places=2) == Decimal(text)


@pytest.mark.parametrize("text", ["0.001", "10.125", "-1.999"])
def test_a_count_finer_than_a_hundredth_is_refused(text: str) -> None:
    """The smallest step is 0.01 contract."""
    assert fixed(text, places=2) is None


@pytest.mark.parametrize(
    "text",
    [None, 5, 0.52, True, "", " 1", "1 ", "1\n", "+1", "1.", ".5", "1e3", "NaN", "Infinity", "٠", "1_0", "9" * 16],
)
def test_anything_else_is_refused(text: str) -> None:
    """No number is made of it."""
    assert fixed(text) is None


@pytest.mark.parametrize("value", [None, "5", 5.0, True, Decimal(5)])
def test_cents_are_whole(value: Any) -> None:
    """A JSON integer and nothing else."""
    assert cents(9801) == Decimal("98.01")
    assert cents(value) is None


@given(st.decimals(min_value=0, max_value=1, places=4))
def test_the_complement_of_the_complement_is_the_price(price: Any) -> None:
    """YES and NO add up to one dollar."""
    assert complement(complement(price)) == price
    assert price + complement(price) == 1
