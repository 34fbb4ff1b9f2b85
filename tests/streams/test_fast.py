"""The way past public ASGI: taken only where uvicorn is as we know it, and in order whatever the reader does."""

import asyncio
import socket
from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from streams import fast
from streams.chunk import Chunk
from streams.sse import StreamLimits
from tests.support.wire import served


async def receive() -> MutableMapping[str, Any]:
    """A server that we do not know."""
    return {"type": "http.disconnect"}


def known() -> Any:
    """A cycle as the feature test wants it."""
    cycle = RequestResponseCycle.__new__(RequestResponseCycle)
    cycle.chunked_encoding = True
    cycle.response_started = True
    cycle.response_complete = False
    cycle.disconnected = False
    written: list[bytes] = []
    cycle.flow = SimpleNamespace(write_paused=False)  # type: ignore[assignment]
    cycle.transport = SimpleNamespace(write=written.append, written=written)  # type: ignore[assignment]
    return cycle


def test_an_unknown_server_has_no_pipe() -> None:
    """Nor is it cut: the public way is all there is."""
    assert fast.pipe(receive) is None
    assert not fast.abort(receive)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunked_encoding", False), ("chunked_encoding", None), ("response_started", False),
        ("response_complete", True), ("disconnected", None), ("flow", None), ("transport", None),
        ("flow", SimpleNamespace(write_paused="no")),
    ],
)  # fmt: skip
def test_a_uvicorn_that_has_changed_has_no_pipe(name: str, value: object) -> None:
    """Each thing that the pipe leans on is looked at."""
    cycle = known()
    assert fast.pipe(cycle.receive) is not None
    setattr(cycle, name, value)
    assert fast.pipe(cycle.receive) is None


def test_a_chunk_is_framed_once_and_written_as_it_is() -> None:
    """The same bytes object for every reader."""
    first, second, chunk = known(), known(), Chunk(b"event: x\n\n" * 2, 2)
    for cycle in (first, second):
        pipe = fast.pipe(cycle.receive)
        assert pipe is not None
        assert pipe(chunk)
    assert first.transport.written == [b"14\r\nevent: x\n\nevent: x\n\n\r\n"]
    assert first.transport.written[0] is second.transport.written[0]


@pytest.mark.parametrize("state", ["paused", "disconnected"])
def test_a_pipe_refuses_when_send_would_wait_or_do_nothing(state: str) -> None:
    """Then the public way is taken, which waits."""
    cycle = known()
    pipe = fast.pipe(cycle.receive)
    assert pipe is not None
    if state == "paused":
        cycle.flow.write_paused = True
    else:
        cycle.disconnected = True
    assert not pipe(Chunk(b"x", 1))
    assert cycle.transport.written == []


Step = tuple[Literal["publish", "turn", "read", "status"], int]
STEPS = st.lists(
    st.tuples(st.sampled_from(["publish", "turn", "read", "status"]), st.sampled_from([1, 2, 400])),
    min_size=30, max_size=80,
)  # fmt: skip


@pytest.mark.parametrize("way", ["queue", "step", "write"])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_order_holds_whatever_the_reader_does(way: Any, steps: list[Step]) -> None:
    """A reader that reads in fits and starts over a small socket gets each entry once, in order, by every way."""
    asyncio.run(_in_fits_and_starts(way, steps))


async def _in_fits_and_starts(way: Any, steps: list[Step]) -> None:
    async with asyncio.timeout(30), served(StreamLimits(way=way, queue_size=10_000, queue_bytes=1 << 28)) as server:
        wire = await server.open("trading", buffer=4096)
        await wire.read()
        for what, count in steps:
            if what == "publish":
                server.publish(count)
            elif what == "status":
                server.hub.status(f'{{"n":{server.hub.said + 1}}}')
            elif what == "turn":
                await asyncio.sleep(0.002 if count > 2 else 0)
            elif server.hub.position > (wire.seqs or [0])[-1]:  # else nothing would come
                await wire.read()
        server.publish()
        await wire.until(lambda one: one.seqs[-1:] == [server.hub.position], within=20)
        assert wire.seqs == list(range(1, server.hub.position + 1))
        assert wire.named("bot_status") == [f'{{"n":{number}}}' for number in range(1, server.hub.said + 1)]


async def test_the_kernel_holds_little_for_a_reader() -> None:
    """The send buffer of a stream's socket is bounded, whoever made the listener; Linux doubles what is asked."""
    ours, theirs = socket.socketpair()
    cycle = known()
    cycle.transport.get_extra_info = {"socket": ours}.get
    with ours, theirs:
        assert fast.bound(cycle.receive, 10_000)
        assert 10_000 <= ours.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 20_000
    assert not fast.bound(cycle.receive, 10_000)  # gone: no error, its next write tells
    cycle.transport.get_extra_info = {}.get
    assert not fast.bound(cycle.receive, 10_000)
    assert not fast.bound(receive, 10_000)
