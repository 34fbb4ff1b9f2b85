"""Trades that wait for the journal: bounded, in order, and dropped only into a gap."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import trade_intake
from ingest.gaps import GAPS_MARK, MAX_GAPS, MERGED, GapSpan, OpenGaps
from ingest.trade_intake import DROPPED, PendingEntries
from journal.entries import Trade
from tests.support.drafts import trade

LATE = Decimal(10**10)


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three trades may wait."""
    monkeypatch.setattr(trade_intake, "MAX_PENDING", 3)


def made(first: int, count: int) -> list[Trade]:
    """Return trades a second apart, with different timestamps."""
    return [trade(timestamp=Decimal(number), trade_id=f"t{number}") for number in range(first, first + count)]


def moments(trades: list[Trade]) -> list[int]:
    """Return their times."""
    return [int(each.timestamp) for each in trades]


def spans(gaps: OpenGaps) -> list[tuple[int, int]]:
    """From when to when each gap is."""
    return [(int(gap.start), int(gap.end)) for gap in gaps]


STEPS = st.lists(st.one_of(st.integers(1, 7), st.sampled_from(["begin", "kept", "failed"])), max_size=40)


@given(steps=STEPS, most=st.integers(1, 6), batch=st.integers(1, 4))
def test_each_trade_is_written_or_waits_or_lies_in_a_gap(steps: list[int | str], most: int, batch: int) -> None:
    """For any order of additions, writes and failures: never more than the bound, written once, in order."""
    gaps, kept, under_way, count = OpenGaps(), list[int](), list[int](), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trade_intake, "BATCH", batch)
        patch.setattr(trade_intake, "MAX_PENDING", most)
        waits = PendingEntries(gaps)
        for step in steps:
            if isinstance(step, int):
                before = gaps.mark()
                # It may also be true without a change: what falls off may lie in the gap that is there already.
                assert waits.add(made(count, step), LATE) or gaps.mark() == before
                count += step
            elif step == "begin":
                under_way = moments(waits.begin())
            elif under_way:
                kept += under_way if step == "kept" else []
                waits.committed() if step == "kept" else waits.failed()
                under_way = []
            assert len(waits) <= most
        while len(waits):
            kept += moments(waits.begin())
            waits.committed()
    assert kept == sorted(set(kept))
    assert all(number in kept or gaps.covers(Decimal(number)) for number in range(count))


@pytest.mark.usefixtures("most")
def test_the_oldest_fall_off_into_one_gap() -> None:
    """For as long as the journal keeps nothing; once it does, what falls off later is another gap."""
    gaps = OpenGaps()
    waits = PendingEntries(gaps)
    for first in range(0, 10, 2):
        waits.add(made(first, 2), LATE)
    assert (moments(waits.begin()), spans(gaps)) == ([7, 8, 9], [(0, 6)])
    assert [gap.why for gap in gaps] == [DROPPED]
    waits.committed()
    waits.add(made(10, 4), LATE)
    assert spans(gaps) == [(0, 6), (10, 10)]


@pytest.mark.usefixtures("most")
def test_entries_being_written_are_not_dropped() -> None:
    """The journal may have it already: others go, and what is kept is taken away and nothing else."""
    gaps = OpenGaps()
    waits = PendingEntries(gaps)
    waits.add(made(0, 2), LATE)
    assert moments(waits.begin()) == [0, 1]
    waits.add(made(2, 4), LATE)
    waits.committed()
    assert (moments(waits.begin()), spans(gaps)) == ([5], [(2, 4)])


@pytest.mark.usefixtures("most")
def test_a_bot_that_is_ahead_of_time_leaves_no_gap_open_for_ever() -> None:
    """Nothing was executed after we have read of it, and a gap is healed only when the exchange is past its end."""
    gaps = OpenGaps()
    PendingEntries(gaps).add(made(1000, 5), Decimal(900))
    assert spans(gaps) == [(900, 900)]


@pytest.mark.usefixtures("most")
def test_a_gap_that_healed_meanwhile_is_opened_again_with_what_fell_off_since() -> None:
    """The exchange may be read faster than the journal takes the bot's trades."""
    gaps = OpenGaps()
    waits = PendingEntries(gaps)
    waits.add(made(0, 4), LATE)
    gaps.remove(list(gaps))
    waits.add(made(4, 1), LATE)
    assert spans(gaps) == [(0, 1)]


def test_open_gaps_are_bounded() -> None:
    """An exchange that is away for weeks while the bot restarts: the oldest become one, and all stay covered."""
    gaps = OpenGaps()
    for number in range(MAX_GAPS + 10):
        gaps.add(GapSpan(Decimal(10 * number), Decimal(10 * number + 1), f"restart {number}"))
    assert len(gaps) == MAX_GAPS
    assert spans(gaps)[0] == (0, 101)
    assert [gap.why for gap in gaps][:2] == [MERGED, "restart 11"]
    assert len(OpenGaps(gaps.mark()[GAPS_MARK])) == MAX_GAPS
