"""The hub without a loop: everybody gets each thing once, in order, from where it joined."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.event import Chunk, entry_frames, frame
from streams.hub import SLICE, Hub, NetworkStreams, OutOfOrder
from streams.subscriber import SendQueue, Subscriber, Wants
from tests.support.clock import Clock
from tests.support.pages import EPOCH, trade, trades

BOTH = Wants(entries=True, status=True)


class Turns:
    """A substitute for the loop: stores the callbacks and calls them on request."""

    def __init__(self) -> None:
        self.steps: deque[Callable[[], None]] = deque()

    def turn(self) -> bool:
        """One step; False when there was none."""
        if not self.steps:
            return False
        self.steps.popleft()()
        return True

    def run(self) -> None:
        """Until nothing is left to do."""
        while self.turn():
            pass


async def _send(message: Any) -> None:
    raise AssertionError("nothing is sent here")


def reader(
    hub: Hub, wants: Wants = BOTH, position: int | None = None, size: int = 1000, network: str = "local"
) -> Subscriber:
    """Return a stream that has joined, from the hub's position by default."""
    one = Subscriber("test", wants, network, 0.0, SendQueue(size, 1 << 20), _send, 20.0)
    assert hub.enter(one) is None
    one.position = hub.position if position is None else position
    hub.join(one)
    return one


def got(one: Subscriber) -> bytes:
    """All that waits for it."""
    return b"".join([chunk.body for chunk in one.queue.take_all()])


def wire(first: int, last: int) -> bytes:
    """Entries as single events."""
    return b"".join(entry_frames([trade(seq)], EPOCH)[0] for seq in range(first, last + 1))


@pytest.fixture
def turns() -> Turns:
    """A loop that turns on request."""
    return Turns()


@pytest.fixture
def hub(turns: Turns) -> Hub:
    """A hub whose journal ends at 10."""
    return Hub(EPOCH, 10, schedule=turns.steps.append)


@pytest.mark.parametrize("first", [10, 12, 1], ids=["again", "hole", "past"])
def test_an_entry_that_does_not_follow_is_refused(hub: Hub, first: int) -> None:
    """A gap or a repetition is the publisher's mistake and reaches no reader."""
    with pytest.raises(OutOfOrder, match="11 follows"):
        hub.publish([trade(first)])
    assert hub.position == 10


def test_publishing_nothing_is_nothing(hub: Hub, turns: Turns) -> None:
    """An empty batch starts no round."""
    hub.publish([])
    assert not turns.steps


def test_events_published_together_are_one_chunk(hub: Hub, turns: Turns) -> None:
    """Between two turns of the loop any number of events become one write for each reader."""
    one = reader(hub)
    for seq in range(11, 31):
        hub.publish([trade(seq)])
    turns.run()
    waiting = one.queue.take_all()
    assert len(waiting) == 1
    assert waiting[0].body == wire(11, 30)
    assert (waiting[0].events, waiting[0].last) == (20, 30)


def test_kinds_of_streams_get_what_they_want(hub: Hub, turns: Turns) -> None:
    """Entries only, status only, and both in the order they were published."""
    both, entries, status = reader(hub), reader(hub, Wants(True, False)), reader(hub, Wants(False, True))
    hub.publish([trade(11)])
    hub.status("{}")
    hub.publish([trade(12)])
    turns.run()
    expected = frame("bot_status", "{}")
    assert got(both) == wire(11, 11) + expected + wire(12, 12)
    assert got(entries) == wire(11, 12)
    assert got(status) == expected


def test_fan_out_goes_in_slices(hub: Hub, turns: Turns) -> None:
    """The loop turns after each 64 readers, so that a request waits for one slice and not for all."""
    readers = [reader(hub) for _ in range(3 * SLICE)]
    hub.publish([trade(11)])
    assert turns.turn()
    assert sum(len(one.queue) for one in readers) == SLICE
    assert turns.turn()
    assert sum(len(one.queue) for one in readers) == 2 * SLICE
    turns.run()
    assert all(got(one) == wire(11, 11) for one in readers)


