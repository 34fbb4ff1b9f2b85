"""The picture of the page that the README shows: taken of a running demo, and light to load."""

import os
from pathlib import Path

import pytest

from tests.support.eventually import until
from tests.web.chrome import Chrome
from tests.web.png import compact
from tests.web.stage import Stage

PICTURE = Path(__file__).parents[2] / "docs" / "dashboard.png"
TRADES = 60


def test_the_picture_is_small() -> None:
    """Under 150 kB, and a PNG."""
    data = PICTURE.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < 150_000


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif("TAKE_PICTURE" not in os.environ, reason="set TAKE_PICTURE=1 to take docs/dashboard.png anew")
def test_take_the_picture(chrome: Chrome, stage: Stage) -> None:
    """The demo after a minute or two of trading, on a common screen."""
    chrome.metrics(1440, 900)
    chrome.open(stage.base + "dashboard")
    until(lambda: int(stage.read("health")["journal"]["seq"]) > TRADES, 200, "enough trades for a picture")
    until(lambda: "complete up to" in chrome.text("#connection") and chrome.text("#alerts") == "", 60)
    until(lambda: chrome.text('[data-name="unexplained"] .number') != "–", 30, "the account is reconciled")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_bytes(compact(chrome.picture("readme").read_bytes()))
