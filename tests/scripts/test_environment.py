"""Setting up by scripts/environment: progress from the first second, one sentence for each thing that is missing."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = sys.base_prefix + "/bin/python3"
SETUP = "[metadata]\nname = probe\nversion = 1\n[options]\ninstall_requires = no-such-package-{name}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one requirement that no index has, and the script that makes its environment."""
    shutil.copy(ROOT / "scripts" / "environment", tmp_path)
    (tmp_path / "setup.cfg").write_text(SETUP.format(name=tmp_path.name.replace("_", "-")))
    name = tmp_path.name.replace("_", "-")
    (tmp_path / "requirements.lock").write_text(f"no-such-package-{name}==1 --hash=sha256:{'0' * 64}\n")
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    return tmp_path


def python(project: Path, body: str) -> str:
    """Return the path of a Python that runs this shell line before the real one."""
    program = project / "python3"
    program.write_text(f'#!/bin/bash\n{body}\nexec {PYTHON} "$@"\n')
    program.chmod(0o755)
    return str(program)


def start(project: Path, **env: str) -> "subprocess.Popen[str]":
    """Start the set-up as a script does."""
    script = "set -euo pipefail; source ./environment; environment .venv some"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.Popen(
        ["bash", "-c", script], cwd=project, env=kept | {"PYTHON": PYTHON} | env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def message(project: Path, **env: str) -> str:
    """Return the last line that a set-up which must fail prints."""
    process = start(project, **env)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    return err.strip().splitlines()[-1]


def test_an_old_python_is_refused_by_name(project: Path) -> None:
    """A Python below 3.11 is named with its version, and the setting that chooses another."""
    old = python(project, '[ "$1" = --version ] && echo Python 3.9.2 && exit; exit 1')
    expected = f"Python 3.11 or newer is needed, found: {old} (Python 3.9.2). Install one, or set PYTHON to its path."
    assert message(project, PYTHON=old) == expected


def test_a_python_without_venv_is_refused(project: Path) -> None:
    """Debian's Python without python3-venv: the package to install is named."""
    bare = python(project, 'case "$*" in *ensurepip*) exit 1 ;; esac')
    assert "has no venv module. Install it (Debian: apt-get install python3-venv)" in message(project, PYTHON=bare)


def test_without_a_network_one_sentence(project: Path) -> None:
    """An index that refuses connections: one sentence and the log, not pip's own pages."""
    line = message(project, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert line.startswith("No network: pip reaches no package index.")
    assert line.endswith("Log: .venv.log")
    assert not (project / ".venv" / "stamp").exists()


def test_the_first_second_shows_progress(project: Path) -> None:
    """The first line comes before anything slow, and Ctrl-C ends the set-up with one sentence."""
    slow = python(project, 'case "$*" in *--clear*) sleep 60 ;; esac')
    started = time.monotonic()
    process = start(project, PYTHON=slow)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Setting up .venv with Python 3.")
    assert process.stderr.readline() == "  1/3 virtual environment\n"
    assert time.monotonic() - started < 10
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "Stopped. Run the same command again: it starts over."


def test_servers_are_found_without_sbin_on_the_path(project: Path) -> None:
    """A PATH without /usr/sbin finds Debian's servers all the same."""
    stamp = f"$({PYTHON} --version) $(cat setup.cfg requirements.lock | cksum) some"
    subprocess.run(["bash", "-c", f'mkdir .venv && echo "{stamp}" >.venv/stamp'], cwd=project, check=True)
    script = "source ./environment; environment .venv some; case :$PATH: in *:/usr/sbin:*) ;; *) exit 3 ;; esac"
    env = {"PATH": "/usr/bin:/bin", "PYTHON": PYTHON}
    assert subprocess.run(["bash", "-euc", script], cwd=project, env=env, check=False).returncode == 0
