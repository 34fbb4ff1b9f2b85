"""One promise by four proxies, Apache, nginx, HAProxy, Caddy: what requests, streams and answers go through."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import statistics
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from commands.ports import free_port
from tests.deploy.conftest import make_service
from tests.support.apache import HOST, browser_session
from tests.support.eventsource import EventSource
from tests.support.eventually import eventually
from tests.support.fakebot import FakeBot
from tests.support.proxies import PROXIES, Proxy, Site, proxy
from tests.support.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

STREAMS = ("trading", "trades", "portfolio", "status")


@dataclass(frozen=True, slots=True)
class Whole:
    """A site behind one of the proxies."""

    bot: FakeBot
    service: Service
    spring: Service
    proxy: Proxy
    session: aiohttp.ClientSession

    def url(self, path: str) -> str:
        """Return the public address of a path under the prefix."""
        return self.proxy.url(f"/api/python{path}")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PROXIES)
async def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    """The site behind each proxy."""
    async with (
        FakeBot().serving() as bot,
        make_service(bot, tmp_path_factory.mktemp("service")) as service,
        Service(["tests/deploy/spring.py", "{port}"]) as spring,
        proxy(request.param, Site(service.address, spring.address)) as server,
        browser_session() as session,
    ):
        yield Whole(bot, service, spring, server, session)


async def test_every_url_passes(whole: Whole) -> None:
    """Each URL answers through the proxy as it does directly, and no redirect comes between."""
    direct = f"http://{whole.service.address}/api/python"
    for path in (
        "",
        "/",
        "/health",
        "/health/",
        "/markets/",
        "/docs",
        "/openapi.json",
        "/dashboard",
        "/metrics",
        "/none",
    ):
        async with whole.session.get(direct + path) as one, whole.session.get(whole.url(path)) as other:
            assert (other.status, other.content_type) == (one.status, one.content_type), path
            assert other.history == (), path
    for name in STREAMS:
        async with whole.session.get(whole.url(f"/sse/{name}/")) as answer:
            assert (answer.status, answer.content_type) == (200, "text/event-stream"), name
    async with whole.session.get(whole.proxy.url("/api/auth/login")) as answer:
        assert json.loads(await answer.text())["url"] == f"http://{HOST}/api/auth/login"


async def test_forwarded_headers_cannot_be_forged(whole: Whole) -> None:
    """For any forwarded headers of a client, the service and Spring receive the true ones."""
    claims = {name: "6.6.6.6" for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host",
              "X-Forwarded-Server", "X-Forwarded-Port")} | {"X-Forwarded-Proto": "https"}  # fmt: skip
    async with whole.session.get(whole.proxy.url("/api/auth/echo"), headers=claims) as answer:
        text = await answer.text()
    received = json.loads(text)
    assert "6.6.6.6" not in text
    assert received["url"].startswith("http://")
    assert received["client"] == "127.0.0.1"
    assert received["headers"]["x-forwarded-for"] == "127.0.0.1"
    async with whole.session.get(whole.url("/"), headers=claims) as answer:
        assert (await answer.json())["links"]["docs"] == f"http://{HOST}/api/python/docs"


async def test_events_are_not_held_back(whole: Whole) -> None:
    """An event is at the reader as soon as the service has it, not compressed, though gzip was offered."""
    headers = {"Accept-Encoding": "gzip"}
    async with (
        EventSource(whole.session, whole.url("/sse/trades"), headers=headers) as through,
        EventSource(whole.session, f"http://{whole.service.address}/api/python/sse/trades") as direct,
    ):
        await eventually(lambda: through.parser.last_id and direct.parser.last_id, within=30)
        for number in range(1, 11):
            whole.bot.trade()
            await through.saw("new_trades", number, limit=30)
            await direct.saw("new_trades", number, limit=30)
    late = [a.at - b.at for a, b in zip(through.named("new_trades"), direct.named("new_trades"), strict=True)]
    assert statistics.median(late) < 0.1


async def test_json_is_compressed_and_304_still_works(whole: Whole) -> None:
    """A compressed answer keeps an ETag by which If-None-Match matches the next time."""
    url, headers = whole.url("/portfolio/trades/history"), {"Accept-Encoding": "gzip"}
    async with aiohttp.ClientSession(auto_decompress=False, headers={"Host": HOST}) as session:
        async with session.get(url, headers=headers) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["Vary"]
            tag = answer.headers["ETag"]
        async with session.get(url, headers=headers | {"If-None-Match": tag}) as answer:
            assert answer.status == 304


async def test_a_foreign_host_name_is_refused(whole: Whole) -> None:
    """A page of another name that resolves here reads nothing and opens no stream: 421 as a problem."""
    for name, status in ((HOST, 200), ("localhost", 200), ("evil.example", 421)):
        for path in ("/health/live", "/sse/trading"):
            async with whole.session.get(whole.url(path), headers={"Host": name}) as answer:
                assert answer.status == status, (name, path)
                if status == 421:
                    assert answer.content_type == "application/problem+json"
                    assert json.loads(await answer.text())["status"] == 421


async def test_operators_urls_are_closed_to_others(whole: Whole) -> None:
    """Metrics and the list of readers are for the operators' networks, however the path is written."""
    site = Site(whole.service.address, whole.spring.address, operators="192.0.2.1")
    paths = ["/metrics", "/metrics/", "//metrics", "/%6Detrics", "/sse/clients", "/sse/x/../clients", "/sse/clients/"]
    async with proxy(whole.proxy.name, site) as server:
        for path in paths:
            async with whole.session.get(URL(server.url("/api/python" + path), encoded=True)) as answer:
                assert answer.status in (403, 404), path
                if answer.status == 403:
                    assert answer.content_type == "application/problem+json"
        async with whole.session.get(server.url("/api/python/health/live")) as answer:
            assert answer.status == 200


