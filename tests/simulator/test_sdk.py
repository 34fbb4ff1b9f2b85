"""The official SDK works against the simulator unchanged; its strict models are the oracle for every field."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.simulator import running_simulator

SCRIPT = Path(__file__).with_name("sdk_calls.py")


@functools.cache
def sdk_python() -> str | None:
    """A Python that can import kalshi_python_sync, which needs 3.13 or newer; PI_SDK_PYTHON names one."""
    for candidate in (os.environ.get("PI_SDK_PYTHON"), shutil.which("python3.13"), shutil.which("python3.14")):
        if candidate:
            done = subprocess.run(
                [candidate, "-c", "import kalshi_python_sync"], capture_output=True, timeout=60, check=False
            )
            if done.returncode == 0:
                return candidate
    return None


@pytest.mark.parametrize("key_id", ["demo-rsa", "demo-ed25519"])
def test_every_call_of_the_sdk_is_understood(tmp_path: Path, key_id: str) -> None:
    """Reads and writes, live and settled: no call fails, no model refuses an answer."""
    python = sdk_python()
    if python is None:
        pytest.skip("needs Python >= 3.13 with kalshi_python_sync 3.34: pip install it there, set PI_SDK_PYTHON")
    with running_simulator(tmp_path, "--tier", "prestige") as simulator:
        markets = simulator.ledger()["markets"]
        settled, ticker = markets[-2], markets[-1]
        simulator.fill(settled, "ask", "2.50", "0.4000")
        simulator.control("POST", "/settle", {"ticker": settled, "result": "scalar", "value": "0.3700"})
        simulator.fill(ticker, "bid", "3", "0.5000")
        simulator.quote(ticker, "0.4000", "0.4500")
        done = subprocess.run(
            [python, str(SCRIPT), simulator.url, key_id, str(simulator.keys[key_id]), ticker],
            capture_output=True, text=True, timeout=90, check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert {name: how for name, how in seen.items() if how != "ok"} == {}
    assert len(seen) == 58
