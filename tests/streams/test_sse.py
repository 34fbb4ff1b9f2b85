"""The streams over real sockets, by each way of writing, with each of uvicorn's two parsers."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from journal.errors import JournalUnavailable
from streams.rhythm import Pace
from streams.sse import Limits
from tests.support.eventually import eventually
from tests.support.pages import EPOCH, gap, trades
from tests.support.wire import Served, Wire, served

Serve = Callable[..., Awaitable[Served]]


@pytest.fixture(params=["queue-httptools", "step-h11", "write-httptools"])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Makes a server; each test that uses it runs once for each way of writing."""
    way, http = request.param.split("-")
    async with contextlib.AsyncExitStack() as stack:

        async def make(kept: int = 0, max_streams: int = 1000, **options: Any) -> Served:
            limits = Limits(way=way, **options)
            return await stack.enter_async_context(served(limits, kept, max_streams, http))

        yield make


def has(last: int) -> Callable[[Wire], bool]:
    """Whether the entry with this seq has come."""
    return lambda wire: bool(wire.seqs) and wire.seqs[-1] >= last


async def test_first_bytes_leave_at_once(serve: Serve) -> None:
    """Headers, a jittered retry, a comment, and on a connection without a cursor the head as an id."""
    server = await serve(kept=3)
    wire = await server.open("trades")
    await wire.until(lambda one: one.cursor)
    assert b"200 OK" in wire.head
    assert b"content-type: text/event-stream\r\n" in wire.head
    assert b"cache-control: no-store, no-transform\r\n" in wire.head
    assert b"x-accel-buffering: no\r\n" in wire.head
    assert re.fullmatch(rb"retry: \d+\n: [^\n]+\n\nid: abcd1234-3\n\n", wire.body)


async def test_head_answers_headers_only(serve: Serve) -> None:
    """HEAD has the headers of GET, no body, and takes no slot."""
    server = await serve()
    wire = await server.open("trading", method="HEAD")
    assert b"content-type: text/event-stream" in wire.head
    assert not list(server.hub.subscribers)
    assert server.hub.stats.opened == 0


async def test_live_entries_come_once_in_order(serve: Serve) -> None:
    """Everything published, to several readers, alone and in bursts."""
    server = await serve()
    wires = [await server.open("trades") for _ in range(3)]
    for count in (1, 1, 30, 1, 450, 2):
        server.publish(count)
        await asyncio.sleep(0)
    for wire in wires:
        await wire.until(has(485))
        assert wire.seqs == list(range(1, 486))
        assert wire.cursor == f"{EPOCH}-485"


async def test_a_gap_is_an_event_of_its_own(serve: Serve) -> None:
    """Between trades, in its place, with its id."""
    server = await serve()
    wire = await server.open("trading")
    server.hub.publish([*trades(1, 2), gap(3), *trades(4, 4)])
    await wire.until(has(4))
    assert [message.name for message in wire.messages] == ["new_trades", "gap", "new_trades"]


@pytest.mark.parametrize("by", ["header", "query"])
async def test_a_returning_reader_gets_what_it_missed(serve: Serve, by: str) -> None:
    """From the journal in pages, then live, while publishing goes on: each once, in order."""
    server = await serve(kept=5000)
    cursor = f"{EPOCH}-2"
    if by == "header":
        wire = await server.open("trades", cursor=cursor)
    else:
        wire = await server.open(f"trades?last_event_id={cursor}")
    for _ in range(20):
        server.publish(3)
        await wire.read()
    await wire.until(has(5060))
    assert wire.seqs == list(range(3, 5061))
    assert not wire.named("reset")


async def test_seq_0_is_the_beginning(serve: Serve) -> None:
    """epoch-0 asks for the whole journal."""
    server = await serve(kept=3)
    wire = await server.open("trades", cursor=f"{EPOCH}-0")
    await wire.until(has(3))
    assert wire.seqs == [1, 2, 3]


async def test_a_cursor_at_the_head_misses_nothing(serve: Serve) -> None:
    """No replay, no reset, no id-only frame; the journal is not asked."""
    server = await serve(kept=3)
    wire = await server.open("trades", cursor=f"{EPOCH}-3")
    await wire.read()
    server.publish()
    await wire.until(has(4))
    assert wire.seqs == [4]
    assert server.pages.reads == 0
    assert server.hub.stats.resumes == {"current": 1}


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("other123-2", "epoch"),
        (f"{EPOCH}-4", "future"),
        (f"{EPOCH}--1", "malformed"),
        ("nonsense", "malformed"),
        ("\xe9\xff", "malformed"),
        ("x" * 10_000, "malformed"),
    ],
    ids=["epoch", "future", "negative", "garbage", "not ascii", "10 kB"],
)
async def test_a_cursor_that_cannot_be_honoured_is_answered(serve: Serve, cursor: str, reason: str) -> None:
    """A reset says why and gives the head as id; the stream goes on live."""
    server = await serve(kept=3)
    wire = await server.open("trades?last_event_id=abcd1234-1", cursor=cursor)
    await wire.until(lambda one: one.named("reset"))
    assert json.loads(wire.named("reset")[0]) == {"reason": reason, "head": f"{EPOCH}-3"}
    assert wire.cursor == f"{EPOCH}-3"
    server.publish()
    await wire.until(has(4))
    assert wire.seqs == [4]


