"""Overlap of two polls: gaps, restarts, two bots at one address, and the bot's own count."""

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from ingest.bot_payload import BotReport, read_trades
from ingest.bot_status import BotStatusReading
from ingest.gaps import WINDOW_MARK, GapSpan, OpenGaps, PollOverlap, trade_digest
from tests.support.bot import trade, wire


def plain(*numbers: int, **changes: Any) -> BotReport:
    """The window of a bot that gives the brief's fields and no more."""
    return read_trades(wire([trade(number, **changes) for number in numbers]), NOW)


def numbered(numbers: Iterable[int], boot: str = "b1") -> BotReport:
    """The window of a bot that numbers its trades."""
    return read_trades(wire([trade(number, seq=number, boot_id=boot) for number in numbers]), NOW)


def ids(trades: Iterable[Any]) -> list[str]:
    """Return their trade ids."""
    return [each.trade.trade_id for each in trades]


def lost(count: int) -> str:
    """Return the reason of a gap after the bot's number 2."""
    return f"{count} of the bot's trades after its number 2 are missing"


NOW = 1_700_100_000.0  # Unix seconds
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
            numbered([1, 2]), numbered([7], "b2"), "the bot restarted and forgot its trades", id="restarted"
        ),
    ],
)  # fmt: skip
def test_two_polls(first: BotReport, then: BotReport, why: str) -> None:
    """A second window joins the first, or the time between the two polls is a gap."""
    window = PollOverlap()
    assert window.check(first, None, 100.0, 100.1).gap is None
    gap = window.check(then, None, 103.0, 103.1).gap
    assert (gap.why if gap else "") == why
    if gap:
        assert (gap.start, gap.end) == (100, 103 + gap.end % 1)


def test_only_new_trades_are_returned() -> None:
    """Trades of the last window are not returned again; new ones come oldest first."""
    window = PollOverlap()
    assert ids(window.check(plain(1, 2), None, 1.0, 1.0).new) == ["t1", "t2"]
    assert ids(window.check(plain(4, 3, 2), None, 2.0, 2.0).new) == ["t3", "t4"]
    assert ids(window.check(plain(4, 3, 2), None, 3.0, 3.0).new) == []


def test_the_mark_carries_the_window_over_our_own_restart() -> None:
    """After a restart the check goes on as if there had been none, and a later sight of the window counts."""
    window = PollOverlap()
    window.check(plain(1, 2), None, 100.0, 100.0)
    again = PollOverlap(window.mark()[WINDOW_MARK], polled=400.0)
    checked = again.check(plain(3), None, 500.0, 500.0)
    assert checked.gap is not None
    assert checked.gap.start == 400
    assert PollOverlap(window.mark()[WINDOW_MARK]).check(plain(2, 3), None, 500.0, 500.0).gap is None


def test_a_window_without_trades_may_still_be_behind() -> None:
    """A bot whose earlier count is higher than the reported trades has lost trades that were not seen.

    In the same poll it may be ahead: its status is asked beside its trades, and it trades on.
    """
    window = PollOverlap()
    window.check(numbered([1]), BotStatusReading(boot_id="b1", seq=1), 1.0, 1.0)
    assert window.check(BotReport(), BotStatusReading(boot_id="b1", seq=3), 2.0, 2.0).gap is None
    gap = window.check(BotReport(), BotStatusReading(boot_id="b1", seq=3), 3.0, 3.0).gap
    assert gap is not None
    assert gap.why.startswith("2 of the bot's trades")


def test_trades_after_a_number() -> None:
    """Trades after our last number are taken if they join; else a whole window must be read."""
    window = PollOverlap()
    assert window.extend(numbered([1]), "b1", 1.0) is None, "nothing is known yet"
    window.check(numbered([1, 2]), None, 1.0, 1.0)
    news = window.extend(numbered([3, 4]), "b1", 2.0)
    assert news is not None
    assert ids(news) == ["t3", "t4"]
    assert window.extend(numbered([6]), "b1", 3.0) is None
    assert window.extend(numbered([5], "b2"), "b2", 3.0) is None
    assert window.check(numbered([3, 4, 5]), None, 4.0, 4.0).gap is None


def test_a_jump_names_the_number_to_ask_from() -> None:
    """So that a bot that keeps more than it shows can fill it."""
    window = PollOverlap()
    window.check(numbered([1, 2]), None, 1.0, 1.0)
    assert window.missing_after(numbered([3, 4]), None) == 0
    assert window.missing_after(numbered([7, 8]), None) == 2
    assert window.missing_after(numbered([3, 7, 8]), None) == 3


