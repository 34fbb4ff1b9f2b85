"""The site as it is deployed: a bot, the service, Spring's stand-in, and Apache in front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest_asyncio

from tests.support.apache import Apache, apache, browser_session
from tests.support.fakebot import FakeBot
from tests.support.service import Service

STANDIN = "tests/deploy/standin.py"


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a test of the deployed site touches."""

    bot: FakeBot
    service: Service
    spring: Service
    apache: Apache
    session: aiohttp.ClientSession

    def url(self, path: str) -> str:
        """The public address of a path under the prefix."""
        return self.apache.url("/api/python" + path)


def make_service(bot: FakeBot) -> Service:
    """The service behind Apache, following this bot."""
    return Service([STANDIN, "{port}", bot.url])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncIterator[Site]:
    """The plain site, one for all tests of a module."""
    async with (
        FakeBot().serving() as bot,
        make_service(bot) as service,
        Service([STANDIN, "{port}", bot.url]) as spring,
        apache({"PI_BACKEND": service.address, "PI_SPRING": spring.address}) as server,
        browser_session() as session,
    ):
        yield Site(bot, service, spring, server, session)


async def open_streams(site: Site) -> int:
    """How many streams the service itself believes to be open."""
    async with site.session.get(f"http://{site.service.address}/api/python/sse/stats") as answer:
        return int((await answer.json())["open"])