async def test_an_empty_header_leaves_the_query_its_say(serve: Serve) -> None:
    """Last-Event-ID without a value is none."""
    server = await serve(kept=3)
    wire = await server.open(f"trades?last_event_id={EPOCH}-1", cursor="")
    await wire.until(has(3))
    assert wire.seqs == [2, 3]


async def test_a_cursor_of_a_faster_worker_is_honoured(serve: Serve) -> None:
    """The journal has it though this hub does not yet: no reset, and nothing twice when the hub comes to it."""
    server = await serve(kept=3)
    server.pages.entries += trades(4, 6)
    wire = await server.open("trades", cursor=f"{EPOCH}-5")
    await wire.read()
    await eventually(lambda: server.hub.stats.resumes["current"])
    server.hub.publish(trades(4, 6))
    await wire.until(has(6))
    assert wire.seqs == [6]
    assert not wire.named("reset")


async def test_status_comes_first_and_on_change(serve: Serve) -> None:
    """trading and status begin with the bot's status and hear each change; trades does not."""
    server = await serve()
    server.hub.status('{"status":"online"}')
    wires = {name: await server.open(name) for name in ("trading", "status", "trades")}
    for wire in wires.values():
        await wire.read()
    server.hub.status('{"status":"offline"}')
    server.publish()
    said = ['{"status":"online"}', '{"status":"offline"}']
    await wires["trades"].until(has(1))
    await wires["trading"].until(has(1))
    await wires["status"].until(lambda one: len(one.messages) == 2)
    assert wires["trading"].named("bot_status") == said
    assert wires["status"].named("bot_status") == said
    assert wires["trades"].named("bot_status") == []


async def test_status_stream_has_no_ids(serve: Serve) -> None:
    """A cursor is ignored there, whatever it says."""
    server = await serve(kept=3)
    server.hub.status("{}")
    wire = await server.open("status", cursor="nonsense")
    await wire.until(lambda one: one.messages)
    assert wire.cursor == ""
    assert not wire.named("reset")
    assert b"id:" not in wire.body


@pytest.mark.parametrize("name", ["trading", "trades", "portfolio", "status"])
async def test_heartbeats_name_the_last_cursor_put_on_the_connection(serve: Serve, name: str) -> None:
    """On all four, on time, without an id; head is what the reader must have by then."""
    server = await serve(kept=3, pace=Pace(heartbeat=0.05))
    wire = await server.open(name)
    await wire.until(lambda one: one.named("heartbeat"))
    server.publish()
    await wire.until(lambda one: len(one.named("heartbeat")) >= 3)
    heads = [json.loads(data)["head"] for data in wire.named("heartbeat")]
    assert heads[0] == (None if name == "status" else f"{EPOCH}-3")
    assert heads[-1] == (None if name == "status" else f"{EPOCH}-4")
    assert abs(json.loads(wire.named("heartbeat")[-1])["timestamp"] - time.time()) < 5


async def test_pings_keep_a_silent_stream_open(serve: Serve) -> None:
    """Comments that no page sees."""
    server = await serve(pace=Pace(ping=0.05))
    wire = await server.open("trades")
    await wire.until(lambda one: one.body.count(b"\n:\n\n") >= 3)
    assert wire.messages == []


async def test_shutdown_says_bye_to_all(serve: Serve) -> None:
    """Idle, just opened, replaying: each gets bye and a clean end at once; who comes later too."""
    server = await serve(kept=10)
    wires = [await server.open("trading") for _ in range(50)]
    server.pages.held = asyncio.Event()
    wires += [await server.open("trades", cursor=f"{EPOCH}-2") for _ in range(10)]
    for wire in wires:
        await wire.read()
    begun = time.monotonic()
    server.hub.close("shutdown")
    for wire in wires:
        await wire.all()
        assert wire.named("bye") == ['{"reason":"shutdown"}']
        assert wire.ended
    assert time.monotonic() - begun < 2
    late = await (await server.open("trades")).all()
    assert late.named("bye") == ['{"reason":"shutdown"}']
    assert b"retry: " in late.body


async def test_what_was_published_before_the_end_still_comes(serve: Serve) -> None:
    """Entries that wait when the hub closes leave before the bye."""
    server = await serve()
    wire = await server.open("trades")
    await wire.read()
    server.publish(5)
    await asyncio.sleep(0)
    server.hub.close("shutdown")
    await wire.all()
    assert wire.seqs == [1, 2, 3, 4, 5]
    assert wire.messages[-1].name == "bye"


async def test_full_answers_200_and_bye(serve: Serve) -> None:
    """A 503 would stop a browser for ever; a slot that comes back can be taken."""
    server = await serve(max_streams=2)
    first = [await server.open("trades") for _ in range(2)]
    for wire in first:
        await wire.read()
    third = await (await server.open("trades")).all()
    assert b"200 OK" in third.head
    assert third.named("bye") == ['{"reason":"full"}']
    assert re.match(rb"retry: \d{5}\n", third.body)
    first[0].close()
    await eventually(lambda: len(list(server.hub.subscribers)) == 1)
    await (await server.open("trades")).until(lambda one: one.cursor)


