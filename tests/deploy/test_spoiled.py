"""The sites that are wrong on purpose start, and each shows just the symptom it is named after."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from commands.ports import free_port
from tests.deploy.conftest import Site
from tests.support.apache import HOST, Apache, apache, browser_session
from tests.support.eventsource import EventSource
from tests.support.eventually import eventually
from tests.support.spoiled import SPOILED

pytestmark = [pytest.mark.apache, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
API = "/api/python"


@contextlib.asynccontextmanager
async def spoiled(name: str, folder: Path, backend: str) -> AsyncIterator[tuple[Apache, aiohttp.ClientSession, str]]:
    """The wrong site of that name; its base address under the prefix."""
    fault = SPOILED[name]
    values = {"PI_BACKEND": backend} | dict(fault.defines)
    async with apache(values, fault.tls, fault.files(folder)) as server, browser_session() as session:
        base = f"https://127.0.0.1:{server.tls_port}" if fault.tls else f"http://127.0.0.1:{server.port}"
        yield server, session, base + API


@pytest.mark.parametrize("name", SPOILED)
async def test_it_starts(name: str, site: Site, tmp_path: Path) -> None:
    """Wrong, but valid: Apache accepts the files, or nobody would be deceived by them."""
    async with (
        spoiled(name, tmp_path, site.service.address) as (_, session, base),
        session.get(base + "/health") as answer,
    ):
        assert (answer.status == 404) == (name == "stripped")


async def test_buffered(site: Site, tmp_path: Path) -> None:
    """The first bytes of a stream do not come."""
    async with spoiled("buffered", tmp_path, site.service.address) as (_, session, base):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2), session.get(base + "/sse/trading") as answer:
                await answer.content.readany()


async def test_compressed(site: Site, tmp_path: Path) -> None:
    """A stream comes with Content-Encoding."""
    async with (
        spoiled("compressed", tmp_path, site.service.address) as (_, session, base),
        session.get(base + "/sse/trading", headers={"Accept-Encoding": "gzip"}) as answer,
    ):
        assert answer.headers.get("Content-Encoding") == "gzip"


async def test_starved(site: Site, tmp_path: Path) -> None:
    """With as many streams as threads no request is answered."""
    async with (
        spoiled("starved", tmp_path, site.service.address) as (_, session, base),
        contextlib.AsyncExitStack() as many,
    ):
        pages = [await many.enter_async_context(EventSource(session, base + "/sse/trading")) for _ in range(10)]
        await eventually(lambda: all(page.parser.last_id for page in pages), within=10)
        with pytest.raises(TimeoutError):
            await session.get(base + "/health", timeout=aiohttp.ClientTimeout(total=2))


async def test_503(tmp_path: Path) -> None:
    """Without a service a stream URL answers 503, and a page gives up for ever."""
    async with (
        spoiled("503", tmp_path, f"127.0.0.1:{free_port()}") as (_, session, base),
        EventSource(session, base + "/sse/trading") as page,
    ):
        await eventually(lambda: page.state == "closed")
        assert page.why.startswith("503")


@pytest.mark.parametrize(("name", "claim", "wrong"), [
    ("scheme", {}, f"http://{HOST}/"), ("host", {}, "http://127.0.0.1:"),
])  # fmt: skip
async def test_links(name: str, claim: dict[str, str], wrong: str, site: Site, tmp_path: Path) -> None:
    """The service's absolute links do not lead where the browser is."""
    async with (
        spoiled(name, tmp_path, site.service.address) as (_, session, base),
        session.get(base + "/", headers=claim) as answer,
    ):
        assert (await answer.json())["links"]["docs"].startswith(wrong)


async def test_forged(site: Site, tmp_path: Path) -> None:
    """A client passes for another network."""
    claim = {"X-Forwarded-For": "203.0.113.9"}
    async with (
        spoiled("forged", tmp_path, site.service.address) as (_, session, base),
        session.get(base + "/sse/trading", headers=claim),
        session.get(base + "/sse/clients") as answer,
    ):
        assert "203.0.113" in await answer.text()


async def test_etag_and_open(site: Site, tmp_path: Path) -> None:
    """304 never comes; metrics are for all."""
    headers = {"Accept-Encoding": "gzip"}
    async with spoiled("etag", tmp_path / "a", site.service.address) as (_, session, base):
        url = base + "/portfolio/trades/history"
        async with session.get(url, headers=headers) as answer:
            tag = answer.headers["ETag"]
        async with session.get(url, headers=headers | {"If-None-Match": tag}) as answer:
            assert answer.status == 200
    async with (
        spoiled("open", tmp_path / "b", site.service.address) as (_, session, base),
        session.get(base + "/metrics") as answer,
    ):
        assert answer.status != 403


async def test_cut(site: Site, tmp_path: Path) -> None:
    """A silent backend's stream is ended after the timeout, long before a ping of 15 s would come."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n")
        while await reader.read(1000):  # until Apache leaves
            pass
        writer.close()

    backend = await asyncio.start_server(silent, "127.0.0.1", 0)
    address = f"127.0.0.1:{backend.sockets[0].getsockname()[1]}"
    async with backend, spoiled("cut", tmp_path, address) as (_, session, base):
        start = time.monotonic()
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(base + "/sse/trading") as answer:
                await answer.read()
        assert 1.5 < time.monotonic() - start < 4
