"""A short sample of mutants of quick modules, each of which the tests must find."""

import subprocess
import sys

import pytest

from tests.support.server import ROOT, clean_environment

TESTS = ["tests/ledger/test_figures.py", "tests/cache/test_circuit_breaker.py", "tests/cache/test_edges.py"]


@pytest.mark.slow
def test_a_sample_is_killed() -> None:
    """Twelve faults in the ledger's amounts and the circuit breaker, by seed 1: none survives."""
    command = [
        sys.executable,
        "-m",
        "tests.mutation.run",
        "--packages",
        "ledger/amounts.py",
        "cache/circuit_breaker.py",
    ]
    done = subprocess.run(
        [*command, "--count", "6", "--seed", "1", "--least", "100", "--tests", *TESTS],
        cwd=ROOT, env=clean_environment() | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**cache**" in done.stdout
