"""The lowest versions that setup.cfg allows, and the newest ones, each in an environment of its own."""

import configparser
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.neighbours import missing
from tests.support.server import ROOT, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TOOLS = ["asyncmy", "pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "hypothesis", "requests"]
TESTS = ["tests/test_golden.py", "tests/test_start.py", "tests/streams", "tests/kalshi/test_client.py"]


def _required() -> list[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    required = setup["options"]["install_requires"].split() + setup["options.extras_require"]["fast"].splitlines()
    return [line.partition(";")[0] for line in required if line]


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("versions", ["lowest", "newest"])
def test_the_service_works_with(tmp_path: Path, versions: str) -> None:
    """Frames, answers, start, streams and the exchange client pass their tests with these versions."""
    venv.create(tmp_path, with_pip=False)
    python = str(tmp_path / "bin" / "python")
    wanted = [each.replace(">=", "==") if versions == "lowest" else each for each in _required()]
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--upgrade"]
    installed = _run(*install, *wanted, *TOOLS)
    if installed.returncode:
        assert "Could not find a version" in installed.stderr or "connection" in installed.stderr, installed.stderr
        missing(f"package index: {installed.stderr.strip()[-200:]}", "connect to one")
    done = _run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow and not world", *TESTS)
    assert done.returncode == 0, done.stdout[-4000:]
