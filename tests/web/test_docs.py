"""docs/web.md: its examples run as they stand, in a real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.web.bench import Bench
from tests.web.chrome import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TEXT = (Path(__file__).parents[2] / "docs" / "web.md").read_text()
EXAMPLES = re.findall(r'<script type="module">\n(.*?)</script>', TEXT, re.DOTALL)
RUN = """
  window.shown = [];
  window.show = (...what) => window.shown.push(what);
  const script = document.createElement('script');
  script.type = 'module';
  script.textContent = arguments[0];
  document.body.append(script);
"""


@pytest.fixture
def bench() -> Iterator[Bench]:
    """The modules, and three trades made before anyone listens."""
    with Bench() as server:
        for _ in range(3):
            server.trade()
        yield server


def play(chrome: Chrome, bench: Bench, example: str) -> None:
    """Run an example on an empty page, its API at the root of the test's own server."""
    chrome.open(bench.base)
    chrome.run(RUN, example.replace("/api/python/", "/"))
    until(lambda: bench.streams, 5, "the stream is open")


def test_three_lines(chrome: Chrome, bench: Bench) -> None:
    """A trade made now is shown."""
    play(chrome, bench, EXAMPLES[0])
    bench.trade()
    assert until(lambda: chrome.run("return window.shown.map(([trade]) => trade.seq)"), 5) == [4]
    assert chrome.errors() == []


def test_positions(chrome: Chrome, bench: Bench) -> None:
    """All of the journal at once, and each trade after it."""
    play(chrome, bench, EXAMPLES[1])
    until(lambda: chrome.run("return window.shown.at(-1)?.[0][0]?.quantity") == "3", 5)
    bench.trade()
    until(lambda: chrome.run("return window.shown.at(-1)?.[1].cost") == "2", 5)
    assert chrome.errors() == []
