"""The lines to change are lines that Apache takes."""

import subprocess
from pathlib import Path

import pytest

from commands.doctor.findings import CURES
from tests.support.apache import wanted, write_site


def test_a_cure_is_short() -> None:
    """Lines for a file, none too long to read."""
    assert all(len(line) <= 120 for cure in CURES.values() for line in cure.splitlines())


@pytest.mark.apache
def test_apache_takes_the_cures(tmp_path: Path) -> None:
    """All of them together in one site: apache2 -t says that the syntax is good."""
    values = {"PI_LISTEN": "127.0.0.1:8080", "PI_PORT": "8080"}
    main = write_site(tmp_path, values)
    cures = "\n".join(CURES.values())
    main.write_text(f"{main.read_text()}\n{cures}\n")
    command = [wanted("apache2", "apache2"), "-d", str(tmp_path), "-f", str(main), "-t"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert said.returncode == 0, said.stderr
