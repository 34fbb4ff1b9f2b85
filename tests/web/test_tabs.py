"""One connection for the tabs of a browser, in the module itself: take-over, hung leaders, browsers without locks."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.eventually import until
from tests.web.bench import Bench
from tests.web.chrome import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TABS = 20
OPEN = """
  window.log = [];
  const now = () => performance.timeOrigin + performance.now();
  window.addEventListener('pagehide', () => localStorage.setItem('left', now()));
  import('./web/stream.js').then(({ connect }) => {
    window.stream = connect();
    for (const name of ['entry', 'freshness', 'state', 'error']) {
      window.stream.on(name, detail => window.log.push([now(), name, name === 'entry' ? detail.seq : detail]));
    }
  });
"""
FRESH = "return window.stream ? window.stream.freshness : {}"
ENTRIES = "return window.log.filter(([, name]) => name === 'entry').map(([, , seq]) => seq)"
LED = "return window.log.find(([, name, fresh]) => name === 'freshness' && fresh.leader)?.[0] ?? null"
FIRST = "return window.log.find(([at, name]) => name === 'entry' && at > arguments[0])?.[0] ?? null"
HANG = "setTimeout(() => { const end = Date.now() + 16000; while (Date.now() < end); }, 100); return Date.now()"
LEFT = "return Number(localStorage.getItem('left'))"


@pytest.fixture
def bench() -> Iterator[Bench]:
    """An origin of its own for each test: locks and channels of one do not reach the next."""
    with Bench() as server:
        yield server


@pytest.fixture(autouse=True)
def one_tab(chrome: Chrome) -> Iterator[None]:
    """Each test begins with one tab and leaves one."""
    yield
    driver = chrome.driver
    for tab in driver.window_handles[1:]:
        driver.switch_to.window(tab)
        driver.close()
    driver.switch_to.window(driver.window_handles[0])
    chrome.open("about:blank")


def join(chrome: Chrome, bench: Bench, new: bool = True) -> str:
    """Open a tab that follows the stream, and wait until it is current."""
    if new:
        chrome.driver.switch_to.new_window("tab")
    chrome.open(bench.base)
    chrome.run(OPEN)
    until(lambda: chrome.run(FRESH).get("complete"), 10, "the tab is current")
    return chrome.driver.current_window_handle


def run_in(chrome: Chrome, tab: str, script: str, *arguments: Any) -> Any:
    """Run a script in a tab."""
    chrome.driver.switch_to.window(tab)
    return chrome.run(script, *arguments)


def sole(chrome: Chrome, tabs: list[str]) -> str | None:
    """The one tab that leads; None while there is not exactly one."""
    leading = [tab for tab in tabs if run_in(chrome, tab, FRESH)["leader"]]
    return leading[0] if len(leading) == 1 else None


def test_takeover_within_a_second(chrome: Chrome, bench: Bench) -> None:
    """From a leader's page going to the first entry at the next one: under a second, three times in a row."""
    tabs = [join(chrome, bench, new=number > 0) for number in range(TABS)]
    assert len(bench.streams) == 1
    took: list[tuple[float, float]] = []
    for _ in range(3):
        leader = until(lambda: sole(chrome, tabs), 5, "one tab leads")
        assert leader is not None
        chrome.driver.switch_to.window(leader)
        chrome.driver.close()
        tabs.remove(leader)
        for _ in range(20):
            bench.trade()
            time.sleep(0.02)
        heir = until(lambda: sole(chrome, tabs), 5, "another tab leads")
        assert heir is not None
        left = run_in(chrome, heir, LEFT)
        led = run_in(chrome, heir, LED)
        took.append((led - left, run_in(chrome, heir, FIRST, left) - left))
        assert len(bench.streams) == 1
    print("milliseconds to the lead, and to the first entry:", [tuple(round(each) for each in pair) for pair in took])
    assert max(first for _, first in took) < 1000
    everything = list(range(1, len(bench.trades) + 1))
    for tab in tabs:
        until(lambda tab=tab: run_in(chrome, tab, ENTRIES) == everything, 5, "each entry once, in order")  # type: ignore[misc]


def test_a_hung_leader_loses_the_lead(chrome: Chrome, bench: Bench) -> None:
    """A leader whose page is busy for 16 s loses the lock after about eleven; when it is back it follows."""
    leader = join(chrome, bench, new=False)
    heir = join(chrome, bench)
    begun = run_in(chrome, leader, HANG)
    chrome.driver.switch_to.window(heir)
    time.sleep(0.5)  # let it hang
    bench.trade()
    until(lambda: chrome.run(FRESH)["leader"], 15, "the lock is taken")
    took = time.time() - begun / 1000
    until(lambda: chrome.run(ENTRIES) == [1], 5, "the entry that the hung leader did not send")
    print(f"taken over after {took:.1f} s")
    assert took < 15
    until(lambda: sole(chrome, [leader, heir]) == heir, 20, "the old leader follows")
    bench.trade()
    until(lambda: run_in(chrome, leader, ENTRIES) == [1, 2], 5)
    until(lambda: bench.trade() or len(bench.streams) == 1, 5, "the old connection is closed")


def test_a_quiet_leader_keeps_the_lead(chrome: Chrome, bench: Bench) -> None:
    """Without a message for longer than a hung leader is given, it answers the other tab and goes on leading."""
    leader = join(chrome, bench, new=False)
    other = join(chrome, bench)
    time.sleep(13)  # longer than the watchdog of a tab waits
    assert sole(chrome, [leader, other]) == leader


@pytest.mark.parametrize("missing", ["delete Navigator.prototype.locks", "delete window.BroadcastChannel"])
def test_without_locks_or_channels(chrome: Chrome, bench: Bench, missing: str) -> None:
    """An older browser: each tab has a stream of its own, and all of the trades."""
    driver = chrome.driver
    tabs = []
    for number in range(2):
        if number:
            driver.switch_to.new_window("tab")
        added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": missing})
        tabs.append(join(chrome, bench, new=False))
        assert chrome.run("return !('locks' in navigator && 'BroadcastChannel' in window)")
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added["identifier"]})
    assert len(bench.streams) == 2
    bench.trade()
    for tab in tabs:
        until(lambda tab=tab: run_in(chrome, tab, ENTRIES) == [1], 5)  # type: ignore[misc]
        assert run_in(chrome, tab, FRESH)["leader"]


def test_back_from_the_cache(chrome: Chrome, bench: Bench) -> None:
    """A page that the browser put away and restores is not taken for live, and has what it missed in a moment."""
    join(chrome, bench, new=False)
    bench.trade()
    until(lambda: chrome.run(ENTRIES) == [1], 5)
    chrome.open("about:blank")
    until(lambda: not bench.streams or bench.trade(), 5, "the stream of the page is closed")
    for _ in range(3):
        bench.trade()
    chrome.driver.back()
    restored = chrome.run("return Boolean(window.stream)")
    if not restored:
        pytest.skip("this browser keeps no page")
    until(lambda: chrome.run(ENTRIES) == list(range(1, len(bench.trades) + 1)), 5)
    assert chrome.run(FRESH)["complete"]
