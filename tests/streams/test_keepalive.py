"""Heartbeats, pings and age by a clock moved by hand."""

import json

import pytest

from streams.event import PING
from streams.keepalive import Keepalive, KeepaliveSettings


def beats(keepalive: Keepalive, until: int) -> list[int]:
    """The seconds at which a heartbeat came, with one call a second."""
    return [now for now in range(until) if b"heartbeat" in keepalive.due(now, 0.0, None)]


def test_heartbeats_do_not_drift() -> None:
    """Every 30 s from the start, however late the last one was sent."""
    assert beats(Keepalive(KeepaliveSettings(heartbeat=30), 0), 121) == [30, 60, 90, 120]


def test_beats_missed_in_sleep_are_not_made_up_for() -> None:
    """One heartbeat after an hour's sleep, and the next in the old beat."""
    keepalive = Keepalive(KeepaliveSettings(heartbeat=30, ping=86400), 0)
    assert keepalive.due(3605, 0, None).count(b"heartbeat") == 1
    assert keepalive.due(3606, 0, None) == b""
    assert b"heartbeat" in keepalive.due(3630, 0, None)


def test_a_heartbeat_has_time_and_head() -> None:
    """The two facts by which a reader checks itself."""
    due = Keepalive(KeepaliveSettings(heartbeat=1, ping=100), 0).due(1, 12.3456, "e-5")
    assert due.startswith(b"event: heartbeat\nid: e-5\ndata: ")
    assert json.loads(due.splitlines()[2].removeprefix(b"data: ")) == {"timestamp": 12.346, "head": "e-5"}


def test_pings_are_at_most_so_far_apart() -> None:
    """For each of many streams, from its start on."""
    for _ in range(50):
        keepalive, last = Keepalive(KeepaliveSettings(heartbeat=1000, ping=15), 0.0), 0.0
        for tenth in range(0, 2000):
            if keepalive.due(tenth / 10, 0, None) == PING:
                assert tenth / 10 - last <= 15
                last = tenth / 10
        assert last > 180


@pytest.mark.parametrize("max_age", [None, 100.0])
def test_age_has_a_jitter_and_a_bound(max_age: float | None) -> None:
    """Streams opened together do not end together, and none is older than it may be."""
    keepalives = [Keepalive(KeepaliveSettings(max_age=max_age), 0) for _ in range(100)]
    assert not any(keepalive.is_over(79) for keepalive in keepalives)
    assert all(keepalive.is_over(100) for keepalive in keepalives) is (max_age is not None)
    if max_age is not None:
        assert 0 < sum(keepalive.is_over(90) for keepalive in keepalives) < 100


def test_sleeps_no_longer_than_until_the_next_thing() -> None:
    """And never a negative time."""
    keepalive = Keepalive(KeepaliveSettings(heartbeat=2, ping=15, max_age=1000), 0)
    assert keepalive.seconds(0) == 2
    assert keepalive.seconds(5) == 0


def test_jitter_stays_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ping comes after a half to 95 % of its interval, a stream ends after 80 to 100 % of its age."""
    for pick, ping, age in ((min, 5.0, 80.0), (max, 9.5, 100.0)):
        monkeypatch.setattr("random.uniform", lambda *bounds, pick=pick: pick(bounds))
        keepalive = Keepalive(KeepaliveSettings(heartbeat=1000, ping=10, max_age=100), 0)
        assert keepalive.next == ping
        assert keepalive.due(ping - 0.001, 0, None) == b""
        assert keepalive.due(ping, 0, None) == PING
        assert keepalive.next == ping + 9.5
        assert (keepalive.is_over(age - 0.001), keepalive.is_over(age)) == (False, True)


def test_a_ping_and_a_heartbeat_may_be_due_together() -> None:
    """Both are sent, the ping first; the next times follow the old schedule."""
    keepalive = Keepalive(KeepaliveSettings(heartbeat=30, ping=10), 0)
    due = keepalive.due(60, 1.0, "e-5")
    assert due.startswith(PING + b"event: heartbeat\nid: e-5\n")
    assert keepalive.seconds(60) <= 9.5
    assert keepalive.due(60, 1.0, "e-5") == b""


def test_intervals_by_default() -> None:
    """A heartbeat after 30 seconds, a ping after 15 at most, and no end by age."""
    keepalive = Keepalive(KeepaliveSettings(), 0)
    assert b"heartbeat" not in keepalive.due(29.9, 0, None)
    assert b"heartbeat" in keepalive.due(30, 0, None)
    assert not keepalive.is_over(1e9)
    assert KeepaliveSettings().ping == 15