async def test_age_ends_a_stream(serve: Serve) -> None:
    """MAX_STREAM_AGE, with a bye, so that a deploy looks like any other day."""
    server = await serve(pace=Pace(max_age=0.2))
    wire = await (await server.open("trades")).all()
    assert wire.named("bye") == ['{"reason":"age"}']
    assert wire.ended


async def test_a_reader_that_stalls_ends_alone(serve: Serve) -> None:
    """It is cut, its slot comes back, and the other misses nothing."""
    server = await serve(stall=0.3, queue_size=10)
    stalled = await server.open("trades", buffer=4096)
    well = await server.open("trades")
    await well.read()
    while not server.hub.stats.ends["slow"] and server.hub.position < 100_000:
        server.publish(200)
        await well.until(has(server.hub.position))
    assert len(list(server.hub.subscribers)) == 1
    assert well.seqs == list(range(1, server.hub.position + 1))
    # What it did get has no hole, and its cursor brings the rest.
    await stalled.all()
    assert stalled.seqs == list(range(1, len(stalled.seqs) + 1))
    back = await server.open("trades", cursor=stalled.cursor)
    await back.until(has(server.hub.position), within=20)
    seen = int(stalled.cursor.partition("-")[2])
    assert back.seqs == list(range(seen + 1, server.hub.position + 1))


async def test_a_reader_that_pauses_loses_nothing(serve: Serve) -> None:
    """It stops reading for a while and goes on: queued, then written, in order."""
    server = await serve(stall=20, queue_size=5000, queue_bytes=1 << 26)
    wire = await server.open("trades", buffer=4096)
    await wire.read()
    for _ in range(60):
        server.publish(200)
        await asyncio.sleep(0.002)
    await wire.until(has(12_000), within=20)
    server.publish()
    await wire.until(has(12_001))
    assert wire.seqs == list(range(1, 12_002))


@pytest.mark.parametrize("after", ["headers", "opening", "live", "unread", "replay"])
async def test_leaving_leaves_nothing_behind(serve: Serve, after: str) -> None:
    """At whatever moment a reader goes: no slot, no task, no place at the journal's door."""
    server = await serve(kept=20)
    before = len(asyncio.all_tasks())
    server.pages.held = asyncio.Event() if after == "replay" else None
    for _ in range(6):
        wire = await server.open("trades", cursor=f"{EPOCH}-1" if after == "replay" else None)
        if after != "headers":
            await wire.read()
        if after == "live":
            server.publish()
            await wire.until(has(server.hub.position))
        if after == "unread":
            server.publish(1000)
        wire.close()
    await server.empty()
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
    server.pages.held = None
    back = await server.open("trades", cursor=f"{EPOCH}-1")
    await back.until(has(server.hub.position))


async def test_few_replay_at_once_and_the_rest_are_kept_awake(serve: Serve) -> None:
    """Readers that wait for their turn get heartbeats; then everybody gets all."""
    server = await serve(kept=50, pace=Pace(heartbeat=0.05))
    server.pages.held = asyncio.Event()
    wires = [await server.open("trades", cursor=f"{EPOCH}-10") for _ in range(12)]
    for wire in wires:
        await wire.until(lambda one: one.named("heartbeat"))
        assert json.loads(wire.named("heartbeat")[0])["head"] == f"{EPOCH}-10"
    server.pages.held.set()
    for wire in wires:
        await wire.until(has(50))
        assert wire.seqs == list(range(11, 51))
    assert server.pages.most <= 4


async def test_a_journal_that_fails_ends_the_replay_and_keeps_the_cursor(serve: Serve) -> None:
    """Nothing is skipped: the stream ends with a retry, and the reader's cursor is good when it comes back."""
    server = await serve(kept=3000)
    wire = await server.open("trades", cursor=f"{EPOCH}-0")
    await wire.until(has(1))
    server.pages.fault = JournalUnavailable("the disk is full")
    server.publish(5000)
    await wire.all()
    assert wire.seqs == list(range(1, len(wire.seqs) + 1))
    assert len(wire.seqs) < 8000
    assert not wire.named("bye")
    assert wire.body.count(b"retry: ") == 2
    assert wire.ended
    server.pages.fault = None
    back = await server.open("trades", cursor=wire.cursor)
    await back.until(has(8000))
    assert wire.seqs + back.seqs == list(range(1, 8001))


async def test_a_journal_with_a_hole_is_not_papered_over(serve: Serve) -> None:
    """An entry that was told and is gone ends the replay; the others are not shown as if nothing were missing."""
    server = await serve(kept=10)
    del server.pages.entries[5]
    wire = await (await server.open("trades", cursor=f"{EPOCH}-1")).all()
    assert 7 not in wire.seqs
    assert server.hub.stats.resumes["failed"] == 1
