"""Many readers behind Apache: they cannot starve anybody, and they survive deploys, kills and a lost backend."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import median

import aiohttp
import pytest

from tests.deploy.conftest import Site, make_service, open_streams
from tests.support.apache import apache, browser_session
from tests.support.eventsource import EventSource
from tests.support.eventually import eventually
from tests.support.fakebot import FakeBot

pytestmark = [pytest.mark.apache, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@contextlib.asynccontextmanager
async def readers(session: aiohttp.ClientSession, url: str, count: int) -> AsyncIterator[list[EventSource]]:
    """So many plain EventSources on one URL, each open and with a cursor."""
    async with contextlib.AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(EventSource(session, url)) for _ in range(count)]
        await eventually(lambda: all(page.parser.last_id for page in pages), within=60)
        yield pages


def ids(page: EventSource) -> list[str]:
    """The trades that a reader has seen, in its order."""
    return [trade["trade_id"] for message in page.named("new_trades") for trade in message.json()["trades"]]


async def complete(pages: Sequence[EventSource], expected: Sequence[str], within: float = 30) -> None:
    """Wait until every reader has every trade, once and in order."""
    await eventually(lambda: all(len(ids(page)) >= len(expected) for page in pages), within, every=0.2)
    assert all(ids(page) == list(expected) for page in pages)


async def seconds(session: aiohttp.ClientSession, url: str) -> float:
    """Return the seconds of one good answer."""
    start = time.monotonic()
    async with session.get(url, timeout=aiohttp.ClientTimeout(total=10)) as answer:
        await answer.read()
        assert answer.status == 200
    return time.monotonic() - start


async def test_four_hundred_streams_starve_no_request(site: Site) -> None:
    """With 400 streams open each trade reaches all of them, and REST and the login answer as fast as without them."""

    async def medians() -> list[float]:
        urls = site.url("/health"), site.apache.url("/api/auth/login")
        return [median([await seconds(site.session, url) for _ in range(20)]) for url in urls]

    alone = await medians()
    async with browser_session() as session, readers(session, site.url("/sse/trades"), 400) as pages:
        await complete(pages, site.bot.trade(5))
        beside = await medians()
    assert all(later < 0.1 + 3 * before for before, later in zip(alone, beside, strict=True))


async def test_streams_over_the_budget_get_a_retry_time(site: Site) -> None:
    """Readers over the cap keep their EventSource and reconnect later; other requests are not affected."""
    values = {"PI_BACKEND": site.service.address, "PI_SPRING": site.spring.address, "PI_STREAMS_PER_CHILD": "2"}
    async with apache(values) as server, browser_session() as session, contextlib.AsyncExitStack() as stack:
        url = server.url("/api/python/sse/trades")
        pages = [await stack.enter_async_context(EventSource(session, url)) for _ in range(60)]
        await eventually(lambda: all(page.opened for page in pages), within=20)
        served = [page for page in pages if page.parser.last_id]
        assert 2 <= len(served) <= 16  # two for each child
        assert not [page.why for page in pages if page.state == "closed"]
        assert max([await seconds(session, server.url("/api/python/health")) for _ in range(20)]) < 1
        assert max([await seconds(session, server.url("/api/auth/login")) for _ in range(20)]) < 1
        # a place that becomes free is taken by one who waited
        for page in served:
            await page.__aexit__(None, None, None)
        waiting = [page for page in pages if page not in served]
        await eventually(lambda: any(page.parser.last_id for page in waiting), within=20)


async def test_a_reader_that_left_is_noticed(site: Site) -> None:
    """Apache notices a closed tab when it writes: after two pings at most its thread and its stream are free again."""
    async with browser_session() as session, readers(session, site.url("/sse/trades"), 5):
        assert await open_streams(site) >= 5

    async def gone() -> bool:
        return await open_streams(site) == 0

    await eventually(gone, within=10)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL], ids=["deploy", "kill"])
async def test_two_hundred_plain_readers_survive(site: Site, sig: signal.Signals) -> None:
    """The service is away for four seconds: all come back, none gave up, nothing is lost, and not all at once."""
    async with browser_session() as session, readers(session, site.url("/sse/trades"), 200) as pages:
        expected = site.bot.trade(3)
        await complete(pages, expected)
        await site.service.stop(sig)
        expected += site.bot.trade(4)
        await asyncio.sleep(4)
        await site.service.start()
        back = time.monotonic()
        expected += site.bot.trade(3)
        await complete(pages, expected)
        assert not [page.why for page in pages if page.state == "closed"]
        returned = sorted(page.opened[-1] - back for page in pages)
    # spread by jitter: never more than a third of all within a quarter of a second
    crowd = max(sum(start <= at < start + 0.25 for at in returned) for start in returned)
    assert crowd < 67, returned
    assert returned[-1] < 6


async def test_two_backends_one_killed(tmp_path: Path) -> None:
    """With two backends a killed one costs its readers one reconnect, no failed REST request, and no trade."""
    async with (
        FakeBot().serving() as bot,
        make_service(bot, tmp_path) as one,
        make_service(bot, tmp_path) as two,
        apache({"PI_BACKEND": one.address, "PI_BACKEND_2": two.address}) as server,
        browser_session() as session,
        readers(session, server.url("/api/python/sse/trades"), 40) as pages,
    ):
        expected = bot.trade(3)
        await complete(pages, expected)
        await one.stop(signal.SIGKILL)
        for _ in range(20):
            await seconds(session, server.url("/api/python/health"))
        expected += bot.trade(3)
        await complete(pages, expected)
        moved = [page for page in pages if len(page.opened) > 1]
        assert 10 <= len(moved) <= 30  # the killed one held about half
        assert all(len(page.opened) <= 3 for page in pages)
