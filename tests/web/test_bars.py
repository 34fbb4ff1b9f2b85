"""The bars by market, drawn by a real Chromium: no name is ever under a bar."""

from collections.abc import Iterator

import pytest

from tests.support.eventually import until
from tests.web.bench import Bench
from tests.web.chrome import Chrome

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAW = """
  const [width, bars] = arguments;
  document.body.innerHTML = '<div class="chart" id="bars"></div>';
  const place = document.getElementById('bars');
  place.style.width = `${width}px`;
  import('./web/bars.js').then(({ Bars }) => new Bars(place).show(bars));
"""
MEASURED = """
  return [...document.querySelectorAll('.bars li')].map(row => {
    const [name, track, amount] = row.children;
    const [head, tail] = name.children;
    const x = e => { const r = e.getBoundingClientRect(); return [r.left, r.right]; };
    return {name: x(name), tail: x(tail), bar: x(track.firstChild), amount: x(amount), row: x(row), title: name.title};
  });
"""
LOSS = {"name": "KXETHD-26NOV22185306-T3000", "value": -61234.5}
SMALL = {"name": "KXETHD-26NOV22185306-T3100", "value": -0.4}
GAIN = {"name": "KXHIGHNYC-26NOV22-B54.5", "value": 61234.5}
ENDLESS = {"name": "KX" + "LONG" * 20, "value": 12.25}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """The modules and an empty page."""
    with Bench() as server:
        yield server


@pytest.mark.parametrize("width", [300, 340, 480, 900])
@pytest.mark.parametrize("bars", [[LOSS, SMALL], [LOSS, GAIN, SMALL], [GAIN, ENDLESS]], ids=["losses", "both", "gains"])
def test_no_name_under_a_bar(chrome: Chrome, bench: Bench, width: int, bars: list[dict[str, object]]) -> None:
    """Name, bar and amount keep to their columns at every width; a cut name keeps its strike and is told in full."""
    chrome.open(bench.base + "styled")
    chrome.run(DRAW, width, bars)
    rows = until(lambda: chrome.run(MEASURED))
    assert len(rows) == len(bars)
    for row in rows:
        assert row["name"][1] <= row["bar"][0] + 0.5
        assert row["tail"][1] <= row["name"][1] + 0.5
        assert row["bar"][1] <= row["amount"][0] + 0.5
        assert row["amount"][1] <= row["row"][1] + 0.5
        assert row["bar"][1] > row["bar"][0]
        assert row["title"] in {bar["name"] for bar in bars}
