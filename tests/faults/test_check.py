"""Tests of the checker: each kind of finding in a few lines of history."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.check import History, Verdict, check, check_live
from tests.faults.executions import Execution, key

EXECUTIONS = [Execution(key("KX", "BUY", f"{number}.00", "0.65"), 100.0 * number) for number in (1, 2, 3)]
GOOD = History("page", 0, [(1, "t1"), (2, "t2"), (3, "t3")])


def entry(seq: int, **changes: Any) -> dict[str, Any]:
    """A trade as the journal has it."""
    found = {
        "kind": "trade",
        "seq": seq,
        "timestamp": seq,
        "ticker": "KX",
        "side": "BUY",
        "quantity": seq,
        "price": 0.65,
    }
    return found | {"outcome": "yes", "trade_id": f"t{seq}"} | changes


ENTRIES = [entry(1), entry(2), entry(3)]
CORRECTED = [*ENTRIES, entry(4, kind="correction", corrects=2, timestamp=2, quantity=2, price=0.7)]
LIVE = [entry(3), entry(2, price=0.7), entry(1)]
GAP = {"kind": "gap", "seq": 3, "from": 290.0, "to": 310.0}


def broken(verdict: Verdict) -> dict[str, int]:
    """The columns that are not nought."""
    return {column: count for column, count in verdict.table().items() if count}


def test_a_whole_history_breaks_nothing() -> None:
    """All executions, once, in order, at every reader."""
    assert broken(check(EXECUTIONS, ENTRIES, [GOOD])) == {}


@pytest.mark.parametrize(
    ("entries", "healable", "expected"),
    [
        (ENTRIES[:2], True, {"lost": 1}),
        (ENTRIES[:2], False, {"silent gaps": 1}),
        ([*ENTRIES[:2], GAP], False, {}),
        ([*ENTRIES[:2], GAP], True, {"lost": 1}),
        ([*ENTRIES, entry(4, quantity=3)], True, {"doubled": 1}),
        ([*ENTRIES, entry(4)], True, {"doubled": 1}),
        ([entry(1), entry(2, side="SELL", outcome="no", price=0.35), entry(3)], True, {}),
        ([*ENTRIES[:2], entry(4, quantity=3)], True, {"silent gaps": 1}),
    ],
    ids=["lost", "lost on paper", "announced", "announced and healable", "doubled", "invented", "as NO", "hole in seq"],
)
def test_the_journal_is_held_against_the_truth(
    entries: list[dict[str, Any]], healable: bool, expected: dict[str, int]
) -> None:
    """Every execution has exactly one entry, or on paper a gap that covers it."""
    assert broken(check(EXECUTIONS, entries, [], healable)) == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (replace(GOOD, received=[(1, "t1"), (3, "t3")]), {"lost": 1}),
        (replace(GOOD, first=1, received=GOOD.received[1:]), {}),
        (replace(GOOD, received=[*GOOD.received, (3, "t3")]), {"doubled": 1}),
        (replace(GOOD, received=[(2, "t2"), (1, "t1"), (3, "t3")]), {"out of order": 1}),
        (replace(GOOD, received=[(1, "t1"), (2, "t9"), (3, "t3")]), {"doubled": 1}),
        (replace(GOOD, first=None, received=[]), {"wrong cursor": 1}),
        (replace(GOOD, status="offline"), {"wrong status": 1}),
        (replace(GOOD, state="closed"), {"other": 1}),
        (replace(GOOD, findings=[("silent gap", "entry 3 came where 2 was due")]), {"silent gaps": 1}),
    ],
    ids=["lost", "came later", "doubled", "order", "another trade", "no cursor", "status", "closed", "seen on the way"],
)
def test_a_reader_is_held_against_the_journal(history: History, expected: dict[str, int]) -> None:
    """From its first cursor on every entry once, in order, as the journal has it."""
    assert broken(check(EXECUTIONS, ENTRIES, [history])) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"cursor": "e-4"}, ["wrong cursor"]),
        ({"trades": LIVE[1:]}, ["lost"]),
        ({"trades": [LIVE[1], LIVE[0], LIVE[2]]}, ["lost"]),
        ({"trades": [LIVE[0], LIVE[1] | {"price": 0.65}, LIVE[2]]}, ["lost"]),
        ({"trades": []}, ["lost"]),
    ],
    ids=["right", "no check", "newest missing", "order", "not corrected", "empty"],
)
def test_live_trades_are_held_against_the_journal(changes: dict[str, Any], expected: list[str]) -> None:
    """The answer has to list the newest trades first, corrected, and the journal's head as the cursor."""
    answer = {"cursor": "e-4-abcd", "trades": LIVE} | changes
    assert [finding.kind for finding in check_live("worker", answer, CORRECTED, "e-4-abcd")] == expected
