"""The page under load in a real Chromium: a day of trades, a fast bot, several tabs, a window of 503."""

import os
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.fast_bot import FastBot, fill
from tests.web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

DAY = int(os.environ.get("WEB_TRADES", "20000"))  # WEB_TRADES=100000 takes minutes, most of them to write these
TABS = 5  # test_tabs.py has more of them, on an empty page
JUMPS = """
  window.jumps = 0;
  const jumped = e => !e.hadRecentInput;
  new PerformanceObserver(l => l.getEntries().filter(jumped).forEach(e => {
    window.jumps += e.value;
    window.movers = e.sources.map(s => s.node?.parentNode?.outerHTML?.slice(0, 150));
  })).observe({type: 'layout-shift'});
"""


@pytest.fixture(scope="module")
def fast_bot() -> Iterator[FastBot]:
    """A fast paper bot."""
    bot = FastBot()
    with bot:
        yield bot


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, fast_bot: FastBot) -> Iterator[Stage]:
    """A server whose journal holds a day of paper trades, reading the fast bot."""
    folder: Path = tmp_path_factory.mktemp("load")
    fill(folder, DAY)
    with Stage(folder, fast_bot.settings) as running:
        running.kill("bot")
        yield running


def seq(chrome: Chrome) -> int:
    """Return the seq up to which the page is complete, as it shows; 0 when it shows none."""
    found = re.search(r"complete up to #([\d,]+)", chrome.text("#connection"))
    return int(found.group(1).replace(",", "")) if found else 0


def heap(chrome: Chrome) -> float:
    """Megabytes of JavaScript after collecting garbage."""
    chrome.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    return float(chrome.driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"]) / 1e6


def rows(chrome: Chrome) -> int:
    """Return the number of rows that exist in the tables of the page."""
    return int(chrome.run("return document.querySelectorAll('.tbody .tr').length"))


def test_a_day_of_trades(chrome: Chrome, stage: Stage) -> None:
    """They are read in seconds, and leave a small page behind."""
    begun = time.monotonic()
    chrome.open(stage.base + "dashboard")
    until(lambda: seq(chrome) >= DAY, 40, "the whole day")
    took, size = time.monotonic() - begun, heap(chrome)
    nodes = chrome.run("return document.querySelectorAll('*').length")
    print(f"{DAY} trades: {took:.1f} s, {size:.1f} MB, {nodes} elements")
    assert rows(chrome) < 150
    assert size < 20 + DAY / 5000
    assert nodes < 4000
    assert "PAPER" in chrome.text("#mode")
    chrome.picture("day", whole=True)
    assert chrome.errors() == []


def working(chrome: Chrome) -> float:
    """Seconds that the page's scripts and its layout have taken."""
    metrics = chrome.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    spent = {metric["name"]: metric["value"] for metric in metrics}
    return float(spent["ScriptDuration"] + spent["LayoutDuration"])


def test_fifty_trades_a_second(chrome: Chrome, stage: Stage, fast_bot: FastBot) -> None:
    """Nothing jumps, the page is idle most of the time, memory stays flat, and every trade arrives."""
    if not seq(chrome):
        chrome.open(stage.base + "dashboard")
        until(lambda: seq(chrome) >= DAY, 40, "the whole day")
    chrome.run(JUMPS)
    chrome.driver.execute_cdp_cmd("Performance.enable", {})
    before, first, worked, begun = heap(chrome), seq(chrome), working(chrome), time.monotonic()
    for _ in range(40):
        fast_bot.trade(10)
        time.sleep(0.2)
    until(lambda: seq(chrome) >= first + 400, 20, "all of them")
    share = (working(chrome) - worked) / (time.monotonic() - begun)
    jumps, movers = chrome.run("return [window.jumps, window.movers]")
    print(f"jumps {jumps}, busy {share:.0%} of the time, heap {before:.1f} and then {heap(chrome):.1f} MB")
    assert jumps < 0.02, movers
    assert share < 0.5
    assert heap(chrome) - before < 5
    assert chrome.errors() == []


def streams(stage: Stage) -> int:
    """Return the number of streams that the server holds open."""
    return int(stage.read("health")["parts"]["streams"]["open"])


def leads(chrome: Chrome) -> bool:
    return "This tab holds" in str(chrome.run("return document.getElementById('connection').title"))


def test_tabs_share_one_connection(chrome: Chrome, stage: Stage, fast_bot: FastBot) -> None:
    """One stream for all, each tab small; when the leader's tab closes another leads, and no tab misses a trade."""
    driver = chrome.driver
    driver.get(stage.base + "dashboard")
    until(lambda: seq(chrome) >= DAY, 120)
    base = streams(stage)
    for _ in range(TABS - 1):
        driver.switch_to.new_window("tab")  # its window is a small one: 780 px wide
        driver.get(stage.base + "dashboard")
    for tab in driver.window_handles:
        driver.switch_to.window(tab)
        until(lambda: seq(chrome) >= DAY, 60, "a tab has the whole day")
        until(lambda: 0 < rows(chrome) < 150, 10, "only visible rows exist")
        assert heap(chrome) < 20 + DAY / 5000
    assert streams(stage) == base
    tabs = list(driver.window_handles)
    driver.switch_to.window(tabs[0])
    until(lambda: leads(chrome), 30, "the first tab leads")
    before = seq(chrome)
    driver.close()
    begun = time.monotonic()
    fast_bot.trade(5)
    driver.switch_to.window(tabs[1])
    until(lambda: leads(chrome), 30, "the next tab leads")
    assert time.monotonic() - begun < 15, "the lock itself passes at once; drawing it takes a frame"
    for tab in tabs[1:]:
        driver.switch_to.window(tab)
        until(lambda: seq(chrome) >= before + 5, 60, "a tab has all")
    assert streams(stage) == base
    for tab in tabs[2:]:
        driver.switch_to.window(tab)
        driver.close()
    driver.switch_to.window(tabs[1])


class Refusal(BaseHTTPRequestHandler):
    """A proxy whose backend is away."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_a_window_of_503(chrome: Chrome, stage: Stage, fast_bot: FastBot) -> None:
    """A 503 ends a native EventSource for ever; the page comes back by itself, with all that happened meanwhile."""
    chrome.open(stage.base + "dashboard")
    until(lambda: seq(chrome) >= DAY, 120)
    before = seq(chrome)
    stage.kill("server")
    with ThreadingHTTPServer(("127.0.0.1", stage.port), Refusal) as refusing:
        thread = threading.Thread(target=refusing.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        fast_bot.trade(7)
        until(lambda: "Disconnected" in chrome.text("#connection"), 60)
        time.sleep(3)  # the window itself
        refusing.shutdown()
        thread.join()
    stage.server()
    until(lambda: seq(chrome) >= before + 7, 60, "current again")
    assert chrome.errors() == []
