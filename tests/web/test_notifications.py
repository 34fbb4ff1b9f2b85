"""Desktop notifications in a real Chromium that allows them: the words of each."""

import random
from collections.abc import Iterator

import pytest

from tests.support.eventually import until
from tests.web import pictures, scenarios
from tests.web.chrome import Chrome
from tests.web.pictures import STATES, open_page, service_in
from tests.web.scripted_service import ScriptedService

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

RECORD = """
  window.notices = [];
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options) { super(title, options); window.notices.push([title, options.body, options.tag]); }
  };
"""
MARKET = "KXBTCD-26NOV2717-T92000"
WORDS = "3 NO at 0.41 · $92,000 or above · Bitcoin price on November 27, 2026 at 5pm EST?"


@pytest.fixture
def service(chrome: Chrome) -> Iterator[ScriptedService]:
    """A service whose page may notify, in a tab that another one hides."""
    with service_in(STATES[0]) as running:
        open_page(chrome, running)
        allowed = {"origin": chrome.run("return location.origin"), "permissions": ["notifications"]}
        chrome.driver.execute_cdp_cmd("Browser.grantPermissions", allowed)
        chrome.run(RECORD)
        page = chrome.driver.current_window_handle
        chrome.run("document.getElementById('notify').click()")
        until(lambda: chrome.run("return document.getElementById('notify').ariaPressed") == "true", 10)
        chrome.driver.switch_to.new_window("tab")
        other = chrome.driver.current_window_handle
        chrome.driver.switch_to.window(page)  # which shows the tab
        chrome.driver.execute_cdp_cmd("Target.activateTarget", {"targetId": other})
        until(lambda: chrome.run("return document.hidden"), 10, "the tab is hidden")
        yield running
        chrome.run("document.getElementById('notify').click()")
        chrome.driver.switch_to.window(other)
        chrome.driver.close()
        chrome.driver.switch_to.window(page)


def notices(chrome: Chrome) -> list[tuple[str, str, str]]:
    """Return title, text and tag of every notification."""
    return [tuple(each) for each in chrome.run("return window.notices")]


def trade(service: ScriptedService, **changes: object) -> None:
    terms = {"side": "BUY", "outcome": "no", "quantity": 3, "price": 0.41}
    service.add("trade", {**scenarios.trade(MARKET, service.now(), random.Random(1)), **terms, **changes})


def test_a_hidden_tab_notifies_of_trades_and_of_the_bot(chrome: Chrome, service: ScriptedService) -> None:
    """One trade, several at once, and a halt: side, quantity, outcome, price, market; the mode in the title."""
    title = "Prediction Investor · demo mode"
    trade(service)
    until(lambda: notices(chrome) == [(title, f"BUY {WORDS}", "trades")], 20, "the notice of one trade")
    for _ in range(4):
        trade(service)
    trade(service, side="SELL")
    until(lambda: len(notices(chrome)) == 2, 20, "the notice of several trades")
    assert notices(chrome)[-1] == (title, f"5 trades, the last: SELL {WORDS}", "trades")
    pictures.halt(service)
    until(lambda: len(notices(chrome)) == 3, 20, "the notice of the halt")
    assert notices(chrome)[-1] == (title, "Bot HALTED: daily loss of $50 reached", "bot")


def test_a_hidden_tab_notifies_of_a_server_that_is_gone(chrome: Chrome, service: ScriptedService) -> None:
    """Once, some seconds after its end, and title and icon show it."""
    service.stop()
    until(lambda: [each[1] for each in notices(chrome)] == ["The server does not answer."], 40, "the notice")
    assert chrome.run("return document.title").startswith("▲ OFFLINE")
