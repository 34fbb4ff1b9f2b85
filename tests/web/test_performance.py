"""The page with 100 000 trades: memory, first paint, and scrolling, sorting and filtering within a frame."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.eventually import until
from tests.web import scenarios
from tests.web.chrome import Chrome
from tests.web.pictures import settle
from tests.web.scripted_service import ScriptedService

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

TRADES = 100_000
ADDRESS = "history.replaceState(null, '', '#/trades{0}'); window.dispatchEvent(new HashChangeEvent('hashchange'))"
ACTIONS = {
    "scroll": "document.querySelector('#view-trades .scroller').scrollTop += 40000",
    **{f"sort by {name}": ADDRESS.format(f"?sort=-{name}") for name in ("price", "profit", "side", "market", "amount")},
    "filter": ADDRESS.format("?ticker=bitcoin"),
}
FRAME = 16.0  # milliseconds
REFERENCE = 25.0  # milliseconds that the reference takes on an idle machine
TRIES = 9
NEWEST = """
  window.newest = Infinity;
  const look = () => {
    const row = document.querySelector('#view-trades .tr[aria-rowindex="2"]');
    if (row?.lastElementChild?.textContent === '%d') window.newest = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""
SORT = """
  const numbers = Float64Array.from({length: 100000}, (_, at) => Math.sin(at));
  const sort = () => { for (let at = 0; at < 4; at += 1) Float64Array.from(numbers).sort(); };
  setTimeout(sort); // what the driver runs itself is not counted
"""


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    """A service whose journal holds a day of 100 000 trades."""
    with ScriptedService(scenarios.many(TRADES), scenarios.ordinary_markets()) as running:
        yield running


def test_a_hundred_thousand_trades_are_light(chrome: Chrome, service: ScriptedService) -> None:
    """The newest trades are shown before the journal was read, all of it is small, and only visible rows exist."""
    chrome.metrics(1440, 900)
    command = {"source": NEWEST % service.entries[-1]["seq"]}
    script = chrome.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", command)
    begun = time.monotonic()
    chrome.open(service.base + "dashboard#/trades")
    until(lambda: f"complete up to #{TRADES:,}" in chrome.text("#connection"), 120, "all of the journal")
    took = time.monotonic() - begun
    chrome.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    paint = chrome.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    newest = chrome.run("return window.newest")
    chrome.driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    heap = float(chrome.driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"]) / 1e6
    elements = chrome.run("return document.querySelectorAll('*').length")
    print(f"{TRADES} trades: painted after {paint:.0f} ms, newest after {newest:.0f} ms, read in {took:.1f} s,")
    print(f"{heap:.1f} MB, {elements} elements")
    assert newest < 6000, "two seconds on an idle machine"
    assert heap < 60
    assert elements < 2500


def script(chrome: Chrome, source: str) -> float:
    """Return the milliseconds of CPU that scripts take to run a source and to draw the next two frames."""

    def taken() -> float:
        metrics = chrome.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return float({metric["name"]: metric["value"] for metric in metrics}["ScriptDuration"]) * 1000

    before = taken()
    chrome.run(source)
    settle(chrome)
    return taken() - before


@pytest.mark.parametrize("name", list(ACTIONS))
def test_scrolling_sorting_and_filtering_take_a_frame(chrome: Chrome, service: ScriptedService, name: str) -> None:
    """The scripts of an action and of the frames that show it take 16 ms of CPU at most, the best of nine.

    A processor that is shared or slow counts in the measure of sorts of 100 000 numbers, made at the same time.
    """
    until(lambda: f"complete up to #{TRADES:,}" in chrome.text("#connection"), 120, "all of the journal")
    chrome.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    spent, reference = [], []
    for _ in range(TRIES):
        script(chrome, ADDRESS.format(""))
        spent.append(script(chrome, ACTIONS[name]))
        reference.append(script(chrome, SORT))
    chrome.driver.execute_cdp_cmd("Performance.disable", {})
    print(f"{name}: {min(spent):.1f} ms, the reference {min(reference):.1f} ms")
    assert min(spent) <= FRAME * max(1.0, min(reference) / REFERENCE)


def test_fifty_trades_a_second_shift_nothing(chrome: Chrome, service: ScriptedService) -> None:
    """While trades arrive nothing moves on the page, and every one of them is in the list."""
    until(lambda: f"complete up to #{len(service.entries):,}" in chrome.text("#connection"), 120)
    chrome.run("location.hash = '#/overview'")
    settle(chrome)
    chrome.run("""
      window.shifts = 0;
      const add = list => list.getEntries().forEach(each => { if (!each.hadRecentInput) window.shifts += each.value; });
      new PerformanceObserver(add).observe({type: 'layout-shift', buffered: false});
    """)
    terms = {key: value for key, value in service.entries[-1].items() if key != "seq"}
    for number in range(250):
        service.add("trade", {**terms, "trade_id": f"fast-{number}", "timestamp": service.now()})
        time.sleep(0.02)
    until(lambda: f"complete up to #{len(service.entries):,}" in chrome.text("#connection"), 30, "all trades")
    assert chrome.run("return window.shifts") < 0.02
    assert chrome.errors() == []
