"""Frames: what the wire carries, byte by byte."""

import json

import pytest

from streams.event import PING, bye, comment, entry_frames, frame, heartbeat
from tests.support.eventsource import Parser
from tests.support.pages import EPOCH, gap, trade, trades


def test_frame_is_name_id_data_and_a_blank_line() -> None:
    """An event has its lines in one order, the id only when given."""
    assert frame("new_trades", "{}", "e-1") == b"event: new_trades\nid: e-1\ndata: {}\n\n"
    assert frame("heartbeat", "{}") == b"event: heartbeat\ndata: {}\n\n"


@pytest.mark.parametrize("data", ["a\nb", "a\rb"], ids=["newline", "carriage return"])
def test_frame_refuses_a_second_line(data: str) -> None:
    """A line break inside data would end the line on the wire: refused, not repaired."""
    with pytest.raises(ValueError, match="one line"):
        frame("x", data)


def test_a_comment_is_part_of_the_next_event() -> None:
    """It ends in one newline: no block without data is sent, for clients that parse every block."""
    body = comment("hello") + PING + heartbeat(1.0, "e-7", "e-7", retry=2.0) + PING + PING + frame("x", "{}")
    blocks = body.split(b"\n\n")
    assert blocks.pop() == b""
    assert all(b"\ndata: " in block for block in blocks)
    assert [message.last_id for message in Parser().feed(body)] == ["e-7", "e-7"]


def test_a_heartbeat_has_its_head_as_id() -> None:
    """A reader cut before its first trade has a cursor in every client; without a cursor it has no id."""
    assert heartbeat(12.3456, "e-5", "e-5") == b'event: heartbeat\nid: e-5\ndata: {"timestamp":12.346,"head":"e-5"}\n\n'
    assert heartbeat(1.0, None, None) == b'event: heartbeat\ndata: {"timestamp":1.0,"head":null}\n\n'


def test_retry_is_jittered() -> None:
    """Readers do not return together: half to one and a half times the base, in milliseconds."""
    values = [int(frame("x", "{}", retry=2.0).split(b"\n")[0].removeprefix(b"retry: ")) for _ in range(300)]
    assert min(values) >= 1000
    assert max(values) <= 3000
    assert len(set(values)) > 50


def test_bye_names_its_reason_and_the_way_back() -> None:
    """The last event carries a retry and the reason."""
    parser = Parser()
    (message,) = parser.feed(bye("slow", 2.0))
    assert (message.name, json.loads(message.data)) == ("bye", {"reason": "slow"})
    assert parser.retry is not None


def test_trades_share_an_event_up_to_a_hundred() -> None:
    """250 trades of one source are three events; each has the cursor of its last trade."""
    messages = Parser().feed(b"".join(entry_frames(trades(1, 250), EPOCH)))
    assert [json.loads(message.data)["count"] for message in messages] == [100, 100, 50]
    assert [message.last_id for message in messages] == [f"{EPOCH}-100", f"{EPOCH}-200", f"{EPOCH}-250"]
    assert [one["seq"] for message in messages for one in json.loads(message.data)["trades"]] == list(range(1, 251))


def test_sources_and_kinds_are_not_mixed() -> None:
    """An event has one source; an entry of another kind is an event of its own, in its place."""
    entries = [trade(1), trade(2, "kalshi_api"), gap(3), trade(4)]
    messages = Parser().feed(b"".join(entry_frames(entries, EPOCH)))
    assert [message.name for message in messages] == ["new_trades", "new_trades", "gap", "new_trades"]
    assert [message.last_id for message in messages] == [f"{EPOCH}-{seq}" for seq in (1, 2, 3, 4)]
    assert json.loads(messages[1].data)["source"] == "kalshi_api"


def test_bodies_are_not_encoded_again() -> None:
    """The journal's text stands in the event as it is."""
    entry = trade(1)
    assert entry.body.encode() in entry_frames([entry], EPOCH)[0]