async def test_standby_while_the_service_is_away(whole: Whole) -> None:
    """REST gets a problem with Retry-After, a stream one event `bye` that says when to come back, each its own."""
    gone = Site(f"127.0.0.1:{free_port()}", whole.spring.address)
    async with proxy(whole.proxy.name, gone) as server:
        async with whole.session.get(server.url("/api/python/health")) as answer:
            assert (answer.status, answer.content_type) == (503, "application/problem+json")
            assert answer.headers["Retry-After"] == "2"
            assert json.loads(await answer.text())["status"] == 503
        drawn = set()
        for name in STREAMS * 6:
            async with whole.session.get(server.url(f"/api/python/sse/{name}?last_event_id=a-1")) as answer:
                assert (answer.status, answer.content_type) == (200, "text/event-stream")
                assert answer.headers["Cache-Control"] == "no-store, no-transform"
                text = await answer.text()
            found = re.fullmatch(r'event: bye\ndata: {"reason": "away"}\nretry: (\d+)\n\n+', text)
            assert found, text
            drawn.add(int(found[1]))
        assert all(1000 <= retry < 4000 for retry in drawn)
        assert len(drawn) > 6


async def test_plain_readers_survive_a_restart(whole: Whole) -> None:
    """The service is away for a moment: plain EventSources all return, with every trade once and in order."""
    async with contextlib.AsyncExitStack() as stack:
        url = whole.url("/sse/trades")
        pages = [await stack.enter_async_context(EventSource(whole.session, url)) for _ in range(20)]
        await eventually(lambda: all(page.parser.last_id for page in pages), within=60)
        expected = whole.bot.trade(3)
        await whole.service.stop(signal.SIGKILL)
        refused = whole.session.get(url)
        async with refused as answer:  # while it is away
            assert answer.status == 200
        expected += whole.bot.trade(4)
        await whole.service.start()
        expected += whole.bot.trade(3)
        last = expected[-1]
        await eventually(lambda: all(last in ids(page) for page in pages), within=60, every=0.2)
        assert not [page.why for page in pages if page.state == "closed"]
        for page in pages:
            received = ids(page)
            assert received[-10:] == list(dict.fromkeys(received))[-10:]
            assert set(expected) <= set(received)


def ids(page: EventSource) -> list[str]:
    """Return the trades that a reader received, in its order."""
    return [trade["trade_id"] for message in page.named("new_trades") for trade in message.json()["trades"]]


async def test_a_reader_that_left_is_noticed(whole: Whole) -> None:
    """A closed tab frees its stream in the service."""

    async def open_streams() -> int:
        async with whole.session.get(f"http://{whole.service.address}/api/python/sse/stats") as answer:
            return int((await answer.json())["open"])

    async with whole.session.get(whole.url("/sse/trades")) as answer:
        assert answer.status == 200
        assert await open_streams() >= 1
        answer.close()

    async def free() -> bool:
        return await open_streams() == 0

    await eventually(free, within=60, every=0.2)


async def test_slow_headers_and_large_bodies_are_cut(whole: Whole) -> None:
    """Half a header is not waited for longer than a minute, and a body over 64 KiB is refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", whole.proxy.port)
    writer.write(b"GET /api/python/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    body = b"x" * 100_000
    async with whole.session.post(whole.url("/session"), data=body) as answer:
        assert answer.status == 413
    async with asyncio.timeout(60):
        await reader.read()
    writer.close()
