"""The site as it is deployed: a bot, the service, Spring's stand-in, and Apache in front."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.apache import HOST, Apache, apache, browser_session
from tests.support.fakebot import FakeBot
from tests.support.service import ROOT, Service


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


def make_service(bot: FakeBot, folder: Path, journal: str = "journal.db") -> Service:
    """The service behind Apache, following this bot; services that share a journal are workers of one whole."""
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        **bot.settings,
        "BOT_POLL_INTERVAL": "0.2", "HEARTBEAT_INTERVAL": "0.5", "JOURNAL_URL": f"sqlite:///{folder / journal}",
        # the exchange is away: nothing here needs it, and no test may call it
        "KALSHI_API_URL": "http://127.0.0.1:9", "LOG_LEVEL": "WARNING", "ALLOWED_HOSTS": f"{HOST},localhost,127.0.0.1",
    }  # fmt: skip
    return Service([str(ROOT / "server.py"), "--port", "{port}"], env, folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The plain site, one for all tests of a module."""
    folder = tmp_path_factory.mktemp("service")
    async with (
        FakeBot().serving() as bot,
        make_service(bot, folder) as service,
        Service(["tests/deploy/spring.py", "{port}"]) as spring,
        apache({"PI_BACKEND": service.address, "PI_SPRING": spring.address}) as server,
        browser_session() as session,
    ):
        yield Site(bot, service, spring, server, session)


async def open_streams(site: Site) -> int:
    """Return the number of open streams as the service counts them."""
    async with site.session.get(f"http://{site.service.address}/api/python/sse/stats") as answer:
        return int((await answer.json())["open"])
