"""Resuming over real sockets: each cursor brings exactly what was missed, or a reset."""

import asyncio
import json

import pytest

from journal.errors import JournalUnavailable
from streams.keepalive import KeepaliveSettings
from tests.support.eventually import eventually
from tests.support.pages import EPOCH, checked, trades
from tests.support.wire import Serve, has


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
    """epoch-0 brings the whole journal."""
    server = await serve(kept=3)
    wire = await server.open("trades", cursor=f"{EPOCH}-0")
    await wire.until(has(3))
    assert wire.seqs == [1, 2, 3]


async def test_a_cursor_at_the_head_misses_nothing(serve: Serve) -> None:
    """No replay, no reset; the journal is not read."""
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
async def test_an_unusable_cursor_gets_a_reset(serve: Serve, cursor: str, reason: str) -> None:
    """A reset has the reason and the head as id; the stream goes on live."""
    server = await serve(kept=3)
    wire = await server.open("trades?last_event_id=abcd1234-1", cursor=cursor)
    await wire.until(lambda one: one.named("reset"))
    assert json.loads(wire.named("reset")[0]) == {"reason": reason, "head": f"{EPOCH}-3"}
    assert wire.cursor == f"{EPOCH}-3"
    server.publish()
    await wire.until(has(4))
    assert wire.seqs == [4]


@pytest.mark.parametrize("name", ["last_event_id", "lastEventId", "Last-Event-ID"])
async def test_a_honoured_cursor_is_repeated(serve: Serve, name: str) -> None:
    """The first event is a heartbeat with the reader's own cursor as id: a cut before the first entry costs nothing."""
    server = await serve(kept=3)
    server.pages.held = asyncio.Event()
    wire = await server.open(f"trades?{name}={EPOCH}-1")
    await wire.read()
    (message,) = wire.messages
    assert (message.name, message.last_id) == ("heartbeat", f"{EPOCH}-1")
    assert message.json()["head"] == f"{EPOCH}-1"
    assert wire.body.count(b"retry: ") == 1
    server.pages.held.set()
    await wire.until(has(3))
    assert wire.seqs == [2, 3]


async def test_two_cursors_that_differ_are_malformed(serve: Serve) -> None:
    """Neither is taken for the right one: a reset comes first."""
    server = await serve(kept=3)
    wire = await server.open(f"trades?lastEventId={EPOCH}-1&last_event_id={EPOCH}-2")
    await wire.read()
    assert wire.messages[0].name == "reset"
    assert wire.messages[0].json()["reason"] == "malformed"


@pytest.mark.parametrize(
    ("cursor", "reason"),
    [
        ("2-0002", None), ("3-0003", None), ("3", None), ("5-0005", None),
        ("2-0003", "epoch"), ("3-ffff", "epoch"), ("5-0004", "epoch"), ("7-0007", "future"), ("0-0000", "epoch"),
    ],
)  # fmt: skip
async def test_a_check_that_does_not_fit_is_reset(serve: Serve, cursor: str, reason: str | None) -> None:
    """A cursor's check is compared with the entry: behind the hub, at its head, and ahead of it."""
    server = await serve(kept=0)
    server.pages.entries = checked(trades(1, 6))
    server.hub.publish(server.pages.entries[:3])
    wire = await server.open("trades", cursor=f"{EPOCH}-{cursor}")
    await wire.read()
    server.hub.publish(server.pages.entries[3:])
    if reason:
        assert wire.messages[0].json() == {"reason": reason, "head": f"{EPOCH}-3-0003"}
        await wire.until(has(6))
        assert wire.seqs == [4, 5, 6]
    else:
        assert (wire.messages[0].name, wire.messages[0].last_id) == ("heartbeat", f"{EPOCH}-{cursor}")
        await wire.until(has(6))
        assert wire.seqs == list(range(int(cursor[0]) + 1, 7))
    assert wire.cursor == f"{EPOCH}-6-0006"


@pytest.mark.parametrize("during", ["live", "replay"])
async def test_a_journal_that_went_back_resets_its_readers(serve: Serve, during: str) -> None:
    """Live and replaying readers get reset with the new head as id, and the stream goes on from there."""
    server = await serve(kept=10)
    server.pages.held = asyncio.Event() if during == "replay" else None
    wire = await server.open("trades", cursor=f"{EPOCH}-2" if during == "replay" else None)
    await wire.read()
    server.hub.reset("newepoch", 4)
    if server.pages.held:
        server.pages.held.set()
    await wire.until(lambda one: one.named("reset"))
    assert json.loads(wire.named("reset")[0]) == {"reason": "epoch", "head": "newepoch-4"}
    assert wire.cursor == "newepoch-4"
    server.hub.publish(trades(5, 5))
    await wire.until(has(5))
    assert wire.seqs == [5]
    assert wire.cursor == "newepoch-5"


async def test_a_silent_journal_does_not_delay_the_first_event_for_long(serve: Serve) -> None:
    """A cursor ahead of this worker is checked in the journal; after a second its reader gets a heartbeat anyway."""
    server = await serve(kept=3)
    server.pages.held = asyncio.Event()
    wire = await server.open("trades", cursor=f"{EPOCH}-5")
    await wire.until(lambda one: one.named("heartbeat"))
    server.pages.held.set()
    await wire.until(lambda one: one.named("reset"))
    assert json.loads(wire.named("reset")[0])["reason"] == "future"


async def test_an_empty_header_does_not_override_the_query(serve: Serve) -> None:
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


async def test_few_replay_at_once_and_the_rest_are_kept_awake(serve: Serve) -> None:
    """Readers that wait for their turn get heartbeats; then everybody gets all."""
    server = await serve(kept=50, keepalive=KeepaliveSettings(heartbeat=0.05))
    server.pages.held = asyncio.Event()
    wires = [await server.open("trades", cursor=f"{EPOCH}-10") for _ in range(12)]
    for wire in wires:
        await wire.until(lambda one: len(one.named("heartbeat")) >= 2)
        assert {json.loads(data)["head"] for data in wire.named("heartbeat")} == {f"{EPOCH}-10"}
    server.pages.held.set()
    for wire in wires:
        await wire.until(has(50))
        assert wire.seqs == list(range(11, 51))
    assert server.pages.most <= 4


async def test_a_journal_that_fails_ends_the_replay_and_keeps_the_cursor(serve: Serve) -> None:
    """Nothing is skipped: the stream ends with a bye, and the reader's cursor is good when it comes back."""
    server = await serve(kept=3000)
    wire = await server.open("trades", cursor=f"{EPOCH}-0")
    await wire.until(has(1))
    server.pages.fault = JournalUnavailable("the disk is full")
    server.publish(5000)
    await wire.all()
    assert wire.seqs == list(range(1, len(wire.seqs) + 1))
    assert len(wire.seqs) < 8000
    assert wire.named("bye") == ['{"reason":"away"}']
    assert wire.body.count(b"retry: ") == 2
    beat = wire.body.split(b"\n\n")[-3]
    assert beat.startswith(b"event: heartbeat\ndata: ")
    assert wire.ended
    server.pages.fault = None
    back = await server.open("trades", cursor=wire.cursor)
    await back.until(has(8000))
    assert wire.seqs + back.seqs == list(range(1, 8001))


async def test_a_missing_entry_ends_the_replay(serve: Serve) -> None:
    """A stored entry that is gone ends the replay; later entries are not sent as if nothing were missing."""
    server = await serve(kept=10)
    del server.pages.entries[5]
    wire = await (await server.open("trades", cursor=f"{EPOCH}-1")).all()
    assert 7 not in wire.seqs
    assert server.hub.stats.resumes["failed"] == 1
