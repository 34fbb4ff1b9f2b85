"""Bounds of a connection: sizes and times of requests, on bytes and on real connections."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from runtime.http_limits import LimitedHttpProtocol, RequestLimits, RequestMeter
from tests.support.eventually import eventually

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
SHORT = RequestLimits(head_seconds=0.3, body_seconds=0.3)


def lines(count: int) -> bytes:
    """Return a request with so many header lines."""
    return b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * count + b"\r\n"


@pytest.mark.parametrize(
    ("data", "status", "waits_for"),
    [
        (GET, 0, ""),
        (GET * 16, 0, ""),
        (GET * 17, 400, ""),
        (GET[:-1], 0, "head"),
        (b"G", 0, "head"),
        (b"\r\n\r\n" + GET, 0, ""),
        (lines(100), 0, ""),
        (lines(102), 431, ""),
        (b"GET /" + b"a" * 16384, 431, "head"),
        (b"GET /" + b"a" * 16384 + b"\r\n\r\n", 431, "head"),
        (b"\n" * 2 + b"a\n" * 200, 431, "head"),
        (POST % 3 + b"abc", 0, ""),
        (POST % 3 + b"ab", 0, "body"),
        (POST % 3 + b"abc" + GET, 0, ""),
        (POST % 65536, 0, "body"),
        (POST % 65537, 413, "body"),
        (POST % 999999999999999999, 413, "body"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411, ""),
    ],
)
def test_a_request_is_within_bounds_or_refused(data: bytes, status: int, waits_for: str) -> None:
    """Bytes and lines of the head, length of the body, requests in one packet."""
    meter = RequestMeter(RequestLimits())
    assert meter.feed(data) == status
    if not status:
        assert meter.waits_for == waits_for


@given(st.lists(st.sampled_from([GET, POST % 5 + b"hello", lines(3), b"\r\n"]), max_size=6), st.data())
def test_packets_may_be_cut_anywhere(requests: list[bytes], data: st.DataObject) -> None:
    """The same bytes give the same count of requests, however they arrive."""
    stream = b"".join(requests)
    meter, rest = RequestMeter(RequestLimits()), stream
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        assert meter.feed(rest[:size]) == 0
        rest = rest[size:]
    assert meter.requests == sum(request != b"\r\n" for request in requests)
    assert meter.waits_for == ""


@given(st.binary(max_size=300))
def test_any_bytes_are_followed(data: bytes) -> None:
    """No bytes raise, and the bytes of an incomplete head stay bounded."""
    meter = RequestMeter(RequestLimits(head_bytes=64))
    assert meter.feed(data) in (0, 400, 411, 413, 431)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer the length of the body; /stream stays open."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"open", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await send({"type": "http.response.body", "body": b"%d" % len(body)})


class ShortProtocol(LimitedHttpProtocol):
    """The same with short times."""

    limits = SHORT


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """Run a server in this loop; its port."""
    config = uvicorn.Config(app, port=0, http=ShortProtocol, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def exchange(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send the parts and return everything until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ((b"",), b""),
        ((b"GET / HTTP/1.1\r\nHost",), b"HTTP/1.1 408"),
        ((POST % 3 + b"ab",), b""),
        ((lines(200),), b"HTTP/1.1 431"),
        ((POST % 99999,), b"HTTP/1.1 413"),
        ((GET, b"GET /"), b"HTTP/1.1 200"),
    ],
    ids=["silent", "half a head", "half a body", "many lines", "large", "half a second request"],
)
async def test_a_connection_that_is_slow_or_too_large_is_closed(parts: tuple[bytes, ...], answer: bytes) -> None:
    """The server closes it by itself, with a status where no response has begun."""
    async with serving() as port:
        assert (await exchange(port, *parts)).startswith(answer)


async def test_a_refusal_is_a_problem() -> None:
    """It has the type, the title and the detail of every other error, and its length is right."""
    async with serving() as port:
        head, _, body = (await exchange(port, lines(200))).partition(b"\r\n\r\n")
        assert b"content-type: application/problem+json" in head
        assert b"content-length: %d" % len(body) in head
        problem = json.loads(body)
        assert problem["type"] == "/api/python/docs#request-header-fields-too-large"
        assert (problem["status"], problem["detail"]) == (431, "the header has too many bytes or lines")


async def test_a_head_that_trickles_is_cut_at_its_deadline() -> None:
    """A byte now and then does not prolong the time."""
    async with serving() as port:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await exchange(port, b"GET /", *[b"a"] * 8, pause=0.1)
        assert loop.time() - begun < 15


async def test_an_open_stream_and_a_whole_request_are_not_cut() -> None:
    """Once a request is whole its response may take as long as it wants."""
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET.replace(b"/ ", b"/stream ", 1))
        await reader.readuntil(b"open")
        await asyncio.sleep(3 * SHORT.head_seconds)
        assert not reader.at_eof()
        writer.close()
        await writer.wait_closed()
