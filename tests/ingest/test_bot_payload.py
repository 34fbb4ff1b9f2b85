"""What is read in a bot's answers, and what is skipped for which reason."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.decimal_json import loads
from ingest.bot_payload import read_status, read_trade, read_trades
from ingest.errors import UnreadableRecord
from tests.support.bot import trade, wire

GOOD = wire(trade(1))
NEXT = wire(trade(2))
NOW = 1_700_000_100.0


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("0.65", "0.65"),
        ('"0.65"', "0.65"),
        ("0.30000000000000004", "0.3"),
        ("1", "1"),
        ("0.5275", "0.5275"),
        ("6.5e-1", "0.65"),
    ],
)
def test_prices_that_are_good(text: str, price: str) -> None:
    """A number, a text, and float noise around four decimals are that price, exactly."""
    record = GOOD | {"price": loads(text)}
    assert read_trade(record, "live").trade.price == Decimal(price)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": 65}, "price: not in dollars between 0 and 1"),
        ({"price": 0}, "price: not in dollars between 0 and 1"),
        ({"price": "0.00000000001"}, "price: not in dollars between 0 and 1"),
        ({"price": Decimal("0.65001")}, "price: finer than 0.0001"),
        ({"price": "65c"}, "price: not a number"),
        ({"price": True}, "price: not a number"),
        ({"price": None}, "price: missing"),
        ({"price": [0.65]}, "price: not a number"),
        ({"price": "NaN"}, "price: not a number"),
        ({"price": Decimal("NaN")}, "price: not a number of this world"),
        ({"quantity": Decimal("-Infinity")}, "quantity: not a number of this world"),
        ({"timestamp": Decimal("NaN")}, "timestamp: not a number of this world"),
        ({"trade_id": Decimal("NaN")}, "trade_id: not a word"),
        ({"price": Decimal("1e-99")}, "price: not a number of this world"),
        ({"quantity": -5}, "quantity: not positive"),
        ({"quantity": 0}, "quantity: not positive"),
        ({"quantity": 10**12}, "quantity: too large"),
        ({"quantity": 10**30}, "quantity: too large"),
        ({"quantity": "0.005"}, "quantity: finer than 0.01"),
        ({"side": "HOLD"}, "side: neither BUY nor SELL"),
        ({"side": None}, "side: missing"),
        ({"outcome": "maybe"}, "outcome: neither yes nor no"),
        ({"ticker": "A\nB"}, "ticker: spaces or control characters"),
        ({"ticker": "A\u2028B"}, "ticker: spaces or control characters"),
        ({"ticker": "T" * 300}, "ticker: longer than 128 characters"),
        ({"ticker": ""}, "ticker: not a word"),
        ({"ticker": {"a": 1}}, "ticker: not a word"),
        ({"trade_id": None}, "trade_id: missing"),
        ({"trade_id": ["x"]}, "trade_id: not a word"),
        ({"timestamp": 1_700_000_000_000}, "timestamp: in milliseconds, seconds were expected"),
        ({"timestamp": "2026-01-01T00:00:00Z"}, "timestamp: not a number"),
        ({"timestamp": 12}, "timestamp: not a Unix time"),
    ],
)
def test_records_that_cannot_be_read(changes: dict[str, Any], reason: str) -> None:
    """Each is skipped and counted under its reason; the good ones beside it stay."""
    report = read_trades([GOOD | changes, NEXT], "live")
    assert report.skipped == {reason: 1}
    assert [each.trade.trade_id for each in report.trades] == ["t2"]


@pytest.mark.parametrize("record", [None, 5, "text", []])
def test_records_that_are_no_objects(record: object) -> None:
    """They are skipped as such."""
    assert read_trades([record], "live").skipped == {"not an object": 1}


def test_what_a_bot_may_add() -> None:
    """Optional fields are taken, numbers serve as ids, unknown fields are ignored, a bad fee is merely unknown."""
    record = GOOD | {
        "side": "sell", "outcome": "NO", "fee": "0.0175", "order_id": 7, "boot_id": "b", "seq": 3, "fill_id": "f",
        "color": "red", "timestamp": "1700000000.1234567",
    }  # fmt: skip
    read = read_trade(record, "demo")
    assert (read.seq, read.trade.side, read.trade.outcome, read.trade.fee) == (3, "SELL", "no", Decimal("0.0175"))
    assert (read.trade.order_id, read.trade.boot_id, read.trade.fill_id, read.trade.mode) == ("7", "b", "f", "demo")
    assert read.trade.timestamp == Decimal("1700000000.123457")
    assert read_trade(record | {"fee": "dear"}, "live").trade.fee is None


def test_any_order_and_both_shapes() -> None:
    """A list and an object with one say the same; what comes out is oldest first."""
    records = wire([trade(3), trade(1), trade(2)])
    assert read_trades(records, "live") == read_trades({"trades": records}, "live")
    assert [each.trade.trade_id for each in read_trades(records, "live").trades] == ["t1", "t2", "t3"]


def test_the_examples_of_the_bots_page_are_read() -> None:
    """What docs/bot.md shows to whoever has a bot of their own is taken as it stands there."""
    page = (Path(__file__).parents[2] / "docs" / "bot.md").read_text("utf-8")
    status, trades = (loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    reading = read_status(status, NOW)
    report = read_trades(trades, reading.mode)
    assert (reading.mode, reading.trades, report.unread) == ("paper", 2, ())
    assert [each.trade.outcome for each in report.trades] == ["yes", "no"]


def test_those_of_one_moment_keep_their_order() -> None:
    """Whole seconds for a time say nothing of the order within one; the list does, whichever end is its newest."""
    records = wire([trade(number) | {"timestamp": 1_700_000_000 + number // 3} for number in range(1, 7)])
    for told in (records, records[::-1]):
        assert [each.trade.trade_id for each in read_trades(told, "live").trades] == [
            "t1",
            "t2",
            "t3",
            "t4",
            "t5",
            "t6",
        ]


@pytest.mark.parametrize("answer", [None, 5, "text", {}, {"trades": None}, {"trades": {}}])
def test_answers_that_hold_no_trades(answer: object) -> None:
    """They are an error, not an empty window."""
    with pytest.raises(UnreadableRecord, match="list of trades"):
        read_trades(answer, "live")


@pytest.mark.parametrize(
    ("answer", "mode", "age", "trades"),
    [
        ({}, "live", None, None),
        ({"mode": "paper"}, "paper", None, None),
        ({"mode": "dry_run"}, "paper", None, None),
        ({"mode": " Paper Trading\n"}, "paper", None, None),
        ({"mode": "DRY-RUN"}, "paper", None, None),
        ({"mode": "sandbox"}, "demo", None, None),
        ({"mode": "auto", "dry_run": True}, "paper", None, None),
        ({"mode": "live", "paper": False}, "live", None, None),
        ({"mode": "maker"}, "live", None, None),
        ({"mode": "demo", "loop_age": 2, "trades": 7}, "demo", 2.0, 7),
        ({"mode": 5, "loop_age": "NaN", "trades": "many"}, "live", None, None),
        ({"timestamp": NOW - 30}, "live", 30.0, None),
        ({"trade_count": 9, "timestamp": NOW * 1000}, "live", None, 9),
    ],
)
def test_status_answers(answer: dict[str, Any], mode: str, age: float | None, trades: int | None) -> None:
    """What a bot says of itself is taken; what it does not say, or says unreadably, is not invented."""
    reading = read_status(wire(answer), NOW)
    assert (reading.mode, reading.loop_age, reading.trades) == (mode, age, trades)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "fee", "seq", "outcome", "order_id"]), JSON))
def test_no_record_breaks_the_reading(changes: dict[str, Any]) -> None:
    """Whatever a field holds, the record is read or counted, and its good neighbour is read."""
    report = read_trades([GOOD | changes, NEXT], "live")
    assert len(report.trades) + sum(report.skipped.values()) == 2
    assert "t2" in [each.trade.trade_id for each in report.trades]
