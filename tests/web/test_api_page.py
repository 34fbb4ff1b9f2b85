"""The API page in a real Chromium, before a running demo: requests that run, curl commands, events, search."""

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.stage import Stage
from tests.web.test_dashboard import violations

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

OPERATIONS = "return document.querySelectorAll('.operation:not([hidden])').length"
CLICK = "document.querySelector(`${arguments[0]} .runner > button`).click()"


@pytest.fixture(autouse=True)
def api_page(chrome: Chrome, stage: Stage) -> None:
    """Open the page and wait until the document was read."""
    chrome.open(stage.base + "docs")
    until(lambda: chrome.run(OPERATIONS) > 15, 10, "the operations")


def test_a_request_runs_and_its_command_can_be_copied(chrome: Chrome, stage: Stage) -> None:
    """Parameters go into the URL of the curl command; Run shows status and body; history offers CSV too."""
    card = "#get-portfolio-trades-history"
    chrome.driver.find_element("css selector", f"{card} input[aria-label=limit]").send_keys("2")
    commands = chrome.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", f"{card} code")
    assert f"curl '{stage.base}portfolio/trades/history?limit=2'" in commands
    assert any("Accept: text/csv" in command for command in commands)
    chrome.run(CLICK, card)
    until(lambda: '"cursor"' in chrome.text(f"{card} .output"), 10)
    assert "200 OK" in chrome.text(f"{card} .output")
    assert chrome.errors() == []


def test_a_stream_opens_and_its_events_have_schemas(chrome: Chrome) -> None:
    """Opening a stream shows its events; each event has an example and the fields of its payload."""
    card = "#get-sse-trading"
    chrome.run(CLICK, card)
    until(lambda: "event: heartbeat" in chrome.text(f"{card} .output"), 10)
    assert "Event correction" in chrome.text(card)
    assert "corrects" in chrome.text(card)


def test_a_search_leaves_what_matches(chrome: Chrome) -> None:
    """The search hides operations without its words, in the index too."""
    chrome.driver.find_element("id", "search").send_keys("settlements paid")
    until(lambda: 0 < chrome.run(OPERATIONS) < 8, 5)
    left = "return [...document.querySelectorAll('.operation:not([hidden]) h2')].map(each => each.textContent).join()"
    assert "/portfolio/settlements" in chrome.run(left)


def test_axe_finds_nothing_on_the_api_page(chrome: Chrome, axe: str) -> None:
    """axe-core finds nothing."""
    assert violations(chrome, axe) == ""
