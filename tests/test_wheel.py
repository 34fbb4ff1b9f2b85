"""The wheel: its contents, and serving and the demo without a checkout."""

import configparser
import contextlib
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from commands.ports import free_port
from tests.support.server import ROOT, clean_environment

pytestmark = pytest.mark.slow

BUILT_FROM = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def listed() -> tuple[set[str], set[str]]:
    """The top-level packages and the single modules that setup.cfg names."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    options = setup["options"]
    packages, modules = (options[name].replace(",", " ").split() for name in ("packages", "py_modules"))
    return {package.partition(".")[0] for package in packages}, set(modules)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since a build leaves its own folders behind."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    packages, modules = listed()
    for name in packages:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*BUILT_FROM, *(f"{name}.py" for name in modules)):
        shutil.copy(ROOT / file, source / file)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(source))
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment that holds the wheel, and borrows what it requires from ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    home = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    run(
        sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-deps",
        str(wheel),
    )  # fmt: skip
    # A path in a .pth file is not searched for further .pth files, so an editable install of ours stays unseen.
    (Path(home) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def run(*command: str) -> None:
    """Run a command to its end; its output is the failure's message."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def started(command: list[str], folder: Path) -> Iterator[Callable[[str], requests.Response]]:
    """The program, on a free port, in an empty folder; gives a way to ask it, once it answers."""
    port = free_port()
    base = f"http://127.0.0.1:{port}/api/python"
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=clean_environment(), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while not answers(f"{base}/health/live"):
            assert process.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < deadline, Path(log.name).read_text()
            time.sleep(0.1)
        yield lambda path: requests.get(base + path, timeout=10)
    finally:
        process.terminate()  # the demo ends its own processes in order
        process.wait(15)


def answers(url: str) -> bool:
    """Return True if the URL answers with 200."""
    with contextlib.suppress(requests.RequestException):
        return requests.get(url, timeout=2).ok
    return False


def test_it_holds_the_house_and_nothing_else(wheel: Path) -> None:
    """Every tracked file of every package, the single modules, and no other name at the top."""
    packages, modules = listed()
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in names} == packages | {f"{module}.py" for module in modules}
    there = {
        str(file.relative_to(ROOT))
        for package in packages
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if "/" in name} == there


def test_it_serves_from_an_empty_folder(programs: Path, tmp_path: Path) -> None:
    """The console script alone: API, page, documents and their modules."""
    folder = tmp_path / "empty"
    folder.mkdir()
    with started([str(programs / "prediction-investor")], folder) as ask:
        assert ask("/health").json()["parts"]["journal"]["state"] == "ok"
        for path in ("/dashboard", "/docs", "/openapi.json", "/web/dashboard.js", "/web/look.css", "/web/icon.svg"):
            assert ask(path).status_code == 200, path
    assert {file.suffix for file in folder.iterdir()} <= {".db", ".db-wal", ".db-shm"}


def test_its_demo_runs(programs: Path, tmp_path: Path) -> None:
    """Simulator, bot and server come out of the wheel, and the bot's trades reach the journal."""
    folder = tmp_path / "empty"
    folder.mkdir()
    with started([str(programs / "prediction-investor"), "demo"], folder) as ask:
        deadline = time.monotonic() + 60
        while not ask("/portfolio/trades/live").json()["count"]:
            assert time.monotonic() < deadline, "no trade within a minute"
            time.sleep(0.2)
        assert ask("/portfolio/balance").json()["balance"] > 0
    assert list(folder.iterdir()) == []
