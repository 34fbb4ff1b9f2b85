"""Online, offline, stalled: their changes, and polls without news."""

import pytest

from ingest.bot_status import STALLED_AFTER, BotSnapshot, BotStatus, BotStatusReading

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
    """Text of another version or program is no snapshot, and nothing is raised."""
    assert BotSnapshot.load(text) is None
