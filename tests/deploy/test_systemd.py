"""The units: systemd itself finds no fault with them, and they ask for no more of the machine than they need."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.apache import wanted

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
INSTALLED = "/opt/prediction-investor/venv/bin/"


@pytest.fixture(params=UNITS, ids=lambda unit: unit.stem)
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A unit whose programs exist on this machine, as `systemd-analyze verify` demands."""
    for name in ("prediction-investor", "python"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    original: Path = request.param
    copy = tmp_path / original.name
    copy.write_text(original.read_text().replace(INSTALLED, f"{tmp_path}/"))
    return copy


def test_verify(unit: Path) -> None:
    """Every line is known to systemd, and every program is there."""
    program = wanted("systemd-analyze", "systemd")
    found = subprocess.run([program, "verify", unit], capture_output=True, text=True, timeout=60)
    ours = [line for line in found.stderr.splitlines() if unit.name in line]
    assert not ours
    assert found.returncode == 0, found.stderr


def test_exposure(unit: Path) -> None:
    """`systemd-analyze security` calls the unit well protected: 1.4 of 10, where 9.6 stands for none at all."""
    program = wanted("systemd-analyze", "systemd")
    command: list[str | Path] = [program, "security", "--offline=yes", "--threshold=20", unit]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout[-400:]


@pytest.mark.parametrize("unit_file", UNITS, ids=lambda unit: unit.stem)
def test_secrets_come_as_credentials(unit_file: Path) -> None:
    """No secret stands in a unit or its environment file: each setting that names one points to a credential."""
    text = unit_file.read_text()
    credentials = set(re.findall(r"^LoadCredential=([a-z-]+):", text, re.M))
    pointed = set(re.findall(r"^Environment=\w+=%d/([a-z-]+)$", text, re.M))
    assert credentials == pointed
