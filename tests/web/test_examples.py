"""The example pages of docs/examples, by the module and by a plain EventSource, in Chromium and in Firefox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import until
from tests.web import scenarios
from tests.web.chrome import Chrome
from tests.web.firefox import Firefox
from tests.web.scripted_service import ScriptedService

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.html"))
SEQS = "JSON.stringify([...document.querySelectorAll('#trades li')].map(item => item.value))"
STATE = "document.getElementById('state').textContent"

Browser = tuple[Callable[[str], None], Callable[[str], Any]]


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A function that opens a page, and one that returns the value of an expression in it."""
    if request.param == "chromium":
        with Chrome() as chrome:
            yield chrome.open, lambda expression: chrome.run(f"return {expression}")
    else:
        with Firefox() as firefox:
            yield firefox.open, firefox.run


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_shows_every_trade_once_across_a_cut(browser: Browser, example: Path) -> None:
    """The example shows the last trades, each new one once, and after a cut what was traded meanwhile."""
    open_page, value = browser

    def seqs() -> list[int]:
        found: list[int] = json.loads(value(SEQS))
        return found

    with ScriptedService(scenarios.ordinary(20), scenarios.ordinary_markets()) as service:
        service.pages["example"] = example.read_text()
        open_page(service.base + "example")
        before = until(lambda: value(STATE) == "Live" and seqs(), 20, "the example is live")
        trade = {key: each for key, each in service.entries[5].items() if key != "seq"}
        first = service.add("trade", {**trade, "trade_id": "new-1"})["seq"]
        until(lambda: seqs() == [first, *before], 10, "the new trade")
        service.cut()
        missed = service.add("trade", {**trade, "trade_id": "new-2"})["seq"]
        until(lambda: seqs() == [missed, first, *before], 20, "the trade made during the cut")