def test_only_the_newest_of_a_large_window_are_remembered() -> None:
    """The mark has two hundred of them, and an overlap is still known."""
    window = PollOverlap()
    window.check(plain(*range(300)), None, 1.0, 1.0)
    assert len(json.loads(window.mark()[WINDOW_MARK])["seen"]) == 200
    assert PollOverlap(window.mark()[WINDOW_MARK]).check(plain(*range(290, 600)), None, 2.0, 2.0).gap is None


def test_ids_of_long_polls_are_stored_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are stored while only the long poll works; beyond the bound the newer half stays, and joins a window."""
    monkeypatch.setattr("ingest.gaps.MAX_SEEN", 20)
    window = PollOverlap()
    window.check(numbered([1]), None, 1.0, 1.0)
    sizes = []
    for number in range(2, 24):
        assert window.extend(numbered([number]), "b1", 2.0) is not None
        sizes.append(len(window.run.seen))
    assert sizes == [*range(2, 21), 10, 11, 12]
    checked = window.check(numbered(range(14, 26)), None, 3.0, 3.0)
    assert (ids(checked.new), checked.gap) == (["t24", "t25"], None)


def counted(trades: int | None) -> BotStatusReading:
    """A status of a bot that counts its trades and does not number them."""
    return BotStatusReading(trades=trades)


def test_trades_kept_over_a_restart_are_not_new() -> None:
    """A bot that gives its old trades a new boot_id has restarted without a gap, and none of them is a new trade."""
    window = PollOverlap()
    window.check(numbered([1, 2], "b1"), None, 1.0, 1.0)
    result = window.check(numbered([1, 2, 3], "b2"), None, 2.0, 2.0)
    assert (ids(result.new), result.gap) == (["t3"], None)


def test_two_bots_at_one_address_make_one_gap() -> None:
    """Windows that come in turn belong to two bots: one gap at the first change, then each is followed by itself."""
    window = PollOverlap()
    windows = [numbered([1, 2], "b1"), numbered([51, 52], "b2")]
    results = [window.check(windows[turn % 2], None, float(turn), float(turn)) for turn in range(10)]
    assert [turn for turn, result in enumerate(results) if result.gap] == [1]
    assert sorted(name for result in results for name in ids(result.new)) == ["t1", "t2", "t51", "t52"]
    assert window.two_bots
    for turn in range(10, 40):
        window.check(windows[0], None, float(turn), float(turn))
    assert not window.two_bots


def test_two_bots_without_boot_ids_are_known_by_their_trades() -> None:
    """A window that shares a trade with an earlier run continues it."""
    window = PollOverlap()
    for turn in range(6):
        result = window.check(plain(1, 2) if turn % 2 == 0 else plain(51, 52), None, float(turn), float(turn))
        assert (result.gap is not None) == (turn == 1)
    assert window.two_bots


def test_a_loss_within_one_of_two_bots_is_still_a_gap() -> None:
    """The check of each run goes on while they alternate."""
    window = PollOverlap()
    for turn in range(4):
        window.check(numbered([1, 2], "b1") if turn % 2 == 0 else numbered([51, 52], "b2"), None, turn, turn)
    result = window.check(numbered([9], "b1"), None, 5.0, 5.0)
    assert result.gap is not None
    assert "after its number 2" in result.gap.why


@pytest.mark.parametrize(
    ("polls", "lost"),
    [
        pytest.param([(0, ()), (60, range(50)), (60, range(50))], 10, id="a burst larger than the window"),
        pytest.param([(0, ()), (2, (1,)), (2, (1, 2))], 0, id="status ahead of trades for one poll"),
        pytest.param([(0, ()), (1, (1, 2)), (2, (1, 2))], 0, id="trades ahead of status"),
        pytest.param([(5, (1, 2)), (5, (1, 2)), (6, (1, 2, 3))], 0, id="older trades than our start"),
        pytest.param([(3, (1, 2, 3)), (3, (2, 3, 4)), (3, (3, 4, 5))], 0, id="a count of the window alone"),
        pytest.param([(9, (1, 2)), (0, (1, 2)), (1, (1, 2, 3))], 0, id="a count that begins anew"),
        pytest.param([(None, ()), (None, (1,)), (None, (1,))], 0, id="no count"),
    ],
)  # fmt: skip
def test_the_bots_own_count_is_compared_with_what_was_read(
    polls: list[tuple[int | None, Iterable[int]]], lost: int
) -> None:
    """Trades that the bot counts in two polls and no window held are a gap."""
    window = PollOverlap()
    gaps = [
        window.check(plain(*numbers), counted(count), float(turn), float(turn)).gap
        for turn, (count, numbers) in enumerate(polls)
    ]
    found = [gap.why for gap in gaps if gap]
    assert found == ([f"the bot counts {polls[-1][0]} trades, {lost} more than were read"] if lost else [])


def test_unread_records_are_counted_once() -> None:
    """A record that could not be read is in the bot's count and has its own gap."""
    window = PollOverlap()
    window.check(plain(), counted(0), 0.0, 0.0)
    bad = read_trades(wire([trade(1), trade(2, price=65)]), NOW)
    assert window.check(bad, counted(2), 1.0, 1.0).gap is None
    assert window.check(bad, counted(2), 2.0, 2.0).gap is None


