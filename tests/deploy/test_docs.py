"""The commands in docs/ are run here as they stand, or say that they are not; what the pages name exists."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.deploy.conftest import make_service
from tests.support.apache import wanted
from tests.support.fakebot import FakeBot
from tests.support.service import Service
from tests.support.simulator import running_simulator

ROOT = Path(__file__).parents[2]
NAMES = ("deploying", "operating", "security", "spring", "upgrading", "failures")
PAGES = [ROOT / "docs" / f"{name}.md" for name in NAMES]
NOT_RUN = ("# not run by the tests: ", "# run by tests/")


def blocks(page: Path) -> list[str]:
    """The shell blocks of a page."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder where the project seems to lie: the commands write here and not into the project."""
    for name in ("server.py", "deploy", "bot"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
async def test_commands_run(page: Path, folder: Path) -> None:
    """Each block of a page, in its order, beside a running service; a wrong command fails the page."""
    run = [block for block in blocks(page) if not block.startswith(NOT_RUN)]
    if any("promtool" in block for block in run):
        wanted("promtool", "prometheus")
    keys = folder / "keys"
    keys.mkdir()
    with running_simulator(keys) as exchange:
        async with FakeBot().serving() as bot, make_service(bot, folder) as service:
            bot.trade(3)
            await run_blocks(run, service, folder, exchange.url)


async def run_blocks(scripts: list[str], service: Service, folder: Path, exchange: str) -> None:
    """Run them one after the other, as somebody would who follows the page."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = service.env | {"PATH": path, "KALSHI_API_URL": exchange}
    for block in scripts:
        script = block.replace("127.0.0.1:8000", service.address)
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", script, cwd=folder, env=env,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        found, _ = await asyncio.wait_for(shell.communicate(), 60)
        assert shell.returncode == 0, f"{script}\n{found.decode()}"


def test_blocks_that_are_not_run_say_why() -> None:
    """A block is run, or its first line says why not; and the pages consist of more than the latter."""
    every = [block for page in PAGES for block in blocks(page)]
    assert sum(block.startswith(NOT_RUN) for block in every) < len(every) - 6
    assert not [block for block in every if NOT_RUN[0] in block and not block.startswith(NOT_RUN)]


def test_modules_named_are_those_loaded() -> None:
    """The a2enmod line names what httpd.conf loads, so that the tests' Apache is the reader's."""
    named = re.search(r"^a2enmod (.+)$", (ROOT / "docs" / "deploying.md").read_text(), re.M)
    assert named
    loaded = re.findall(r"LoadModule (\w+)_module", (ROOT / "deploy" / "apache" / "httpd.conf").read_text())
    assert set(named[1].split()) == set(loaded) - {"unixd", "mpm_event"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_named_exist(page: Path) -> None:
    """Each path of the project that a page names is there."""
    for path in re.findall(r"`((?:deploy|docs|tests|scripts)/[\w./-]+)`", page.read_text()):
        assert (ROOT / path).exists(), path
