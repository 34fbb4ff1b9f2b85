"""Clients that others wrote trade on the simulator unchanged; their strict models are oracles for every field."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.simulator import Simulator, running_simulator

SCRIPTS = Path(__file__).with_name("clients")
CLIENTS = {
    "official_sdk": ("kalshi_python_sync==3.34.*", "kalshi_python_sync"),
    "ccxt_client": ("ccxt==4.5.90", "ccxt.prediction"),
    "pykalshi_client": ("pykalshi==2.0.0", "pykalshi"),
    "kalshi_sdk_client": ("kalshi-sdk==22.4.0", "kalshi.ws.client"),
}
"""Script -> requirement, and the module that must be importable."""
OUTDATED = {"kalshi_sdk_client": {"markets": "liquidity_dollars"}}
"""Script -> step -> field that its models require although the exchange dropped it (1 October 2026)."""


@functools.cache
def python_with(requirement: str, module: str) -> str:
    """Return a Python 3.13 or newer that can import a client: a virtual environment that is created once and kept.

    PI_SDK_PYTHON may name a Python that has it. The clients need a newer Python than we do, so ours cannot hold them.
    """
    name = f"prediction-investor-{requirement.partition('=')[0]}-{os.getuid()}"
    kept = Path(tempfile.gettempdir()) / name / "bin" / "python"
    for python in (os.environ.get("PI_SDK_PYTHON"), str(kept)):
        if python and _succeeds(python, "-c", f"import {module}"):
            return python
    for python in _newer_pythons():
        if not _succeeds(python, "-c", "import ssl, venv, sys; sys.exit(sys.version_info < (3, 13))"):
            continue
        if _succeeds(python, "-m", "venv", "--clear", str(kept.parent.parent)) and _succeeds(
            str(kept), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement
        ):
            return str(kept)
        pytest.skip(f"{python} could not install {requirement}: set PI_SDK_PYTHON to a Python that has it")
    pytest.skip(f"needs Python >= 3.13 on the PATH or under ~/.pyenv/versions, or PI_SDK_PYTHON with {requirement}")


def _newer_pythons() -> Iterator[str]:
    for name in ("python3.13", "python3.14"):
        if found := shutil.which(name):
            yield found
    yield from map(str, sorted(Path.home().glob(".pyenv/versions/3.1[34]*/bin/python3")))


def _succeeds(*command: str) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=180, check=False).returncode == 0
    return False


def outcomes(simulator: Simulator, script: str, key_id: str) -> dict[str, str]:
    """Run a client's script on an account with one settled market and return step -> outcome."""
    python = python_with(*CLIENTS[script])
    markets = simulator.ledger()["markets"]
    settled, ticker = markets[-2], markets[-1]
    simulator.fill(settled, "ask", "2.50", "0.4000")
    simulator.control("POST", "/settle", {"ticker": settled, "result": "scalar", "value": "0.3700"})
    for action in ("/deposit", "/withdraw"):
        simulator.control("POST", action, {"amount_cents": 100, "fee_cents": 1})
    simulator.quote(ticker, "0.4000", "0.4500")
    arguments = [simulator.url, simulator.ws_url, key_id, str(simulator.keys[key_id]), ticker, settled]
    done = subprocess.run(
        [python, str(SCRIPTS / f"{script}.py"), *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("script", "key_id", "steps"),
    [
        ("official_sdk", "demo-rsa", 74),
        ("official_sdk", "demo-ed25519", 74),
        ("ccxt_client", "demo-rsa", 24),
        ("pykalshi_client", "demo-rsa", 33),
        ("kalshi_sdk_client", "demo-rsa", 35),
    ],
)
def test_every_step_of_another_client_succeeds(tmp_path: Path, script: str, key_id: str, steps: int) -> None:
    """Reads, writes, kills, fills, settlements and channels: no call fails and no model refuses an answer."""
    with running_simulator(tmp_path, "--tier", "prestige") as simulator:
        found = outcomes(simulator, script, key_id)
    outdated = OUTDATED.get(script, {})
    assert all(field in found.pop(name) for name, field in outdated.items())
    assert {name: outcome for name, outcome in found.items() if outcome != "ok"} == {}
    assert len(found) >= steps
