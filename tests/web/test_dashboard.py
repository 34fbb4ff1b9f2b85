"""The page in a real Chromium, before a running demo whose parts are killed one after the other."""

import json
import re
import subprocess
import time

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

SEQS = "return [...document.querySelectorAll('#trades tbody tr')].map(row => Number(row.lastElementChild.textContent))"
MARKETS = "return [...document.querySelectorAll('#trades tbody .market')].map(cell => cell.title)"
SIDEWAYS = """
  const wide = place => place.scrollWidth > place.clientWidth;
  return [...document.querySelectorAll('.table')].filter(wide).map(place => place.parentNode.id);
"""
JUMPS = """
  window.jumps = 0;
  const rows = document.querySelector('#trades tbody');  // which move down by nature when one comes on top
  const count = (entry) => {
    if (!entry.hadRecentInput && entry.sources.some(s => s.node && !rows.contains(s.node))) window.jumps += entry.value;
  };
  new PerformanceObserver(list => list.getEntries().forEach(count)).observe({type: 'layout-shift', buffered: false});
"""


def place(chrome: Chrome) -> int:
    """The seq up to which the page says it is complete; 0 when it does not say so."""
    found = re.search(r"complete up to #(\d+)", chrome.text("#stream"))
    return int(found.group(1)) if found else 0


def head(stage: Stage) -> int:
    return int(stage.read("health")["journal"]["seq"])


def shown(chrome: Chrome, stage: Stage, within: float = 30) -> None:
    """Open the page and wait for trades on it."""
    chrome.open(stage.base + "dashboard")
    until(lambda: place(chrome) > 0 and chrome.run(SEQS), within, "trades on the page")


def whole(chrome: Chrome) -> None:
    """The rows of the page are the journal's last ones, each once, in order."""
    seqs = chrome.run(SEQS)
    assert seqs == list(range(seqs[0], seqs[0] - len(seqs), -1))


def test_first_paint(chrome: Chrome, stage: Stage) -> None:
    """Structure at once, numbers within a second or two, and a clean console."""
    chrome.open(stage.base + "dashboard")
    until(lambda: "Live" in chrome.text("#stream"), 5)
    until(lambda: chrome.text("#figures .number").startswith("$"), 5)
    paint = chrome.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2000, f"{paint} ms"
    assert "DEMO" in chrome.text("#banner")
    assert chrome.errors() == []


def test_works_with_a_trailing_slash(chrome: Chrome, stage: Stage) -> None:
    """Links are relative to the page either way."""
    chrome.open(stage.base + "dashboard/")
    until(lambda: "Live" in chrome.text("#stream"), 5)
    assert chrome.errors() == []


def test_live_trades(chrome: Chrome, stage: Stage) -> None:
    """Trades appear without a reload, in order; the sums follow, and nothing jumps."""
    shown(chrome, stage)
    chrome.run(JUMPS)
    before = place(chrome)
    until(lambda: place(chrome) >= before + 3, 40, "three more trades")
    whole(chrome)
    assert chrome.run("return window.jumps") < 0.02
    assert "agree" in until(lambda: chrome.text("#positions-check"), 30)
    chrome.picture("live")
    assert chrome.errors() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "desk", "phone", "small"])