@pytest.mark.parametrize(("requested", "now"), [(1_700_000_600.0, 1_699_997_000.0), (1_700_000_600.0, 1_700_009_000.0)])
def test_a_gap_contains_what_was_lost_after_a_step_of_our_clock(requested: float, now: float) -> None:
    """`from` never lies after `to`, and the bot's own times widen the span."""
    window = PollOverlap()
    window.check(numbered([1]), None, requested, requested)
    gap = window.check(numbered([900]), None, now, now).gap
    assert gap is not None
    assert gap.start <= gap.end
    assert float(gap.start) <= min(requested, now)
    assert float(gap.end) >= max(requested, now, 1_700_000_900 if now < requested else 0)


def test_a_mark_of_version_0_1_joins() -> None:
    """Digests of the old mark include the boot_id; the trades that they stand for are not written again."""
    trades = numbered([1, 2]).trades
    mark = {"at": 5.0, "boot": "b1", "seq": 2, "seen": [trade_digest(each.trade, 1) for each in trades]}
    result = PollOverlap(json.dumps(mark)).check(numbered([1, 2, 3]), None, 6.0, 6.0)
    assert (ids(result.new), result.gap) == (["t3"], None)


def span(start: float, end: float, why: str = "why") -> GapSpan:
    """Return a gap."""
    return GapSpan(Decimal(str(start)), Decimal(str(end)), why)


def test_a_span_between_two_readings_of_a_clock() -> None:
    """To the microsecond, and never backwards."""
    assert GapSpan.between(5.0000004, 3.1, "why") == span(3.1, 5)
    assert GapSpan.between(3.1, 5.0000006, "why") == span(3.1, 5.000001)


def test_joined_spans_hold_all_between() -> None:
    """The reason of the first stays unless another is given."""
    assert span(1, 2, "one").joined(span(5, 6, "other")) == span(1, 6, "one")
    assert span(5, 6, "one").joined(span(1, 9, "other"), "both") == span(1, 9, "both")


def test_open_gaps_are_ordered_and_removed() -> None:
    """A gap that has grown takes the end of the order; the mark is written before gaps are removed."""
    gaps = OpenGaps()
    assert (len(gaps), gaps.mark()) == (0, {"holes": "[]"})
    for gap in (span(1, 2), span(3, 4), span(5, 6)):
        gaps.add(gap)
    gaps.add(span(1, 9), instead_of=span(1, 2))
    assert list(gaps) == [span(3, 4), span(5, 6), span(1, 9)]
    assert gaps.mark(without=[span(5, 6)]) == {"holes": '[[3,4,"why"],[1,9,"why"]]'}
    assert len(gaps) == 3
    gaps.remove([span(5, 6), span(7, 8)])
    assert list(gaps) == [span(3, 4), span(1, 9)]
    assert list(OpenGaps(gaps.mark()["holes"])) == list(gaps)


@pytest.mark.parametrize(
    ("moment", "covered"), [("8.999", False), ("9", True), ("15", True), ("21", True), ("21.001", False)]
)
def test_a_gap_covers_a_second_around_it(moment: str, covered: bool) -> None:
    """For two clocks may differ by as much."""
    gaps = OpenGaps()
    assert not gaps.covers(Decimal(moment))
    gaps.add(span(100, 101))
    gaps.add(span(10, 20))
    assert gaps.covers(Decimal(moment)) is covered


def test_the_oldest_of_too_many_gaps_are_merged() -> None:
    """200 stay open; the two oldest become one, with a reason of its own."""
    gaps = OpenGaps()
    for number in range(200):
        gaps.add(span(10 * number, 10 * number + 1))
    assert (len(gaps), list(gaps)[0]) == (200, span(0, 1))
    gaps.add(span(5000, 5001))
    assert len(gaps) == 200
    assert list(gaps)[:2] == [span(0, 11, "several gaps, merged because more than 200 were open"), span(20, 21)]
    assert list(gaps)[-1] == span(5000, 5001)


