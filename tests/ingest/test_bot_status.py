"""Online, offline, stalled: their changes, and polls without news."""

from decimal import Decimal
from typing import Any

import pytest

from ingest.bot_status import STALLED_AFTER, BotSnapshot, BotStatus, BotStatusReading, is_unhealthy
from tests.support.clock import Clock

GOOD = BotStatusReading()
OLD = BotStatusReading(loop_age=STALLED_AFTER + 1)
BETTER = BotStatusReading(loop_age=STALLED_AFTER - 1)
FRESH = BotStatusReading(loop_age=0.5)
PAPER = BotStatusReading(mode="paper")


@pytest.mark.parametrize(
    ("polls", "words"),
    [
        pytest.param([GOOD], ["online"], id="one answer is enough"),
        pytest.param([None], ["offline"], id="never answered: no waiting"),
        pytest.param([GOOD, GOOD], ["online", ""], id="nothing changes"),
        pytest.param([GOOD, None, GOOD], ["online", "", ""], id="one failed poll"),
        pytest.param([GOOD, None, None, None], ["online", "", "offline", ""], id="two are not"),
        pytest.param([GOOD, None, None, GOOD], ["online", "", "offline", "online"], id="and back"),
        pytest.param([GOOD, OLD, OLD], ["online", "stalled", ""], id="stalled"),
        pytest.param([OLD, BETTER, FRESH], ["stalled", "", "online"], id="stalled until it is clearly well"),
        pytest.param([BETTER], ["online"], id="not stalled before its time"),
        pytest.param([GOOD, PAPER], ["online", "online"], id="another mode is news"),
    ],
)
def test_a_story_of_polls(polls: list[BotStatusReading | None], words: list[str]) -> None:
    """The status after each poll that clients receive, "" for none."""
    bot = BotStatus(since=0.0)
    received = [bot.status if bot.note(poll, "no connection", 0, 1.0) else "" for poll in polls]
    assert received == words


def test_since_is_the_last_change_of_status() -> None:
    """Another mode or reason does not move it."""
    bot = BotStatus(since=0.0)
    bot.note(GOOD, "", 0, 5.0)
    bot.note(PAPER, "", 0, 9.0)
    assert (bot.since, bot.mode, bot.seen) == (5.0, "paper", True)


TEXT = '{"status":"online","activity":null,"since":5.0,"mode":"demo","reason":null,"trades":7}'


def test_a_status_survives_a_change_of_worker() -> None:
    """The next leader continues with the same status."""
    bot = BotStatus(since=0.0)
    bot.note(BotStatusReading(mode="demo", trades=7), "", 0, 5.0)
    after = BotStatus(since=99.0)
    after.resume(bot.data)
    assert after.data == bot.data == TEXT


KNOWN = BotStatus(since=1.0).data


def test_a_snapshot_is_text_and_back() -> None:
    """The text of the lease row becomes the same snapshot."""
    pulse = BotSnapshot(KNOWN, 1.5, 2.5, 3.5)
    assert BotSnapshot.load(pulse.dump()) == pulse


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "{}", "[" * 100_000, '{"status": "x", "polled": null, "swept": 1, "at": 1}',
        BotSnapshot("online").dump(), BotSnapshot('"online"').dump(), BotSnapshot('{"status":"online"}').dump(),
        BotSnapshot(KNOWN.replace("offline", "asleep")).dump(), BotSnapshot(KNOWN.replace("1.0", '"noon"')).dump(),
    ],
    ids=["nothing", "null", "empty", "deep", "no numbers", "no status", "a word", "half", "unknown word", "no time"],
)  # fmt: skip
def test_text_that_is_no_snapshot_is_none(text: str) -> None:
    """Text of another version or program gives None, and nothing is raised."""
    assert BotSnapshot.load(text) is None


@pytest.mark.parametrize(
    ("ages", "statuses"),
    [
        ([15.0, 15.001], ["online", "stalled"]),
        ([20.0, 7.501, 7.5, 15.0], ["stalled", "stalled", "online", "online"]),
    ],
)
def test_a_loop_that_does_not_turn_is_stalled(ages: list[float], statuses: list[str]) -> None:
    """After more than 15 seconds, until it is at most half of that; the reason names the limit."""
    bot = BotStatus(since=0.0)
    for age, status in zip(ages, statuses, strict=True):
        bot.note(BotStatusReading(loop_age=age, reason="fine"), "", 0, 1.0)
        assert (bot.status, bot.reason) == (
            status, "fine" if status == "online" else "answers, but its own loop has not turned for 15 s",
        )  # fmt: skip


