"""Ends of streams over real sockets: a bye where one can be sent, and nothing left behind."""

import asyncio
import re
import time

import pytest

from streams.keepalive import KeepaliveSettings
from tests.support.eventually import eventually
from tests.support.pages import EPOCH
from tests.support.wire import Serve, has


async def test_shutdown_sends_bye_to_all(serve: Serve) -> None:
    """Idle, just opened, replaying: each gets bye and a clean end at once; a later stream too."""
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


async def test_events_published_before_the_end_are_sent(serve: Serve) -> None:
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
    assert re.match(rb"retry: \d{5}\n: Prediction Investor\nevent: bye\n", third.body)
    first[0].close()
    await eventually(lambda: len(list(server.hub.subscribers)) == 1)
    await (await server.open("trades")).until(lambda one: one.cursor)


async def test_age_ends_a_stream(serve: Serve) -> None:
    """MAX_STREAM_AGE, with a bye, so that a deploy looks like any other day."""
    server = await serve(keepalive=KeepaliveSettings(max_age=0.2))
    wire = await (await server.open("trades")).all()
    assert wire.named("bye") == ['{"reason":"age"}']
    assert wire.ended


async def test_a_reader_that_stalls_ends_alone(serve: Serve) -> None:
    """It is cut, its slot comes back, and the other misses nothing."""
    server = await serve(stall=0.3, queue_events=10)
    stalled = await server.open("trades", buffer=4096)
    well = await server.open("trades")
    await well.read()
    while not server.hub.stats.ends["slow"] and server.hub.position < 100_000:
        server.publish(200)
        await well.until(has(server.hub.position))
    assert len(list(server.hub.subscribers)) == 1
    assert well.seqs == list(range(1, server.hub.position + 1))
    # What it did get has no hole, and its cursor brings the rest.
    await stalled.all(within=20)  # the kernel gets CUT_SECONDS to close it
    assert stalled.seqs == list(range(1, len(stalled.seqs) + 1))
    back = await server.open("trades", cursor=stalled.cursor)
    await back.until(has(server.hub.position), within=20)
    seen = int(stalled.cursor.split("-")[1])
    assert back.seqs == list(range(seen + 1, server.hub.position + 1))


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
