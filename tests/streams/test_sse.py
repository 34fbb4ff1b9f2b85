"""The streams over real sockets: events of an open stream, with each way of writing and each parser."""

import asyncio
import json
import re
import time

import pytest

from streams.keepalive import KeepaliveSettings
from tests.support.pages import EPOCH, gap, trades
from tests.support.wire import Serve, has


async def test_first_bytes_leave_at_once(serve: Serve) -> None:
    """Headers, then one event with data: a jittered retry and, without a cursor, a heartbeat with the head as id."""
    server = await serve(kept=3)
    wire = await server.open("trades")
    await wire.until(lambda one: one.cursor)
    assert b"200 OK" in wire.head
    assert b"content-type: text/event-stream\r\n" in wire.head
    assert b"cache-control: no-store, no-transform\r\n" in wire.head
    assert b"x-accel-buffering: no\r\n" in wire.head
    assert re.fullmatch(
        rb"retry: \d+\n: Prediction Investor\nevent: heartbeat\nid: abcd1234-3\n"
        rb'data: {"timestamp":[0-9.]+,"head":"abcd1234-3"}\n\n',
        wire.body,
    )


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
    assert [message.name for message in wire.messages[1:]] == ["new_trades", "gap", "new_trades"]


async def test_status_comes_first_and_on_change(serve: Serve) -> None:
    """trading and status begin with the bot's status and get each change; trades does not."""
    server = await serve()
    server.hub.status('{"status":"online"}')
    wires = {name: await server.open(name) for name in ("trading", "status", "trades")}
    for wire in wires.values():
        await wire.read()
    server.hub.status('{"status":"offline"}')
    server.publish()
    statuses = ['{"status":"online"}', '{"status":"offline"}']
    await wires["trades"].until(has(1))
    await wires["trading"].until(has(1))
    await wires["status"].until(lambda one: len(one.named("bot_status")) == 2)
    assert wires["trading"].named("bot_status") == statuses
    assert wires["status"].named("bot_status") == statuses
    assert wires["trades"].named("bot_status") == []


async def test_status_stream_has_no_ids(serve: Serve) -> None:
    """A cursor is ignored there, of any form."""
    server = await serve(kept=3)
    server.hub.status("{}")
    wire = await server.open("status", cursor="nonsense")
    await wire.until(lambda one: one.named("bot_status"))
    assert json.loads(wire.named("heartbeat")[0])["head"] is None
    assert wire.cursor == ""
    assert not wire.named("reset")
    assert b"id:" not in wire.body


@pytest.mark.parametrize("name", ["trading", "trades", "portfolio", "status"])
async def test_heartbeats_name_the_last_cursor_put_on_the_connection(serve: Serve, name: str) -> None:
    """On all four, on time, with that cursor as id; head is what the reader must have by then."""
    server = await serve(kept=3, keepalive=KeepaliveSettings(heartbeat=0.05))
    wire = await server.open(name)
    await wire.until(lambda one: one.named("heartbeat"))
    server.publish()
    await wire.until(lambda one: len(one.named("heartbeat")) >= 3)
    heads = [json.loads(data)["head"] for data in wire.named("heartbeat")]
    assert heads[0] == (None if name == "status" else f"{EPOCH}-3")
    assert heads[-1] == (None if name == "status" else f"{EPOCH}-4")
    assert abs(json.loads(wire.named("heartbeat")[-1])["timestamp"] - time.time()) < 5
    ids = [message.last_id for message in wire.messages if message.name == "heartbeat"]
    assert ids == [head or "" for head in heads]


async def test_pings_keep_a_silent_stream_open(serve: Serve) -> None:
    """Comments that no page sees."""
    server = await serve(keepalive=KeepaliveSettings(ping=0.05))
    wire = await server.open("trades")
    await wire.until(lambda one: one.body.count(b":\n") >= 3)
    assert [message.name for message in wire.messages] == ["heartbeat"]


async def test_a_reader_that_pauses_loses_nothing(serve: Serve) -> None:
    """It stops reading for a while and goes on: queued, then written, in order."""
    server = await serve(stall=20, queue_events=5000, queue_bytes=1 << 26)
    wire = await server.open("trades", buffer=4096)
    await wire.read()
    for _ in range(60):
        server.publish(200)
        await asyncio.sleep(0.002)
    await wire.until(has(12_000), within=20)
    server.publish()
    await wire.until(has(12_001))
    assert wire.seqs == list(range(1, 12_002))
