"""The three-line EventSource of a real Chromium, behind Apache, through a deploy."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from tests.deploy.conftest import Site
from tests.support.apache import HOST, wanted
from tests.support.eventually import eventually

pytestmark = [
    pytest.mark.apache, pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"),
]  # fmt: skip

THREE_LINES = """
window.seen = []; window.states = [];
window.source = new EventSource('/api/python/sse/trading');
source.addEventListener('new_trades', (e) => { for (const t of JSON.parse(e.data).trades) seen.push(t.trade_id); });
source.onerror = () => states.push(source.readyState);
"""


def start_browser() -> Any:
    """A headless Chromium that finds the site's name on this machine."""
    selenium = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    options = selenium.ChromeOptions()
    options.binary_location = wanted("chromium", "chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
                 f"--host-resolver-rules=MAP {HOST} 127.0.0.1"):  # fmt: skip
        options.add_argument(flag)
    return selenium.Chrome(options, selenium.ChromeService(wanted("chromedriver", "chromium-driver")))


async def test_plain_eventsource_survives_a_deploy(site: Site) -> None:
    """Away for four seconds: the EventSource is never closed, reconnects and misses nothing."""
    browser = await asyncio.to_thread(start_browser)

    async def ask(expression: str) -> Any:
        return await asyncio.to_thread(browser.execute_script, f"return {expression}")

    async def complete() -> bool:
        return list(await ask("seen")) == expected

    async def is_open() -> bool:
        return bool(await ask("source.readyState") == 1)

    try:
        await asyncio.to_thread(browser.get, f"http://{HOST}:{site.apache.port}/api/python/health")
        await asyncio.to_thread(browser.execute_script, THREE_LINES)
        await eventually(is_open, within=10)
        expected = site.bot.trade(2)
        await eventually(complete, within=10)
        await site.service.stop(signal.SIGTERM)
        expected += site.bot.trade(3)
        await asyncio.sleep(4)
        await site.service.start()
        expected += site.bot.trade(1)
        await eventually(complete, within=15)
        states = await ask("states")
        assert states, "the connection was never cut: nothing was tested"
        assert set(states) == {0}, "2 would be closed for ever"
    finally:
        await asyncio.to_thread(browser.quit)
