"""Records of a bot's trades: accepted forms, and the reason for each unread one."""

import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.decimal_json import loads
from ingest.bot_payload import ReportedTrade, UnreadableRecord, read_trades
from ingest.bot_status import read_status
from tests.support.bot import trade, wire

GOOD = wire(trade(1))
NEXT = wire(trade(2))
NOW = 1_700_000_100.0  # Unix seconds


def read_one(record: object) -> ReportedTrade:
    """Return the one trade of a window with this record alone."""
    report = read_trades([record], NOW)
    assert report.unread == ()
    return report.trades[0]


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
    assert read_one(record).trade.price == Decimal(price)


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
        ({"price": Decimal("NaN")}, "price: out of range"),
        ({"quantity": Decimal("-Infinity")}, "quantity: out of range"),
        ({"timestamp": Decimal("NaN")}, "timestamp: out of range"),
        ({"trade_id": Decimal("NaN")}, "trade_id: expected a text without spaces"),
        ({"price": Decimal("1e-99")}, "price: out of range"),
        ({"quantity": -5}, "quantity: negative"),
        ({"quantity": 10**12}, "quantity: too large"),
        ({"quantity": 10**30}, "quantity: out of range"),
        ({"quantity": "0.005"}, "quantity: finer than 0.01"),
        ({"side": "HOLD"}, "side: neither BUY nor SELL"),
        ({"side": None}, "side: missing"),
        ({"outcome": "maybe"}, "outcome: neither yes nor no"),
        ({"ticker": "A\nB"}, "ticker: spaces or control characters"),
        ({"ticker": "A\u2028B"}, "ticker: spaces or control characters"),
        ({"ticker": "T" * 300}, "ticker: longer than 128 characters"),
        ({"ticker": ""}, "ticker: expected a text without spaces"),
        ({"ticker": {"a": 1}}, "ticker: expected a text without spaces"),
        ({"trade_id": None}, "trade_id: missing"),
        ({"trade_id": ["x"]}, "trade_id: expected a text without spaces"),
        ({"timestamp": 1_700_000_000_000}, "timestamp: milliseconds beside records in other units"),
        ({"timestamp": "2023-11-14T22:13:20Z"}, "timestamp: ISO 8601 beside records in other units"),
        ({"timestamp": "2023-11-14T22:13:20"}, "timestamp: not a number"),
        ({"timestamp": 99_000_000_000}, "timestamp: more than a day in the future"),
        ({"timestamp": 12}, "timestamp: not a Unix time"),
    ],
)
def test_records_that_cannot_be_read(changes: dict[str, Any], reason: str) -> None:
    """Each is skipped and counted under its reason; the good ones beside it stay."""
    report = read_trades([GOOD | changes, NEXT], NOW)
    assert report.unread_by_reason == {reason: 1}
    assert [each.trade.trade_id for each in report.trades] == ["t2"]


@pytest.mark.parametrize("record", [None, 5, "text", []])
def test_records_that_are_no_objects(record: object) -> None:
    """They are skipped as such."""
    assert read_trades([record], NOW).unread_by_reason == {"not an object": 1}


def test_optional_fields_of_a_bot() -> None:
    """Optional fields are taken, numbers serve as ids, unknown fields are ignored, a bad fee is merely unknown."""
    record = GOOD | {
        "side": "sell", "outcome": "NO", "fee": "0.0175", "order_id": 7, "boot_id": "b", "seq": 3, "fill_id": "f",
        "color": "red", "timestamp": "1700000000.1234567",
    }  # fmt: skip
    read = read_one(record)
    assert (read.seq, read.trade.side, read.trade.outcome, read.trade.fee) == (3, "SELL", "no", Decimal("0.0175"))
    assert (read.trade.order_id, read.trade.boot_id, read.trade.fill_id, read.own_mode) == ("7", "b", "f", None)
    assert read.trade.timestamp == Decimal("1700000000.123457")
    assert read_one(record | {"fee": "dear"}).trade.fee is None


