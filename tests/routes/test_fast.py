"""The way of a whole answer past uvicorn's send(): taken only where it says the same bytes."""

import asyncio
import contextlib
import copy
import logging
import re
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import RequestResponseCycle as H11Cycle
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from cache.base import Answer
from routes import fast
from routes.response_headers import OUTGOING, ResponseHeaders
from routes.responses import JsonEndpoint
from tests.support.eventually import eventually

MOMENT = time.time() + 3600  # not yet, so that the age is 0 in each answer
VALUE = Answer({"balance": 10, "note": "é"}, "memory_cache", MOMENT)


async def ask(request: object) -> Answer:
    """The same answer for everybody."""
    return VALUE


reply = JsonEndpoint(ask)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """One endpoint, with the headers of every answer."""
    scope[OUTGOING] = ResponseHeaders(send)
    await reply(scope, receive, scope[OUTGOING])


@contextlib.asynccontextmanager
async def serving(http: Any, access_log: bool = False) -> AsyncIterator[int]:
    """A uvicorn in this loop; its port."""
    config = uvicorn.Config(app, port=0, http=http, lifespan="off", log_config=None, access_log=access_log)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def talk(port: int, requests: bytes, answers: int) -> bytes:
    """All that comes for these requests, up to that many answers or the end; the clock's header is taken out."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(requests)
    said = b""
    async with asyncio.timeout(5):
        while said.count(b"HTTP/1.1") < answers or not said.endswith((b"}", b"\r\n\r\n")):
            more = await reader.read(65536)
            if not more:
                said += b"<closed>"
                break
            said += more
    writer.close()
    return re.sub(rb"date: [^\r]*\r\n", b"", said)


GET = b"GET /x HTTP/1.1\r\nHost: a\r\n"
CASES = {
    "keep-alive": (GET + b"\r\n", 1),
    "close": (GET + b"Connection: close\r\n\r\n", 2),
    "http 1.0": (b"GET /x HTTP/1.0\r\n\r\n", 2),
    "three at once": ((GET + b"\r\n") * 3, 3),
    "after a 304": (GET + b"If-None-Match: *\r\n\r\n" + GET + b"\r\n", 2),
    "head": (b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    "a body nobody wants": (GET + b"Content-Length: 3\r\n\r\nabc" + GET + b"\r\n", 2),
    "expects 100": (GET + b"Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", 1),
}


@pytest.mark.parametrize("http", ["httptools", "h11"])
@pytest.mark.parametrize("name", CASES)
async def test_both_ways_say_the_same_bytes(monkeypatch: pytest.MonkeyPatch, name: str, http: str) -> None:
    """Whatever was asked, and however the connection goes on, no client can tell which way its answer came."""
    requests, answers = CASES[name]
    async with serving(http) as port:
        quick = await talk(port, requests, answers)
        monkeypatch.setitem(fast._alike, RequestResponseCycle, False)
        assert quick == await talk(port, requests, answers)
    assert b" 200 OK\r\n" in quick


async def test_the_quick_way_is_taken_under_httptools_and_not_under_h11(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the test above would compare the public way with itself."""
    monkeypatch.setattr(fast, "_alike", {})
    for http in ("httptools", "h11"):
        async with serving(http) as port:
            await talk(port, GET + b"\r\n", 1)
    assert fast._alike == {RequestResponseCycle: True, H11Cycle: False}


async def test_an_access_log_has_its_line(caplog: pytest.LogCaptureFixture) -> None:
    """uvicorn's send() writes it, so the public way is taken."""
    with caplog.at_level(logging.INFO, "uvicorn.access"):
        async with serving("httptools", access_log=True) as port:
            await talk(port, GET + b"\r\n", 1)
    assert '"GET /x HTTP/1.1" 200' in caplog.text


def fresh() -> Any:
    """A cycle that has not answered yet."""
    cycle = RequestResponseCycle.__new__(RequestResponseCycle)
    cycle.__init__(  # type: ignore[misc]
        {"type": "http", "method": "GET"}, SimpleNamespace(), SimpleNamespace(write_paused=False), None, None, False,
        [(b"date", b"now")], SimpleNamespace(), False, True, lambda: None,
    )  # fmt: skip
    return cycle


def test_the_feature_test_leaves_the_cycle_as_it_was() -> None:
    """It is the first visitor's own, and is answered after it."""
    cycle = fresh()
    before = copy.copy(vars(cycle))
    assert fast.alike(cycle)
    assert vars(cycle) == before


async def _one_more_header(self: Any, message: Any) -> None:
    if message["type"] == "http.response.start":
        message["headers"].append((b"x-new", b"1"))
    await SEND(self, message)


async def _one_more_flag(self: Any, message: Any) -> None:
    await SEND(self, message)
    self.finished_at = 1


async def _does_not_call_back(self: Any, message: Any) -> None:
    self.on_response = lambda: None
    await SEND(self, message)


async def _fails(self: Any, message: Any) -> None:
    raise AttributeError("gone in this version")


SEND = RequestResponseCycle.send


@pytest.mark.parametrize("changed", [_one_more_header, _one_more_flag, _does_not_call_back, _fails])
def test_a_uvicorn_that_has_changed_is_not_known(monkeypatch: pytest.MonkeyPatch, changed: Any) -> None:
    """One that writes more, keeps more, calls back differently or fails is given public ASGI."""
    assert fast.alike(fresh())
    monkeypatch.setattr(RequestResponseCycle, "send", changed)
    assert not fast.alike(fresh())


async def test_an_unknown_server_gets_public_asgi() -> None:
    """A send() that is no method of uvicorn's."""

    async def send(message: Any) -> None:
        """Some other server's."""

    assert not fast.answer(send, b"", b"")


@pytest.mark.parametrize(
    ("name", "value"),
    [("response_started", True), ("disconnected", True), ("flow", SimpleNamespace(write_paused=True))],
)
def test_it_refuses_when_send_would_wait_or_do_nothing(name: str, value: object) -> None:
    """Then the public way is taken, which waits."""
    cycle = fresh()
    assert fast.alike(cycle)
    setattr(cycle, name, value)
    assert not fast.answer(cycle.send, b"content-length: 0\r\n", b"")
