"""A browser, a running demo and axe-core for the tests of the page."""

import os
import subprocess
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
    """Simulator, bot and server; tests of one file share them and repair what they break."""
    folder: Path = tmp_path_factory.mktemp("stage")
    with Stage(folder) as running:
        yield running


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The text of axe-core, from npm, for tests only."""
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(["npm", "install", "--silent", "axe-core@4"], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("axe-core could not be read from npm")
    return (folder / "node_modules/axe-core/axe.min.js").read_text()