def test_a_timestamp_that_stands_is_a_loop_that_does_not_turn() -> None:
    """Counted by our own clock since it last changed; a bot without one is not stalled, and an age of its own wins."""
    clock = Clock(100.0)
    bot = BotStatus(since=0.0, monotonic=clock)
    standing = BotStatusReading(loop_time=Decimal(5))
    for seconds, reading, status in (
        (0.0, standing, "online"),
        (15.0, standing, "online"),
        (0.1, standing, "stalled"),
        (0.0, BotStatusReading(loop_time=Decimal(5), loop_age=1.0), "online"),
        (0.0, BotStatusReading(loop_time=Decimal(6)), "online"),
        (99.0, BotStatusReading(), "online"),
        (99.0, BotStatusReading(), "online"),
    ):
        clock.now += seconds
        bot.note(reading, "", 0, 1.0)
        assert bot.status == status


def test_a_poll_leaves_what_it_found() -> None:
    """The bot's own count wins over that of its window; a failed poll keeps the last answer until the second."""
    bot = BotStatus(since=3.0)
    assert (bot.status, bot.reason, bot.seen, bot.mode) == ("offline", "not polled yet", False, None)
    assert bot.note(BotStatusReading(activity="trading", reason="fine"), "", 4, 5.0)
    assert (bot.trades, bot.mode, bot.activity, bot.reason, bot.failures) == (4, "live", "trading", "fine", 0)
    bot.note(BotStatusReading(activity="trading", reason="fine", trades=9, positions={"T": Decimal(1)}), "", 4, 6.0)
    assert (bot.trades, bot.positions, bot.since) == (9, {"T": 1}, 5.0)
    assert not bot.note(None, "no connection", 0, 7.0)
    assert (bot.status, bot.reason, bot.failures) == ("online", "fine", 1)
    assert bot.note(None, "no connection", 0, 8.0)
    assert (bot.status, bot.activity, bot.reason, bot.since) == ("offline", None, "no connection", 8.0)
    assert bot.note(None, "timeout", 0, 9.0)
    assert (bot.reason, bot.since, bot.failures) == ("timeout", 8.0, 3)


@pytest.mark.parametrize(
    ("status", "unhealthy"),
    [({"status": "online"}, False), ({"status": "online", "activity": "paused"}, False),
     ({"status": "online", "activity": "halted"}, True), ({"status": "online", "activity": "other"}, True),
     ({"status": "stalled", "activity": "trading"}, True), ({"status": "offline"}, True)],
)  # fmt: skip
def test_health_of_a_bot(status: dict[str, Any], unhealthy: bool) -> None:
    """A paused bot is well; one that is halted, refused, stopped or does something unknown is not."""
    assert is_unhealthy(status) is unhealthy


def test_a_snapshot_carries_positions() -> None:
    """By ticker, exact; none where the bot reports none."""
    snapshot = BotSnapshot(KNOWN, 1.5, 2.5, 3.5, {"T": Decimal("-1.5")})
    assert BotSnapshot.load(snapshot.dump()) == snapshot


def test_a_status_of_an_earlier_leader_is_taken_over() -> None:
    """With everything that a bot_status holds; one without a mode has none yet."""
    bot = BotStatus(since=0.0)
    bot.resume('{"status":"stalled","activity":"paused","since":5.5,"mode":null,"reason":"why","trades":7}')
    assert (bot.status, bot.activity, bot.mode, bot.reason, bot.since, bot.trades) == (
        "stalled", "paused", None, "why", 5.5, 7,
    )  # fmt: skip
    for wrong in ('"status":"asleep"', '"status":"online","mode":"fun"', '"status":"online","activity":"fun"'):
        with pytest.raises(ValueError, match="not a bot_status"):
            BotStatus(since=0.0).resume('{"mode":"live","since":1,"trades":1,"reason":null,' + wrong + "}")


def test_a_snapshot_before_the_first_poll_has_no_times() -> None:
    """A snapshot before the first poll has 0 for the times of polls and readings."""
    found = BotSnapshot.load(BotSnapshot(BotStatus(since=5.0).data).dump())
    assert found is not None
    assert (found.polled, found.swept, found.at, found.positions) == (0.0, 0.0, 0.0, None)