def test_any_order_and_both_shapes() -> None:
    """A list and an object with one are read alike; the result is oldest first."""
    records = wire([trade(3), trade(1), trade(2)])
    assert read_trades(records, NOW) == read_trades({"trades": records}, NOW)
    assert [each.trade.trade_id for each in read_trades(records, NOW).trades] == ["t1", "t2", "t3"]


def test_the_examples_of_the_bots_page_are_read() -> None:
    """The examples of docs/bot.md are accepted as they stand."""
    page = (Path(__file__).parents[2] / "docs" / "bot.md").read_text("utf-8")
    status, trades = (loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    reading = read_status(status)
    report = read_trades(trades, time.time())
    assert (reading.mode, reading.trades, report.unread) == ("paper", 2, ())
    assert [each.trade.outcome for each in report.trades] == ["yes", "no"]


def test_trades_of_one_second_keep_their_order() -> None:
    """Times in whole seconds leave the order open; the list's order decides, newest first or last."""
    records = wire([trade(number) | {"timestamp": 1_700_000_000 + number // 3} for number in range(1, 7)])
    for found in (records, records[::-1]):
        assert [each.trade.trade_id for each in read_trades(found, NOW).trades] == [
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
        read_trades(answer, NOW)


def test_a_quantity_of_zero_voids_a_trade() -> None:
    """It is read, so that the journal can correct the trade that was reported before."""
    assert read_one(GOOD | {"quantity": 0}).trade.quantity == 0


def test_the_fields_of_a_decision_are_optional() -> None:
    """They are read where they are well-formed; each that is not is None and spoils nothing else."""
    good = read_one(GOOD | {
        "strategy": "maker", "is_taker": False, "mid": "0.645", "decided_at": Decimal("1700000000.1234567"),
        "sent_at": "1700000000.5", "acknowledged_at": 1_700_000_001,
    }).trade  # fmt: skip
    assert (good.strategy, good.is_taker, good.mid) == ("maker", False, Decimal("0.645"))
    assert (good.decided_at, good.sent_at) == (Decimal("1700000000.123457"), Decimal("1700000000.5"))
    assert good.acknowledged_at == 1_700_000_001
    bad = read_one(
        GOOD | {"strategy": "a b", "is_taker": "yes", "mid": -1, "decided_at": "noon", "sent_at": None}
    ).trade
    assert (bad.strategy, bad.is_taker, bad.mid, bad.decided_at, bad.sent_at) == (None, None, None, None, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1_700_000_001_500, 1_700_000_002_000),
        ("1700000001500", 1_700_000_002_000),
        ("2023-11-14T22:13:21.5Z", "2023-11-14T23:13:22+01:00"),
        ("2023-11-14 22:13:21.500000000Z", "2023-11-14t22:13:22z"),
    ],
)
def test_another_unit_is_read_where_the_whole_window_agrees(first: object, second: object) -> None:
    """Milliseconds and ISO 8601 with a time zone become Unix seconds."""
    report = read_trades([GOOD | {"timestamp": first}, NEXT | {"timestamp": second}], NOW)
    assert [each.trade.timestamp for each in report.trades] == [Decimal("1700000001.5"), Decimal(1700000002)]
    assert report.unread == ()


@pytest.mark.parametrize(
    ("record", "mode"),
    [({"mode": "paper"}, "paper"), ({"dry_run": True}, "paper"), ({"mode": "LIVE"}, "live"), ({}, None)],
)
def test_a_trade_names_its_own_mode(record: dict[str, Any], mode: str | None) -> None:
    """A word or a flag in the record counts; None where it has none."""
    assert read_one(GOOD | record).own_mode == mode


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "fee", "seq", "outcome", "order_id"]), JSON))
def test_no_record_breaks_the_reading(changes: dict[str, Any]) -> None:
    """With any value of a field the record is read or counted, and its good neighbour is read."""
    report = read_trades([GOOD | changes, NEXT], NOW)
    assert len(report.trades) + sum(report.unread_by_reason.values()) == 2
    assert "t2" in [each.trade.trade_id for each in report.trades]