@pytest.mark.parametrize(("trades", "is_gap"), [(99, False), (100, True)])
def test_an_empty_window_that_comes_back_full_has_run_over(trades: int, is_gap: bool) -> None:
    """A hundred trades are full, unless another size is known."""
    for full, overlap in ((trades, PollOverlap()), (50, PollOverlap(full=50))):
        overlap.check(plain(), None, 1.0, 1.0)
        found = overlap.check(plain(*range(trades)), None, 2.0, 2.0)
        assert (found.gap is not None) is (is_gap or full == 50)
        assert len(found.new) == trades


def test_four_earlier_runs_of_a_bot_are_known() -> None:
    """A window of the fifth is a gap like that of any new run; 20 polls later two bots are no longer assumed."""
    overlap = PollOverlap()
    for run in range(6):
        overlap.check(numbered([100 * run + 1], f"b{run}"), None, float(run), float(run))
    assert not overlap.two_bots
    assert overlap.check(numbered([101], "b1"), None, 10.0, 10.0).gap is None
    for poll in range(20):
        assert overlap.two_bots
        overlap.check(numbered([101], "b1"), None, 11.0 + poll, 11.0 + poll)
    assert not overlap.two_bots
    assert overlap.check(numbered([1], "b0"), None, 50.0, 50.0).gap is not None


def test_the_mark_of_a_window_has_its_newest_trades() -> None:
    """200 of them, with the run, the number, the count and the time of the poll."""
    overlap = PollOverlap()
    overlap.check(numbered(range(1, 302)), BotStatusReading(boot_id="b1", trades=301), 7.0, 7.5)
    mark = json.loads(overlap.mark()[WINDOW_MARK])
    digests = [trade_digest(each.trade) for each in numbered(range(102, 302)).trades]
    assert mark == {"version": 2, "at": 7.0, "boot": "b1", "seq": 301, "count": 301, "seen": digests}


def test_a_digest_stands_for_the_content_of_a_trade() -> None:
    """Each of id, time, ticker, side, quantity, price and outcome counts; the bot's run counts in old marks alone."""
    one = numbered([1]).trades[0].trade
    other_run = numbered([1], "b2").trades[0].trade
    changes: dict[str, Any] = {
        "trade_id": "x", "timestamp": Decimal(5), "ticker": "X", "side": "SELL", "quantity": Decimal(9),
        "price": Decimal("0.01"), "outcome": "no",
    }  # fmt: skip
    digests = {trade_digest(replace(one, **{name: value})) for name, value in changes.items()}
    assert len(digests - {trade_digest(one)}) == 7
    assert trade_digest(one) == trade_digest(other_run)
    assert trade_digest(one, 1) != trade_digest(other_run, 1)
    assert len(trade_digest(one)) == 16


def test_a_long_poll_that_does_not_join_changes_nothing() -> None:
    """Without trades, of another run or behind a missing number: the next answer that joins is taken."""
    overlap = PollOverlap()
    overlap.check(numbered([1, 2]), None, 1.0, 1.0)
    for report, boot in (
        (numbered([]), "b1"),
        (numbered([3], "b2"), "b2"),
        (numbered([4]), "b1"),
        (numbered([2]), "b1"),
    ):
        assert overlap.extend(report, boot, 2.0) is None
    assert (overlap.run.seq, overlap.run.at) == (2, 1.0)
    found = overlap.extend(numbered([2, 3]), "b1", 3.0)
    assert found is not None
    assert (ids(found), overlap.run.seq, overlap.run.at) == (["t3"], 3, 3.0)


def test_a_report_that_joins_misses_nothing() -> None:
    """A report that joins the last one has missed nothing; one of another run and a first one prove nothing."""
    overlap = PollOverlap()
    assert overlap.missing_after(numbered([7]), None) == 0
    overlap.check(numbered([1, 2]), None, 1.0, 1.0)
    assert overlap.missing_after(numbered([7], "b2"), None) == 0
    assert overlap.missing_after(numbered([2]), None) == 0
    assert overlap.missing_after(BotReport(), BotStatusReading(boot_id="b1")) == 0


def test_trades_of_a_long_poll_are_not_new_in_the_next_window() -> None:
    """A bot that sends them once more, with or without its numbers, adds nothing."""
    window = PollOverlap()
    window.check(numbered([1, 2]), None, 1.0, 1.0)
    assert ids(window.extend(numbered([3, 4]), "b1", 2.0) or []) == ["t3", "t4"]
    assert window.extend(numbered([3, 4]), "b1", 2.5) is None
    result = window.check(numbered([2, 3, 4, 5]), None, 3.0, 3.0)
    assert (ids(result.new), result.gap) == (["t5"], None)
