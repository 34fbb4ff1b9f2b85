"""The official SDK works against the simulator unchanged; its strict models are the oracle for every field."""

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

from tests.support.simulator import running_simulator

SDK = "kalshi_python_sync==3.34.*"
SCRIPT = Path(__file__).with_name("sdk_calls.py")


@functools.cache
def sdk_python() -> str:
    """A Python that can import kalshi_python_sync: the one that PI_SDK_PYTHON names, or one made and kept for it.

    It needs 3.13 or newer, so it cannot live beside our own oldest Python.
    """
    kept = Path(tempfile.gettempdir()) / f"prediction-investor-sdk-{os.getuid()}" / "bin" / "python"
    for python in (os.environ.get("PI_SDK_PYTHON"), str(kept)):
        if python and _runs(python, "-c", "import kalshi_python_sync"):
            return python
    for python in _newer_pythons():
        if not _runs(python, "-c", "import ssl, venv, sys; sys.exit(sys.version_info < (3, 13))"):
            continue
        if _runs(python, "-m", "venv", "--clear", str(kept.parent.parent)) and _runs(
            str(kept), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SDK
        ):
            return str(kept)
        pytest.skip(f"{python} could not install {SDK}: set PI_SDK_PYTHON to a Python that has it")
    pytest.skip(f"needs Python >= 3.13 on the PATH or under ~/.pyenv/versions, or PI_SDK_PYTHON with {SDK}")


def _newer_pythons() -> Iterator[str]:
    for name in ("python3.13", "python3.14"):
        if found := shutil.which(name):
            yield found
    yield from map(str, sorted(Path.home().glob(".pyenv/versions/3.1[34]*/bin/python3")))


def _runs(*command: str) -> bool:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, timeout=90, check=False).returncode == 0
    return False


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("key_id", ["demo-rsa", "demo-ed25519"])
def test_every_call_of_the_sdk_is_understood(tmp_path: Path, key_id: str) -> None:
    """Reads and writes, live and settled: no call fails, no model refuses an answer."""
    python = sdk_python()
    with running_simulator(tmp_path, "--tier", "prestige") as simulator:
        markets = simulator.ledger()["markets"]
        settled, ticker = markets[-2], markets[-1]
        simulator.fill(settled, "ask", "2.50", "0.4000")
        simulator.control("POST", "/settle", {"ticker": settled, "result": "scalar", "value": "0.3700"})
        simulator.fill(ticker, "bid", "3", "0.5000")
        simulator.quote(ticker, "0.4000", "0.4500")
        done = subprocess.run(
            [python, str(SCRIPT), simulator.url, key_id, str(simulator.keys[key_id]), ticker],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert {name: how for name, how in seen.items() if how != "ok"} == {}
    assert len(seen) == 58
