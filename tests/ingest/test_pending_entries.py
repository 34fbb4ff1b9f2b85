"""What waits for the journal, without a loop: bounded, in order, and nothing falls off it without a hole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import pending_entries
from ingest.open_gaps import MANY, MOST, OpenGaps
from ingest.pending_entries import FELL, PendingEntries
from ingest.poll_overlap import GapSpan
from journal.entries import Trade
from tests.support.drafts import trade

LATE = Decimal(10**10)


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three trades may wait."""
    monkeypatch.setattr(pending_entries, "MOST", 3)


def made(first: int, count: int) -> list[Trade]:
    """Trades a second apart, told apart by their timestamp."""
    return [trade(timestamp=Decimal(number), trade_id=f"t{number}") for number in range(first, first + count)]


def moments(trades: list[Trade]) -> list[int]:
    """When they were made."""
    return [int(each.timestamp) for each in trades]


def spans(holes: OpenGaps) -> list[tuple[int, int]]:
    """From when to when each hole is."""
    return [(int(hole.start), int(hole.end)) for hole in holes]


STEPS = st.lists(st.one_of(st.integers(1, 7), st.sampled_from(["begin", "kept", "failed"])), max_size=40)


@given(steps=STEPS, most=st.integers(1, 6), batch=st.integers(1, 4))
def test_each_trade_is_kept_or_waits_or_lies_in_a_hole(steps: list[int | str], most: int, batch: int) -> None:
    """Whatever is added while whatever is written succeeds or fails: never more than the bound, kept once, in order."""
    holes, kept, under_way, count = OpenGaps(), list[int](), list[int](), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pending_entries, "BATCH", batch)
        patch.setattr(pending_entries, "MOST", most)
        waits = PendingEntries(holes)
        for step in steps:
            if isinstance(step, int):
                before = holes.dump()
                # It may also be true without a change: what falls off may lie in the hole that is there already.
                assert waits.add(made(count, step), LATE) or holes.dump() == before
                count += step
            elif step == "begin":
                under_way = moments(waits.begin())
            elif under_way:
                kept += under_way if step == "kept" else []
                waits.kept() if step == "kept" else waits.failed()
                under_way = []
            assert len(waits) <= most
        while len(waits):
            kept += moments(waits.begin())
            waits.kept()
    assert kept == sorted(set(kept))
    assert all(number in kept or holes.covers(Decimal(number)) for number in range(count))


@pytest.mark.usefixtures("most")
def test_the_oldest_fall_off_into_one_hole() -> None:
    """For as long as the journal keeps nothing; once it does, what falls off later is another hole."""
    holes = OpenGaps()
    waits = PendingEntries(holes)
    for first in range(0, 10, 2):
        waits.add(made(first, 2), LATE)
    assert (moments(waits.begin()), spans(holes)) == ([7, 8, 9], [(0, 6)])
    assert [hole.why for hole in holes] == [FELL]
    waits.kept()
    waits.add(made(10, 4), LATE)
    assert spans(holes) == [(0, 6), (10, 10)]


@pytest.mark.usefixtures("most")
def test_what_is_being_written_does_not_fall_off() -> None:
    """The journal may have it already: others go, and what is kept is taken away and nothing else."""
    holes = OpenGaps()
    waits = PendingEntries(holes)
    waits.add(made(0, 2), LATE)
    assert moments(waits.begin()) == [0, 1]
    waits.add(made(2, 4), LATE)
    waits.kept()
    assert (moments(waits.begin()), spans(holes)) == ([5], [(2, 4)])


@pytest.mark.usefixtures("most")
def test_a_bot_that_is_ahead_of_time_leaves_no_hole_open_for_ever() -> None:
    """Nothing was executed after we have read of it, and a hole is healed only when the exchange is past its end."""
    holes = OpenGaps()
    PendingEntries(holes).add(made(1000, 5), Decimal(900))
    assert spans(holes) == [(900, 900)]


@pytest.mark.usefixtures("most")
def test_a_hole_that_healed_meanwhile_is_opened_again_with_what_fell_off_since() -> None:
    """The exchange may be read faster than the journal takes the bot's trades."""
    holes = OpenGaps()
    waits = PendingEntries(holes)
    waits.add(made(0, 4), LATE)
    holes.remove(list(holes))
    waits.add(made(4, 1), LATE)
    assert spans(holes) == [(0, 1)]


def test_open_holes_are_bounded() -> None:
    """An exchange that is away for weeks while the bot restarts: the oldest become one, and all stay covered."""
    holes = OpenGaps()
    for number in range(MOST + 10):
        holes.add(GapSpan(Decimal(10 * number), Decimal(10 * number + 1), f"restart {number}"))
    assert len(holes) == MOST
    assert spans(holes)[0] == (0, 101)
    assert [hole.why for hole in holes][:2] == [MANY, "restart 11"]
    assert len(OpenGaps(holes.dump())) == MOST
