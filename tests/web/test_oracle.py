"""The vectors that the page's arithmetic is held to, and the oracle that made them."""

import json
from fractions import Fraction

import pytest

from tests.web import oracle


@pytest.mark.slow
def test_vectors_are_what_the_oracle_says_today() -> None:
    """vectors.json is the oracle's own output: nobody edits an answer by hand."""
    assert oracle.VECTORS.read_text() == oracle.vectors(), "run python tests/web/oracle.py"


def test_there_are_hundreds_and_they_reach_every_corner() -> None:
    """Flips, partial closes, settlements of each result, unknown fees, late trades and several modes all occur."""
    cases = json.loads(oracle.VECTORS.read_text())
    assert len(cases) >= 300
    entries = [entry for case in cases for entry in case["entries"]]
    assert {entry["result"] for entry in entries if "result" in entry} == {"yes", "no", "scalar", "void"}
    assert {entry["outcome"] for entry in entries if "outcome" in entry} == {"yes", "no"}
    assert {entry["mode"] for entry in entries} == {"live", "demo", "paper"}
    assert any("positions" in entry for entry in entries)
    assert any(entry.get("fee", 0) is None for entry in entries)
    times = [[entry["timestamp"] for entry in case["entries"]] for case in cases]
    assert any(case != sorted(case) for case in times)
    assert any(case == sorted(case) for case in times)


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [("1/3", 6, "0.333333"), ("2/3", 6, "0.666667"), ("1/2", 0, "1"), ("5/4", 1, "1.3"), ("0", 6, "0")],
    ids=["down", "up", "half goes up", "half of a tenth", "nothing"],
)
def test_rounding_is_half_up(value: str, places: int, expected: str) -> None:
    """The one rounding there is, told by hand."""
    assert oracle.plain(oracle.rounded(Fraction(value), places)) == expected


def test_by_hand() -> None:
    """Bought 10 at 0.40, sold 15 at 0.55: 1.50 made, and five NO held that cost 0.45 each."""
    trade = {"ticker": "A", "outcome": "yes", "fee": 0.07, "mode": "live", "trade_id": "t"}
    bought = {**trade, "seq": 1, "timestamp": 1, "side": "BUY", "quantity": 10, "price": 0.4}
    sold = {**trade, "seq": 2, "timestamp": 2, "side": "SELL", "quantity": 15, "price": 0.55}
    [row] = oracle.answer([bought, sold], {"A": "0.5"})["live"]
    assert (row["realized_pnl"], row["quantity"], row["cost"], row["fees"]) == ("1.5", "-5", "2.25", "0.14")
    assert (row["average_price"], row["value"], row["unrealized_pnl"]) == ("0.45", "2.5", "0.25")
