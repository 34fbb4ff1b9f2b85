"""The reader that stands for a browser in these tests keeps the browser's rules, the unkind ones too."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from tests.support.eventsource import EventSource, Parser
from tests.support.eventually import eventually

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """The URL of a one-handler server."""
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


def stream(text: str, status: int = 200, kind: str = "text/event-stream") -> web.Response:
    """A whole short stream as one answer."""
    return web.Response(text=text, status=status, content_type=kind)


@pytest.mark.parametrize(
    ("text", "messages", "last_id"),
    [
        pytest.param("data: a\n\n", [("message", "a", "")], "", id="plain"),
        pytest.param("event: x\ndata: a\ndata:b\n\n", [("x", "a\nb", "")], "", id="two data lines"),
        pytest.param("id: 7\n\n", [], "7", id="an id alone moves the cursor"),
        pytest.param("event: x\n\ndata: a\n\n", [("message", "a", "")], "", id="a name without data is forgotten"),
        pytest.param("id: 7\ndata: a\n\ndata: b\n\n", [("message", "a", "7"), ("message", "b", "7")], "7", id="stays"),
        pytest.param("id: 7\ndata: a\n", [], "", id="cut before the blank line: nothing happened"),
        pytest.param("id: 7\0\n\n", [], "", id="an id with NUL is ignored"),
        pytest.param(": ping\n\n", [], "", id="a comment"),
        pytest.param("\ufeffdata: a\r\n\r\ndata: b\r\r", [("message", "a", ""), ("message", "b", "")], "", id="BOM"),
        pytest.param("data\n\n", [("message", "", "")], "", id="a field without a colon"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_grammar(text: str, messages: list[tuple[str, str, str]], last_id: str, size: int) -> None:
    """The WHATWG grammar, however the bytes are cut; an unfinished last CR waits for what follows."""
    parser, seen, raw = Parser(), [], (text + ":\n").encode()
    for start in range(0, len(raw), size):
        seen += parser.feed(raw[start : start + size])
    assert [(m.name, m.data, m.last_id) for m in seen] == messages
    assert parser.last_id == last_id


@given(st.lists(st.text(alphabet="ab\u2028é", max_size=5), max_size=5), st.integers(1, 7))
def test_any_cut(lines: list[str], size: int) -> None:
    """Dispatched events do not depend on the chunks of the network, even inside a character."""
    raw = "".join(f"data: {line}\r\n\r\n" for line in lines).encode()
    parser, seen = Parser(), []
    for start in range(0, len(raw), size):
        seen += parser.feed(raw[start : start + size])
    assert [m.data for m in [*seen, *parser.feed(b"\n")]] == lines


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(("", 503, "text/event-stream"), id="503"),
        pytest.param(("", 204, "text/event-stream"), id="204"),
        pytest.param(("", 200, "application/json"), id="not a stream"),
    ],
)
async def test_gives_up(answer: tuple[str, int, str]) -> None:
    """Anything but a 200 event stream closes an EventSource for ever."""
    asked = 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return stream(*answer)

    async with serving(handler) as url, aiohttp.ClientSession() as session, EventSource(session, url, retry=0) as page:
        await eventually(lambda: page.state == "closed")
        await asyncio.sleep(0.1)
    assert asked == 1
    assert page.why.startswith(str(answer[1]))


async def test_comes_back_with_its_cursor() -> None:
    """An end is answered by a new connection after `retry:`, with the last id, also one that came without data."""
    cursors: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        cursors.append(request.headers.get("Last-Event-ID"))
        return stream(f"retry: 30\nid: ab-{len(cursors)}\n\n")

    async with serving(handler) as url, aiohttp.ClientSession() as session, EventSource(session, url) as page:
        await eventually(lambda: len(cursors) >= 3)
    assert cursors[:3] == [None, "ab-1", "ab-2"]
    assert page.opened[1] - page.cut[0] >= 0.03


async def test_refused_connection_is_tried_again() -> None:
    """After a network error the browser goes on trying."""

    async def handler(_: web.Request) -> web.Response:
        return stream("")

    async with serving(handler) as url:
        pass  # the address of a server that has gone
    async with aiohttp.ClientSession() as session, EventSource(session, url, retry=0.01) as page:
        await eventually(lambda: len(page.cut) > 2)
        assert page.state == "connecting"