def test_pictures(chrome: Chrome, stage: Stage, theme: str, size: str) -> None:
    """Every size in light and dark fits its width, tables too; the pictures are there to be looked at."""
    chrome.theme(theme)
    chrome.size(size)
    if "Live" not in chrome.text("#stream"):
        shown(chrome, stage)
    time.sleep(0.4)  # for the transition of the system's preference
    chrome.picture(f"{size}-{theme}", whole=True)
    assert chrome.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert chrome.run(SIDEWAYS) == []
    chrome.theme("light")
    chrome.size("wide")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe(chrome: Chrome, stage: Stage, theme: str, axe: str) -> None:
    """axe-core finds nothing serious or critical."""
    chrome.theme(theme)
    shown(chrome, stage)
    chrome.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    run = "const done = arguments[arguments.length - 1]; axe.run().then(done, e => done({violations: [String(e)]}))"
    found = chrome.driver.execute_async_script(run)["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    chrome.theme("light")
    assert serious == [], json.dumps([[v["id"], [n["html"][:200] for n in v["nodes"][:3]]] for v in serious], indent=1)


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of axe-core, from npm, for tests only."""
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(["npm", "install", "--silent", "axe-core@4"], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("axe-core could not be had from npm")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def test_filter_and_keyboard(chrome: Chrome, stage: Stage) -> None:
    """The ticker filter keeps what matches; the curve is read with arrow keys; CSV holds the same rows."""
    shown(chrome, stage)
    ticker = re.findall(r"[A-Z0-9.-]+", chrome.run(MARKETS)[0])[-1]
    chrome.driver.find_element("id", "ticker").send_keys(ticker)
    until(lambda: all(ticker in title for title in chrome.run(MARKETS)), 5)
    chrome.driver.find_element("id", "ticker").send_keys("-no-such")
    until(lambda: "Nothing matches" in chrome.text("#trades .table"), 5)
    chrome.picture("nothing-matches")
    chart = chrome.driver.find_element("id", "equity-chart")
    chart.send_keys("\ue012")  # left
    until(lambda: "$" in chrome.text("#equity-readout"), 5)


def test_server_killed_and_back(chrome: Chrome, stage: Stage) -> None:
    """After SIGKILL and a restart the page is current again within five seconds, and nothing is missing."""
    shown(chrome, stage)
    stage.kill("server")
    until(lambda: "Disconnected" in chrome.text("#stream"), 5)
    until(lambda: chrome.run("return document.getElementById('trades').classList.contains('stale')"), 5)
    until(lambda: "cannot be reached" in chrome.text("#alerts"), 12)
    chrome.picture("server-gone")
    stage.server()
    begun = time.monotonic()
    until(lambda: place(chrome) >= head(stage) > 0, 5, "current again")
    assert time.monotonic() - begun < 5
    until(lambda: "cannot be reached" not in chrome.text("#alerts"), 5)
    whole(chrome)
    assert not chrome.run("return document.getElementById('trades').classList.contains('stale')")
    assert chrome.errors() == []


def test_another_journal(chrome: Chrome, stage: Stage) -> None:
    """When the journal is exchanged the page is told so, reads all anew and goes on with the new one."""
    shown(chrome, stage)
    before = chrome.run(SEQS)
    stage.kill("server")
    for file in stage.folder.glob("journal.db*"):
        file.unlink()
    stage.server()
    until(lambda: place(chrome) >= head(stage) > 0, 20, "the new journal")
    until(lambda: chrome.run(SEQS) and chrome.run(SEQS)[-1] == 1, 10, "its first entry")
    assert before
    whole(chrome)
    until(lambda: "exchanged" not in chrome.text("#alerts"), 10)
    assert chrome.errors() == []


def test_bot_dead(chrome: Chrome, stage: Stage) -> None:
    """A dead bot is told within a few polls, and so is its return."""
    shown(chrome, stage)
    stage.kill("bot")
    until(lambda: "offline" in chrome.text("#bot"), 15)
    chrome.picture("bot-dead")
    stage.bot()
    until(lambda: "online" in chrome.text("#bot"), 30)


def test_exchange_down(chrome: Chrome, stage: Stage) -> None:
    """With the exchange gone the page says so, keeps its last numbers, and goes on."""
    shown(chrome, stage)
    cash = until(lambda: chrome.text("#figures .number"), 5)
    stage.kill("simulator")
    until(lambda: chrome.text("#alerts"), 40, "an alert")
    chrome.picture("exchange-down")
    assert chrome.text("#figures .number") == cash
    assert "Live" in chrome.text("#stream")
    until(lambda: chrome.run("return document.querySelector('#figures .figure').classList.contains('stale')"), 40)
    chrome.picture("exchange-long-down")
    assert chrome.errors() == []


def test_api_page(chrome: Chrome, stage: Stage, axe: str) -> None:
    """openapi.json becomes a page to read, in the same look, behind either form of the URL."""
    for path in ("docs", "docs/"):
        chrome.open(stage.base + path)
        until(lambda: chrome.run("return document.querySelectorAll('.operation').length") > 15, 5)
    chrome.picture("docs", whole=False)
    chrome.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    run = "const done = arguments[arguments.length - 1]; axe.run().then(done)"
    found = chrome.driver.execute_async_script(run)["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert chrome.errors() == []