def test_a_full_queue_ends_that_reader_alone(hub: Hub, turns: Turns) -> None:
    """The slow stream ends and its queue is dropped; the other has everything."""
    slow, well = reader(hub, size=2), reader(hub)
    for seq in range(11, 15):
        hub.publish([trade(seq)])
        turns.run()
    assert slow.ended == "slow"
    assert not len(slow.queue)
    assert got(well) == wire(11, 14)


def test_a_stream_that_left_gets_nothing(hub: Hub, turns: Turns) -> None:
    """Leaving works before and after joining and twice."""
    one = reader(hub)
    hub.leave(one)
    hub.leave(one)
    reader(hub)
    hub.publish([trade(11)])
    turns.run()
    assert not len(one.queue)
    assert len(list(hub.subscribers)) == 1


def test_a_status_is_stored_and_sent_once(hub: Hub, turns: Turns) -> None:
    """A later stream gets the last one when it joins, and not again from the round that still carries it."""
    reader(hub)
    hub.status("1")
    hub.status("2")
    late = reader(hub)
    turns.run()
    assert got(late) == frame("bot_status", "2")


def test_an_unchanged_status_is_sent_to_new_streams_only(hub: Hub, turns: Turns) -> None:
    """Open streams do not get it; it is the status that a new stream gets."""
    hub.status("1")
    early = reader(hub)
    got(early)
    hub.remember("2")
    turns.run()
    assert got(early) == b""
    assert hub.status_frame is not None
    assert hub.status_frame.body == frame("bot_status", "2")


def test_a_reader_ahead_of_the_hub(hub: Hub, turns: Turns) -> None:
    """It came from a faster worker with a cursor at 12: 11 and 12 are not sent again, 13 is."""
    ahead = reader(hub, Wants(True, False), position=12)
    hub.publish([trade(11)])
    turns.run()
    hub.publish(trades(12, 13))
    turns.run()
    hub.publish([trade(14)])
    turns.run()
    assert got(ahead) == wire(13, 14)


def test_closing_ends_all(hub: Hub) -> None:
    """Every stream gets the reason."""
    readers = [reader(hub), reader(hub)]
    hub.close("shutdown")
    assert hub.closed
    assert [one.ended for one in readers] == ["shutdown", "shutdown"]


def place(one: Subscriber) -> str:
    """Return the last id among the chunks that wait."""
    return [chunk.last_id for chunk in one.queue.take_all() if chunk.last_id][-1]


def test_a_reset_reaches_every_reader_of_entries(hub: Hub, turns: Turns) -> None:
    """Members and newcomers get it with the new head; what the old journal published last is not sent after it."""
    member, status = reader(hub), reader(hub, Wants(False, True))
    hub.publish([trade(11)])
    turns.run()
    hub.status("{}")
    newcomer = reader(hub)
    hub.publish(trades(12, 13))
    hub.reset("newepoch", 4)
    assert (hub.epoch, hub.position, hub.head) == ("newepoch", 4, "newepoch-4")
    hub.publish([trade(5)])
    turns.run()
    for one in (member, newcomer):
        body = got(one)
        assert body.count(b'event: reset\nid: newepoch-4\ndata: {"reason":"epoch","head":"newepoch-4"}\n\n') == 1
        assert body.endswith(entry_frames([trade(5)], "newepoch")[0])
        assert b'"seq":12' not in body
    assert b"reset" not in got(status)


def test_a_reset_does_not_lose_a_status(hub: Hub, turns: Turns) -> None:
    """A status whose round had not reached every reader is sent again."""
    readers = [reader(hub, Wants(False, True)) for _ in range(2 * SLICE)]
    hub.status("7")
    turns.turn()
    hub.reset("newepoch", 0)
    turns.run()
    assert all(got(one).endswith(frame("bot_status", "7")) for one in readers)


