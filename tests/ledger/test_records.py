"""Bodies of entries as records: every number is checked, and an error names the field."""

from decimal import Decimal
from typing import Any

import pytest

from ledger.account_ledger import AccountLedger
from ledger.records import RecordError
from tests.ledger.cases import baseline, correction, found_position, settlement, trade, transfer

BAD_NUMBERS: list[Any] = [None, "1", True, [], {}, Decimal("NaN"), Decimal("Infinity"), 0.5]


def apply(entry: dict[str, Any]) -> AccountLedger:
    """A ledger that was given one entry."""
    ledger = AccountLedger()
    ledger.apply(entry["kind"], entry)
    return ledger


def exact(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with Decimal numbers, as a journal gives them."""
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in entry.items()}


FIELDS = [
    *((trade(1), name) for name in ("timestamp", "quantity", "price")),
    *((settlement(1), name) for name in ("timestamp", "value", "revenue", "fee", "yes_quantity", "no_quantity")),
    *((transfer(1, "t", 5), name) for name in ("timestamp", "amount")),
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize(("entry", "name"), FIELDS, ids=lambda each: each if isinstance(each, str) else each["kind"])
def test_a_number_that_is_none_is_a_named_error(entry: dict[str, Any], name: str, value: object) -> None:
    """Null, text, flags, NaN and floats are refused with the field's name."""
    with pytest.raises(RecordError, match=f"entry 1: {name}: expected"):
        apply(exact(entry) | {name: value})


@pytest.mark.parametrize(("entry", "name"), FIELDS, ids=lambda each: each if isinstance(each, str) else each["kind"])
def test_a_number_that_is_missing_is_a_named_error(entry: dict[str, Any], name: str) -> None:
    """A dropped field is refused with its name."""
    with pytest.raises(RecordError, match=f"entry 1: {name}: expected"):
        apply({key: value for key, value in exact(entry).items() if key != name})


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        (trade(1, quantity=-1), "quantity"),
        (trade(1, quantity=0), "quantity"),
        (trade(1, price=Decimal("1.01")), "price"),
        (trade(1, price=-1), "price"),
        (trade(1, price=1, side="HOLD"), "side"),
        (trade(1, price=1, outcome="maybe"), "side"),
        (trade(1, price=1, side=["BUY"]), "side"),
        (trade(1, price=1, ticker=""), "ticker"),
        (settlement(1, value=Decimal("12.34")), "value"),
        (settlement(1, value=-1), "value"),
        (settlement(1, value=0), "value"),
        (settlement(1, result="no", value=1), "value"),
        (settlement(1, revenue=-10), "revenue"),
        (settlement(1, result=None), "result"),
        (transfer(1, "t", -5), "amount"),
        (transfer(1, "", 5), "transfer_id"),
        (transfer(1, "t", 5, direction="gift"), "direction"),
        (transfer(1, "t", 5, status=None), "status"),
        (baseline(1, found_position("A", 1, 1), found_position("A", 2, 1)), "positions"),
        (baseline(1, found_position("A", 1, -1)), "cost"),
        (baseline(1, found_position("", 1, 1)), "ticker"),
        (baseline(1) | {"positions": None}, "positions"),
        (baseline(1) | {"positions": ["A"]}, "positions"),
        (baseline(1) | {"balance": "100"}, "balance"),
        (correction(2, 1, quantity=-1), "quantity"),
    ],
)
def test_a_value_out_of_range_is_a_named_error(entry: dict[str, Any], name: str) -> None:
    """Impossible values and contradictions are refused with the field's name."""
    with pytest.raises(RecordError, match=rf"entry .: {name}: expected"):
        apply(exact(entry))


def test_an_entry_that_cannot_be_used_changes_nothing() -> None:
    """The ledger goes on after a refused entry."""
    ledger = AccountLedger()
    with pytest.raises(RecordError):
        ledger.apply("trade", exact(trade(7, quantity=-1)))
    assert (ledger.books, ledger.flows.total) == ({}, 0)


def test_a_gap_has_no_cash_flow() -> None:
    """A gap opens no market."""
    ledger = AccountLedger()
    ledger.apply("gap", {"seq": 3, "timestamp": 1, "from": 0, "to": 1, "why": "x", "source": "journal"})
    assert ledger.books == {}
