"""One pytest run in a forked process over a copy of the tree, ended after a time limit."""

import contextlib
import importlib
import os
import resource
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import pytest

OURS = {"server", "config", "cache", "kalshi", "journal", "ledger", "cluster", "ingest", "streams", "routes",
        "runtime", "commands", "bot", "simulator", "web", "tests"}  # fmt: skip
# Imported once before the first fork, so that a run starts in a fraction of a second.
# The plugins that pytest loads by itself are among them: schemathesis alone takes half a second.
PRELOADED = ("pytest_asyncio.plugin", "pytest_timeout", "hypothesis", "hypothesis.internal.conjecture.engine",
             "hypothesis.strategies", "_hypothesis_pytestplugin", "schemathesis.pytest.plugin", "anyio.pytest_plugin",
             "aiohttp.web", "starlette.applications", "uvicorn", "redis.asyncio", "sqlite3",
             "coverage", "cryptography.hazmat.primitives.asymmetric.rsa")  # fmt: skip
PYTEST = (
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-m",
    "not slow and not world",
    "--timeout",
    "60",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


LOADED = 4  # times that a run may take by the clock on a machine that does other work too


def preload() -> None:
    """Import what the tests need from other projects; nothing of this project."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


@dataclass(slots=True)
class Session:
    """A running pytest: its process and the moment at which it is killed."""

    process: int
    deadline: float  # by time.monotonic()

    def poll(self) -> int | None:
        """Return pytest's exit code, -1 if a signal or a limit ended it, None while it runs."""
        ended, status = os.waitpid(self.process, os.WNOHANG)
        if ended:
            self._kill_group()
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else -1
        if time.monotonic() < self.deadline:
            return None
        self._kill_group()
        os.waitpid(self.process, 0)
        return -1

    def wait(self) -> int:
        """Return the exit code when the run has ended."""
        while (code := self.poll()) is None:
            time.sleep(0.02)
        return code

    def _kill_group(self) -> None:
        """End the run and every process that its tests left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)


def start_session(tree: Path, arguments: list[str], plugins: list[object], limit: float) -> Session:
    """Start pytest over tree in a process of its own.

    limit: seconds of the processor's time after which it is killed; LOADED times as much by the clock.
    """
    process = os.fork()
    if process == 0:
        code = 3
        try:
            code = _run(tree, [*PYTEST, *arguments], plugins, int(limit))
        except BaseException:  # noqa: BLE001  it is printed, and the process ends
            traceback.print_exc()
        finally:
            os._exit(code)
    with contextlib.suppress(OSError):
        os.setpgid(process, process)
    return Session(process, time.monotonic() + LOADED * limit)


def _run(tree: Path, arguments: list[str], plugins: list[object], cpu: int) -> int:
    """Run pytest in this process; its output goes to a file beside the tree."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    output = os.open(tree.parent / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]
    here = {"", os.fspath(Path(__file__).resolve().parents[2])}
    sys.path[:] = [str(tree), *(entry for entry in sys.path if entry not in here)]
    sys.dont_write_bytecode = False  # the next run reads the compiled modules and tests
    code = int(pytest.main([*arguments, "--basetemp", str(tree.parent / "tmp")], plugins=plugins))
    sys.stdout.flush()
    return code