def test_a_full_hub_displaces_the_largest_network(turns: Turns) -> None:
    """A new stream of a smaller network gets the place of the largest network's newest stream."""
    hub = Hub(EPOCH, 0, max_streams=4, schedule=turns.steps.append)
    crowd = [reader(hub, network="crowd") for _ in range(3)]
    other = reader(hub, network="other")
    late = reader(hub, network="late")
    assert [one.ended for one in crowd] == [None, None, "full"]
    assert set(hub.subscribers) == {*crowd[:2], other, late}


def test_a_full_hub_refuses_the_largest_network(turns: Turns) -> None:
    """A network with the most streams, or as many as any other, displaces none."""
    hub = Hub(EPOCH, 0, max_streams=4, schedule=turns.steps.append)
    readers = [reader(hub, network=name) for name in ("a", "a", "b", "b")]
    one = Subscriber("test", BOTH, "b", 0.0, SendQueue(5, 1 << 20), _send, 20.0)
    assert hub.enter(one) == "full"
    assert not any(other.ended for other in readers)
    hub.leave(readers[0])
    assert hub.enter(one) is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcd")), max_size=40), st.sampled_from("abcde"))
def test_the_largest_network_is_that_of_a_count(steps: list[tuple[bool, str]], newcomer: str) -> None:
    """After any additions and removals the displaced stream is the newest of a network that holds most."""
    streams, held = NetworkStreams(), list[Subscriber]()
    for is_added, network in steps:
        if is_added:
            held.append(Subscriber("test", BOTH, network, 0.0, SendQueue(5, 1 << 20), _send, 20.0))
            streams.add(held[-1])
        elif held:
            streams.remove(held[0])
            streams.remove(held.pop(0))
    counts = Counter(one.network for one in held)
    most, found = max(counts.values(), default=0), streams.displaced_by(newcomer)
    if most <= counts[newcomer]:
        assert found is None
    else:
        assert found is not None
        assert counts[found.network] == most
        assert found is [one for one in held if one.network == found.network][-1]


@given(st.lists(st.sampled_from(["publish", "many", "status", "join", "leave", "turn", "take"]), max_size=60))
def test_each_reader_gets_each_entry_once_in_order(steps: list[str]) -> None:
    """In any order of publishing, joining, leaving and turning no reader misses or repeats anything."""
    turns = Turns()
    hub = Hub(EPOCH, 0, schedule=turns.steps.append)
    joined: list[tuple[Subscriber, int, int, list[Chunk]]] = []
    for step in steps:
        if step in ("publish", "many"):
            hub.publish(trades(hub.position + 1, hub.position + (1 if step == "publish" else 450)))
        elif step == "status":
            hub.status(str(hub.status_number + 1))
        elif step == "join":
            joined.append((reader(hub), hub.position, max(hub.status_number, 1), []))
        elif step == "leave" and joined:
            hub.leave(joined.pop(0)[0])
        elif step == "turn":
            turns.turn()
        elif step == "take":
            for one, _, _, taken in joined:
                taken += one.queue.take_all()
    turns.run()
    for one, position, expected, taken in joined:
        body = b"".join([chunk.body for chunk in [*taken, *one.queue.take_all()]])
        seqs = [int(part.split(b",")[0]) for part in body.split(b'"seq":')[1:]]
        assert seqs == list(range(position + 1, hub.position + 1))
        words = [int(part.split(b"\n")[0]) for part in body.split(b"event: bot_status\ndata: ")[1:]]
        assert words == list(range(expected, hub.status_number + 1))


async def test_runs_on_the_loop_it_is_called_on(hub: Hub) -> None:
    """Without a scheduler of its own it uses the running loop."""
    live = Hub(EPOCH, 0)
    one = reader(live)
    live.publish([trade(1)])
    await asyncio.sleep(0)
    assert got(one) == wire(1, 1)


