"""Status responses of a bot: its mode, its activity, its counters and its clock."""

from decimal import Decimal
from typing import Any

import pytest

from ingest.bot_payload import UnreadableRecord
from ingest.bot_status import read_activity, read_status
from tests.support.bot import wire


@pytest.mark.parametrize(
    ("answer", "mode"),
    [
        ({}, None),
        ({"mode": "paper"}, "paper"),
        ({"mode": "dry_run"}, "paper"),
        ({"mode": " Paper Trading\n"}, "paper"),
        ({"mode": "DRY-RUN"}, "paper"),
        ({"mode": "sandbox"}, "demo"),
        ({"mode": "auto", "dry_run": True}, "paper"),
        ({"mode": "live", "paper": False}, "live"),
        ({"mode": "live", "paper": True}, "paper"),
        ({"mode": "maker"}, None),
        ({"mode": 5}, None),
    ],
)
def test_the_mode_is_a_word_or_a_flag(answer: dict[str, Any], mode: str | None) -> None:
    """A word that names no mode is none, and a paper flag outweighs any word."""
    assert read_status(wire(answer)).mode == mode


@pytest.mark.parametrize(
    ("answer", "activity", "reason"),
    [
        ({}, None, ""),
        ({"status": "ok"}, "trading", ""),
        ({"status": "Running"}, "trading", ""),
        ({"status": "stopped"}, "stopped", ""),
        ({"running": False}, "stopped", ""),
        ({"status": "ok", "running": False}, "stopped", ""),
        ({"running": True}, "trading", ""),
        ({"status": "error"}, "other", 'the bot says "error"'),
        ({"status": "on fire", "message": "hot"}, "other", 'the bot says "on fire": hot'),
        ({"status": "ok", "activity": "halted", "reason": "daily loss"}, "halted", "daily loss"),
        ({"status": "running", "state": "paused"}, "paused", ""),
        ({"status": "ok", "halted": True, "halt_reason": "drawdown"}, "halted", "drawdown"),
        ({"status": "ok", "paused": True}, "paused", ""),
        ({"activity": "refused", "reason": "no cash"}, "refused", "no cash"),
        ({"status": "KILL_SWITCH"}, "halted", ""),
        ({"status": 7}, None, ""),
        ({"status": "ok", "reason": "a\x1b[31m\nb"}, "trading", "a [31m b"),
    ],
)
def test_the_activity_is_read_from_the_status(answer: dict[str, Any], activity: str | None, reason: str) -> None:
    """Words of the table are translated, another word is `other` and stands in the reason, no word is None."""
    reading = read_status(wire(answer))
    assert (reading.activity, reading.reason) == (activity, reason)


def test_an_unknown_word_is_named() -> None:
    """The word itself is returned beside `other`."""
    assert read_activity({"state": "Confused"}) == ("other", "Confused")


@pytest.mark.parametrize(
    ("answer", "age", "time", "trades"),
    [
        ({"loop_age": 2, "trades": 7}, 2.0, None, 7),
        ({"last_loop_age": "1.5", "trade_count": 9}, 1.5, None, 9),
        ({"loop_age": "NaN", "trades": "many"}, None, None, None),
        ({"timestamp": 1_700_000_000}, None, Decimal(1_700_000_000), None),
        ({"timestamp": "2023-11-14T22:13:20Z"}, None, Decimal(1_700_000_000), None),
        ({"timestamp": "noon"}, None, None, None),
    ],
)
def test_clock_and_counters(
    answer: dict[str, Any], age: float | None, time: Decimal | None, trades: int | None
) -> None:
    """A field that is absent or unreadable is None, never a default."""
    reading = read_status(wire(answer))
    assert (reading.loop_age, reading.loop_time, reading.trades) == (age, time, trades)


@pytest.mark.parametrize("answer", [None, [], "fine", 5])
def test_a_status_that_is_no_object_is_refused(answer: object) -> None:
    """It holds nothing that can be read."""
    with pytest.raises(UnreadableRecord, match="not an object"):
        read_status(answer)


def test_every_field_of_a_status() -> None:
    """Each under its names; an unreadable one is absent and spoils no other."""
    reading = read_status(wire({
        "boot_id": "b1", "last_seq": 3, "order_prefix": "bot-", "positions": {"A": "1.5", "B": -2}, "total_trades": 4,
    }))  # fmt: skip
    assert (reading.boot_id, reading.seq, reading.order_prefix, reading.trades) == ("b1", 3, "bot-", 4)
    assert reading.positions == {"A": Decimal("1.5"), "B": Decimal(-2)}
    bad = read_status(wire({"boot_id": "a b", "seq": -1, "positions": {"A": "1.5", "B": "many"}, "trades": 7}))
    assert (bad.boot_id, bad.seq, bad.positions, bad.trades) == (None, None, None, 7)
    assert read_status(wire({"positions": [1]})).positions is None


def test_a_reason_is_short_and_printable() -> None:
    """The first text of its fields, 200 characters of it, on one line."""
    assert read_status(wire({"reason": "  ", "error": "a\n b\tc"})).reason == "a b c"
    assert read_status(wire({"reason": "x" * 300})).reason == "x" * 200
    assert read_status(wire({"reason": "\n" * 999 + "xy"})).reason == "x"
    assert read_status(wire({"reason": 5})).reason == ""


@pytest.mark.parametrize(
    ("answer", "activity"),
    [
        ({"activity": "paused", "state": "ok"}, "paused"),
        ({"activity": "halted", "state": "paused"}, "halted"),
        ({"state": "ok", "running": True}, "trading"),
        ({"state": "paused", "running": False}, "paused"),
        ({"state": "paused", "running": True}, "paused"),
        ({"state": "ok", "halted": "yes"}, "trading"),
        ({"activity": "ok", "state": "odd", "status": "paused"}, "other"),
        ({"halted": True, "paused": True}, "halted"),
    ],
)
def test_words_and_flags_of_one_status(answer: dict[str, Any], activity: str) -> None:
    """A word of trouble wins over ok, the first of two counts, and a flag must be true or false."""
    assert read_status(wire(answer)).activity == activity
