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


def reason_of(changes: dict[str, Any]) -> str:
    """Return why the record is not read, "" if it is."""
    return "".join(read_trades([GOOD | changes], NOW).unread_by_reason)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("price", "0.0001", ""),
        ("price", "1.0000", ""),
        ("price", "1.0001", "price: not in dollars between 0 and 1"),
        ("price", Decimal("0.650000001"), ""),
        ("price", Decimal("0.6500000011"), "price: finer than 0.0001"),
        ("price", "1e-20", "price: not in dollars between 0 and 1"),
        ("price", "1e-21", "price: out of range"),
        ("quantity", 10**9, ""),
        ("quantity", "1000000000.01", "quantity: too large"),
        ("quantity", "-0.01", "quantity: negative"),
        ("quantity", "1e20", "quantity: too large"),
        ("quantity", "1e21", "quantity: out of range"),
        ("ticker", "T" * 128, ""),
        ("ticker", "T" * 129, "ticker: longer than 128 characters"),
        ("trade_id", 10**20 - 1, ""),
        ("trade_id", -5, ""),
        ("trade_id", 10**20, "trade_id: expected a text without spaces"),
        ("trade_id", True, "trade_id: expected a text without spaces"),
        ("trade_id", "a b", "trade_id: spaces or control characters"),
        ("timestamp", 10**9, ""),
        ("timestamp", 10**9 - 1, "timestamp: not a Unix time"),
        ("timestamp", NOW + 86_400, ""),
        ("timestamp", NOW + 86_400.01, "timestamp: more than a day in the future"),
        ("timestamp", 10**11 - 1, "timestamp: more than a day in the future"),
        ("timestamp", 10**11, "timestamp: not a Unix time"),  # milliseconds, of the year 1973
        ("timestamp", "2023-13-14T22:13:20Z", "timestamp: not a time"),
    ],
)
def test_bounds_of_a_record(name: str, value: Any, reason: str) -> None:
    """The bound itself is read, what lies beyond it has its reason."""
    assert reason_of({name: Decimal(str(value)) if isinstance(value, float) else value}) == reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2023-11-14T22:13Z", "1699999980"),
        ("2023-11-14T22:13:20.25+01:00", "1699996400.25"),
        ("2023-11-14T22:13:20.1234569Z", "1700000000.123456"),
        ("2023-11-14T22:13:20-0530", "1700019800"),
    ],
)
def test_a_time_as_text_is_exact_to_the_microsecond(text: str, seconds: str) -> None:
    """Its zone is taken into account, more digits are dropped."""
    assert read_one(GOOD | {"timestamp": text}).trade.timestamp == Decimal(seconds)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("fee", "-1000000000", "-1000000000"),
        ("fee", "-1000000000.01", None),
        ("fee", "999999999.99", "999999999.99"),
        ("fee", "1000000000", None),
        ("fee", "0.0000015", "0.000002"),
        ("fee", "0.0000025", "0.000002"),
        ("mid", 0, "0"),
        ("decided_at", 10**11 - 1, "99999999999"),
        ("sent_at", 10**11, None),
        ("acknowledged_at", "-0.1", None),
    ],
)
def test_bounds_of_an_optional_number(name: str, value: Any, read: str | None) -> None:
    """To the sixth decimal, half to even; a number out of its range is unknown and spoils nothing."""
    found = getattr(read_one(GOOD | {name: value}).trade, name)
    assert found == (None if read is None else Decimal(read))


@pytest.mark.parametrize(
    ("value", "seq"), [(0, 0), (2**63 - 1, 2**63 - 1), (2**63, None), (-1, None), (True, None), ("3", None)]
)
def test_a_bots_own_number_is_a_whole_number(value: Any, seq: int | None) -> None:
    """From 0 to the largest of 64 bits."""
    assert read_one(GOOD | {"seq": value}).seq == seq


@pytest.mark.parametrize(
    ("word", "mode"),
    [("Paper Trading", "paper"), ("dry-run", "paper"), ("BACK_TEST ing", "paper"), ("Sandbox", "demo"),
     ("prod", "live"), ("auto", None), (5, None), (None, None), ("", None)],
)  # fmt: skip
def test_words_of_a_mode(word: object, mode: str | None) -> None:
    """Without regard to case, spaces, dashes and underscores; a trade without a known word counts as live."""
    read = read_one(GOOD | {"mode": word})
    assert (read.own_mode, read.trade.mode) == (mode, mode or "live")


@pytest.mark.parametrize("flag", ["paper", "paper_trading", "paper_mode", "is_paper", "dry_run", "dryrun", "simulated"])
def test_a_flag_of_paper_trading_wins_over_a_word(flag: str) -> None:
    """It must be true; anything else leaves the word."""
    assert read_one(GOOD | {"mode": "live", flag: True}).own_mode == "paper"
    assert read_one(GOOD | {"mode": "live", flag: "yes"}).own_mode == "live"


def test_a_window_and_what_was_fetched_besides_are_one() -> None:
    """A number that both have counts once, with the trade of the first; unread records are those of the first."""
    first = read_trades([*wire([trade(3, seq=3), trade(5, seq=5)]), None], NOW)
    more = read_trades(wire([trade(4, seq=4), trade(9, seq=5)]), NOW)
    joined = first.with_more(more)
    assert [(each.seq, each.trade.trade_id) for each in joined.trades] == [(3, "t3"), (4, "t4"), (5, "t5")]
    assert joined.unread == first.unread


def test_trades_of_one_moment_follow_their_numbers() -> None:
    """Whatever their order in the window is; without numbers the window's order counts."""
    same = {"timestamp": 1_700_000_000}
    records = wire([trade(number) | same | {"seq": 10 - number} for number in (1, 2, 3)])
    assert [each.seq for each in read_trades(records, NOW).trades] == [7, 8, 9]


def test_an_unread_record_has_a_digest_of_its_content() -> None:
    """Equal records have the same one in every poll, others another."""
    bad = [GOOD | {"price": 65}, GOOD | {"price": 66}, None]
    first, again = (read_trades(bad, NOW).unread for _ in range(2))
    assert first == again
    assert len({digest for digest, _ in first}) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest, _ in first)