def test_a_large_publication_goes_out_in_parts(hub: Hub, turns: Turns) -> None:
    """200 entries each, so that the loop turns between them."""
    one = reader(hub)
    hub.publish([replace(trade(seq), body=f'{{"seq":{seq},"x":"{"x" * 400}"}}') for seq in range(11, 461)])
    assert hub.position == 460
    turns.run()
    assert [chunk.last for chunk in one.queue.take_all()] == [210, 410, 460]


@pytest.mark.parametrize(("size", "chunks"), [(32768, 1), (32769, 2)])
def test_a_round_joins_what_a_connection_may_hold(hub: Hub, turns: Turns, size: int, chunks: int) -> None:
    """64 KiB at most in one chunk; one event alone may be larger."""
    one = reader(hub)
    frame_size = len(frame("bot_status", ""))
    hub.status("x" * (size - frame_size))
    hub.status("x" * (32768 - frame_size))
    hub.status("x" * 70000)
    turns.run()
    sizes = [len(chunk.body) for chunk in one.queue.take_all()]
    assert len(sizes) == chunks + 1
    assert sum(sizes[:chunks]) == size + 32768


def test_the_hub_counts_its_streams_and_events(turns: Turns) -> None:
    """Streams opened, events and bytes sent to idle readers; what waits in a queue is counted when it is sent."""
    clock = Clock()
    hub = Hub(EPOCH, 0, max_streams=2, clock=clock, schedule=turns.steps.append)
    assert not hub.full
    one, _ = reader(hub), reader(hub)
    assert hub.full
    assert hub.stats.opened == 2
    hub.publish([trade(1)])
    turns.run()
    assert (hub.stats.events, hub.stats.bytes) == (0, 0)
    assert one.queue.take_all()[0].born == 1000.0
    hub.leave(one)
    assert not hub.full


def test_a_closed_hub_opens_no_stream(hub: Hub) -> None:
    """A stream that opens after the end receives the reason, and is not counted."""
    one = Subscriber("test", BOTH, "local", 0.0, SendQueue(5, 1 << 20), _send, 20.0)
    hub.close()
    assert hub.enter(one) == "shutdown"
    assert list(hub.subscribers) == []


def test_a_reset_without_a_status_sends_none(hub: Hub, turns: Turns) -> None:
    """A reader of the status alone gets nothing; readers of entries continue after the new head."""
    both, status = reader(hub), reader(hub, Wants(False, True))
    hub.reset("newepoch", 4, "abcd")
    assert hub.head == "newepoch-4-abcd"
    assert got(status) == b""
    assert (both.position, status.position) == (4, None)
    assert got(both) == frame("reset", '{"reason":"epoch","head":"newepoch-4-abcd"}', "newepoch-4-abcd")
    hub.publish(trades(5, 6))
    hub.status("1")
    turns.run()
    assert got(status) == frame("bot_status", "1")
    assert got(both).endswith(frame("bot_status", "1"))


def test_a_status_after_a_reset_is_new(hub: Hub, turns: Turns) -> None:
    """Each reader gets the status once with the reset and the next one once."""
    hub.status("1")
    one = reader(hub)
    got(one)
    hub.status("2")
    hub.reset("newepoch", 0)
    hub.status("3")
    turns.run()
    statuses = [part.split(b"\n")[0] for part in got(one).split(b"event: bot_status\ndata: ")[1:]]
    assert statuses == [b"2", b"3"]


def test_the_place_of_a_network_is_free_when_its_last_stream_leaves(turns: Turns) -> None:
    """A network without streams displaces one of the largest again, and is not counted."""
    hub = Hub(EPOCH, 0, max_streams=2, schedule=turns.steps.append)
    first, _ = reader(hub, network="a"), reader(hub, network="b")
    hub.leave(first)
    late = reader(hub, network="b")
    other = reader(hub, network="c")
    assert late.ended == "full"
    assert set(hub.subscribers) >= {other}
    assert len(list(hub.subscribers)) == 2
