"""The overlap check: what counts as a hole and what does not."""

from collections.abc import Iterable
from typing import Any

import pytest

from ingest.bot_payload import BotReport, BotStatusReading, read_trades
from ingest.poll_overlap import MOST_SEEN, PollOverlap
from tests.support.bot import trade, wire


def plain(*numbers: int, **changes: Any) -> BotReport:
    """The window of a bot that gives the brief's fields and no more."""
    return read_trades(wire([trade(number, **changes) for number in numbers]), "live")


def numbered(numbers: Iterable[int], boot: str = "b1") -> BotReport:
    """The window of a bot that numbers its trades."""
    return read_trades(wire([trade(number, seq=number, boot_id=boot) for number in numbers]), "live")


def ids(trades: Iterable[Any]) -> list[str]:
    """Which trades they are."""
    return [each.trade_id for each in trades]


def lost(count: int) -> str:
    """What is said of a jump in the bot's numbers after 2."""
    return f"{count} of the bot's trades after its number 2 are missing"


OVERLAP = "no trade of the last window is in this one"


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        pytest.param(plain(), plain(1), "", id="first trades"),
        pytest.param(plain(1, 2), plain(1, 2), "", id="nothing new"),
        pytest.param(plain(1, 2), plain(2, 3), "", id="joins"),
        pytest.param(plain(1, 2), plain(3, 2), "", id="joins in another order"),
        pytest.param(plain(1, 2), plain(3, 4), OVERLAP, id="more than a window between"),
        pytest.param(plain(1, 2), plain(), OVERLAP, id="forgot all"),
        pytest.param(plain(1, 2), plain(1, 2, timestamp=1_700_009_000), OVERLAP, id="ids reused"),
        pytest.param(plain(), plain(*range(100)), "the bot's window filled up between two polls", id="came back full"),
        pytest.param(numbered([1, 2]), numbered([3, 4]), "", id="numbers join without overlap"),
        pytest.param(numbered([1, 2]), numbered([5]), lost(2), id="jump"),
        pytest.param(
            numbered([1, 2]), numbered([2, 3, 5]), lost(1), id="unread"
        ),
        pytest.param(
            numbered([1, 2]), numbered([1], "b2"), "the bot restarted and forgot its trades", id="restarted"
        ),
    ],
)  # fmt: skip
def test_two_polls(first: BotReport, then: BotReport, why: str) -> None:
    """A second window joins the first, or the time between the two polls is a hole."""
    window = PollOverlap()
    assert window.check(first, None, 100.0, 100.1).hole is None
    hole = window.check(then, None, 103.0, 103.1).hole
    assert (hole.why if hole else "") == why
    if hole:
        assert (hole.start, hole.end) == (100, 103 + hole.end % 1)


def test_only_new_trades_are_told() -> None:
    """What the last window held is not told again, what is new comes oldest first."""
    window = PollOverlap()
    assert ids(window.check(plain(1, 2), None, 1.0, 1.0).new) == ["t1", "t2"]
    assert ids(window.check(plain(4, 3, 2), None, 2.0, 2.0).new) == ["t3", "t4"]
    assert ids(window.check(plain(4, 3, 2), None, 3.0, 3.0).new) == []


def test_the_mark_carries_the_window_over_our_own_restart() -> None:
    """After a restart the check goes on as if there had been none, and a later sight of the window counts."""
    window = PollOverlap()
    window.check(plain(1, 2), None, 100.0, 100.0)
    again = PollOverlap(window.dump(), polled=400.0)
    checked = again.check(plain(3), None, 500.0, 500.0)
    assert checked.hole is not None
    assert checked.hole.start == 400
    assert PollOverlap(window.dump()).check(plain(2, 3), None, 500.0, 500.0).hole is None


def test_a_window_without_trades_may_still_be_behind() -> None:
    """A bot that counted further a whole poll ago than it tells now has lost trades that we have not seen.

    In the same poll it may be ahead: its status is asked beside its trades, and it trades on.
    """
    window = PollOverlap()
    window.check(numbered([1]), BotStatusReading(boot_id="b1", seq=1), 1.0, 1.0)
    assert window.check(BotReport(), BotStatusReading(boot_id="b1", seq=3), 2.0, 2.0).hole is None
    hole = window.check(BotReport(), BotStatusReading(boot_id="b1", seq=3), 3.0, 3.0).hole
    assert hole is not None
    assert hole.why.startswith("2 of the bot's trades")


def test_news_after_a_number() -> None:
    """What the bot tells after our last number is taken when it joins; else a whole window must be read."""
    window = PollOverlap()
    assert window.extend(numbered([1]), "b1", 1.0) is None, "nothing is known yet"
    window.check(numbered([1, 2]), None, 1.0, 1.0)
    news = window.extend(numbered([3, 4]), "b1", 2.0)
    assert news is not None
    assert ids(news.new) == ["t3", "t4"]
    assert window.extend(numbered([6]), "b1", 3.0) is None
    assert window.extend(numbered([5], "b2"), "b2", 3.0) is None
    assert window.check(numbered([3, 4, 5]), None, 4.0, 4.0).hole is None


def test_a_jump_names_the_number_to_ask_from() -> None:
    """So that a bot that keeps more than it shows can fill it."""
    window = PollOverlap()
    window.check(numbered([1, 2]), None, 1.0, 1.0)
    assert window.jumped(numbered([3, 4]), None) == 0
    assert window.jumped(numbered([7, 8]), None) == 2
    assert window.jumped(numbered([3, 7, 8]), None) == 3


def test_only_the_newest_of_a_large_window_are_remembered() -> None:
    """The mark stays small, and an overlap is still known."""
    window = PollOverlap()
    window.check(plain(*range(5000)), None, 1.0, 1.0)
    assert len(window.dump()) < 5000
    assert PollOverlap(window.dump()).check(plain(*range(4990, 9000)), None, 2.0, 2.0).hole is None


def test_news_without_a_whole_window_is_remembered_within_bounds() -> None:
    """For as long as only the long poll works; when a whole window comes again it joins."""
    window = PollOverlap()
    window.check(numbered([1]), None, 1.0, 1.0)
    for first in range(2, MOST_SEEN + 2000, 1000):
        assert window.extend(numbered(range(first, first + 1000)), "b1", 2.0) is not None
    assert len(window._seen) <= MOST_SEEN
    last = first + 999
    checked = window.check(numbered(range(last - 100, last + 2)), None, 3.0, 3.0)
    assert (ids(checked.new), checked.hole) == ([f"t{last + 1}"], None)
