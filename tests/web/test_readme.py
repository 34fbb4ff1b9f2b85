"""The picture of the page that the README shows: taken of a running demo, and light to load."""

import os
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.png import compact
from tests.web.stage import Stage

PICTURE = Path(__file__).parents[2] / "docs" / "dashboard.png"
TRADES, SETTLEMENTS = 500, 2
LIMIT = 1200.0  # seconds until so much has happened
DEMO = {
    "SIMULATOR_SPEED": "15", "SIMULATOR_SEED": "7", "BOT_SEED": "7", "BOT_MARKETS": "24", "BOT_ORDER_SIZE": "10",
    "BOT_MAX_POSITION": "40", "BOT_MARKET_EXPOSURE": "100", "BOT_EVENT_EXPOSURE": "200", "BOT_TOTAL_EXPOSURE": "800",
}  # fmt: skip
CURRENT = "return !document.querySelector('.alert, .old') && document.body.textContent.includes('complete up to')"
SETTLED = "return document.querySelectorAll('#equity .settlement').length"


def test_the_picture_is_small() -> None:
    """Under 150 kB, and a PNG."""
    data = PICTURE.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < 150_000


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(LIMIT + 120)
@pytest.mark.skipif("TAKE_PICTURE" not in os.environ, reason="set TAKE_PICTURE=1 to take docs/dashboard.png anew")
def test_take_the_picture(chrome: Chrome, tmp_path: Path) -> None:
    """The demo on a common screen after several hundred trades, some of them in markets that have paid."""
    with Stage(tmp_path, demo=DEMO) as stage:
        chrome.metrics(1440, 900)
        chrome.open(stage.base + "dashboard")
        until(lambda: int(stage.read("health")["journal"]["seq"]) > TRADES, LIMIT, "enough trades", every=1)
        until(lambda: chrome.run(SETTLED) >= SETTLEMENTS, LIMIT, "some settlements", every=1)
        until(lambda: chrome.text('[data-name="unexplained"] .number') == "$0.00", 60, "the account is reconciled")
        until(lambda: chrome.run(CURRENT), 60, "everything is confirmed", every=0.02)
        PICTURE.write_bytes(compact(chrome.picture("readme").read_bytes()))
