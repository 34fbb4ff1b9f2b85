"""The page in a real Chromium, before a running demo whose parts are killed one after the other."""

import json
import re
import time

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

SEQS = """
  const rows = [...document.querySelectorAll('#view-trades .tbody .tr')];
  rows.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
  return rows.map(row => Number(row.lastElementChild.textContent));
"""
OLD = "return document.querySelector('#figures [data-name=\"realized\"]').classList.contains('old')"


def place(chrome: Chrome) -> int:
    """Return the seq up to which the page is complete, as it shows; 0 when it shows none."""
    found = re.search(r"complete up to #([\d,]+)", chrome.text("#connection"))
    return int(found.group(1).replace(",", "")) if found else 0


def head(stage: Stage) -> int:
    """Return the seq of the journal's last entry."""
    return int(stage.read("health")["journal"]["seq"])


def show(chrome: Chrome, stage: Stage, view: str = "overview", within: float = 30) -> None:
    """Open a view of the page and wait until it is live."""
    chrome.open("about:blank")
    chrome.open(f"{stage.base}dashboard#/{view}")
    until(lambda: place(chrome) > 0, within, "the page is live")


def in_order(chrome: Chrome) -> None:
    """Assert that the rows are the journal's last ones, each once."""
    seqs = until(lambda: chrome.run(SEQS), 5, "rows of trades")
    assert seqs == list(range(seqs[0], seqs[0] - len(seqs), -1))


def violations(chrome: Chrome, axe: str) -> str:
    """Return what axe-core finds on the page, as text; empty when it finds nothing."""
    chrome.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
    run = "const done = arguments[arguments.length - 1]; axe.run().then(done, e => done({violations: [String(e)]}))"
    found = chrome.driver.execute_async_script(run)["violations"]
    brief = [[v["id"], v["impact"], [n["html"][:200] for n in v["nodes"][:3]]] for v in found]
    return json.dumps(brief, indent=1) if brief else ""


@pytest.mark.parametrize("form", ["dashboard", "dashboard/"])
def test_first_paint_is_fast_and_the_console_clean(chrome: Chrome, stage: Stage, form: str) -> None:
    """The page is painted within two seconds and live within five, with and without a trailing slash."""
    chrome.open(stage.base + form)
    until(lambda: "Live" in chrome.text("#connection"), 8)
    until(lambda: chrome.text("#figures .number").startswith("$"), 5)
    paint = chrome.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2000, f"{paint} ms"
    assert "DEMO" in chrome.text("#mode")
    assert chrome.errors() == []


def test_trades_appear_live_and_in_order(chrome: Chrome, stage: Stage) -> None:
    """Trades appear without a reload, each once and in order, and their sums follow."""
    show(chrome, stage, "trades")
    before = place(chrome)
    until(lambda: place(chrome) >= before + 3, 40, "three more trades")
    in_order(chrome)
    assert chrome.text('#figures [data-name="realized"] .age') == "live"
    assert chrome.errors() == []


def test_a_killed_server_looks_old_and_is_current_after_its_restart(chrome: Chrome, stage: Stage) -> None:
    """SIGKILL shows within a second in figures, title and icon, and ends within five seconds of the restart."""
    show(chrome, stage, "trades")
    stage.kill("server")
    begun = time.monotonic()
    until(lambda: chrome.run(OLD), 5)
    assert time.monotonic() - begun < 2
    assert "OFFLINE" in chrome.run("return document.title")
    assert chrome.run("return document.querySelector('link[rel=icon]').dataset.tone") == "old"
    until(lambda: "cannot be reached" in chrome.text("#alerts"), 12)
    stage.server()
    begun = time.monotonic()
    until(lambda: place(chrome) >= head(stage) > 0, 8, "current again")
    assert time.monotonic() - begun < 5
    until(lambda: not chrome.run(OLD) and chrome.text("#alerts") == "", 8)
    in_order(chrome)
    assert "OFFLINE" not in chrome.run("return document.title")
    assert chrome.errors() == []


def test_another_journal_is_read_from_its_beginning(chrome: Chrome, stage: Stage) -> None:
    """A page reads a replaced journal anew and keeps no row of the old one."""
    show(chrome, stage, "trades")
    stage.kill("server")
    for file in stage.folder.glob("journal.db*"):
        file.unlink()
    stage.server()
    until(lambda: place(chrome) >= head(stage) > 0, 20, "the new journal")
    until(lambda: (chrome.run(SEQS) or [0])[0] == place(chrome), 10, "its last entry")
    in_order(chrome)
    until(lambda: "replaced" not in chrome.text("#alerts"), 10)
    assert chrome.errors() == []


def test_a_dead_bot_is_one_alert_that_ends_with_its_return(chrome: Chrome, stage: Stage) -> None:
    """A dead bot shows within a few polls as one alert, and its return removes it."""
    show(chrome, stage)
    stage.kill("bot")
    until(lambda: "offline" in chrome.text("#bot"), 15)
    until(lambda: chrome.run("return document.querySelectorAll('.alert').length") == 1, 10)
    stage.bot()
    until(lambda: chrome.text("#bot").startswith("Bot trading") or "online" in chrome.text("#bot"), 30)
    until(lambda: chrome.text("#alerts") == "", 15)


def test_an_exchange_that_is_gone_leaves_the_last_cash_in_grey(chrome: Chrome, stage: Stage) -> None:
    """Without the exchange the page shows an alert and its last cash marked old."""
    show(chrome, stage)
    until(lambda: chrome.text('[data-name="cash"] .number').startswith("$"), 10)
    stage.kill("simulator")
    until(lambda: "exchange" in chrome.text("#alerts").lower(), 60, "an alert")
    until(lambda: chrome.run("return document.querySelector('[data-name=\"cash\"]').classList.contains('old')"), 40)
    assert chrome.text('[data-name="cash"] .number').startswith("$")
    assert "Live" in chrome.text("#connection")
    assert chrome.errors() == []
