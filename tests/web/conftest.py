"""A browser and a running demo for the tests of the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.chrome import Chrome
from tests.web.stage import Stage


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    """One browser for the tests of a file."""
    with Chrome() as browser:
        yield browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Simulator, bot and server; tests of one file share them, and put back what they break."""
    folder: Path = tmp_path_factory.mktemp("stage")
    with Stage(folder) as running:
        yield running
