"""Our server as a subprocess over sockets, with nothing of the machine's own settings."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from commands.demo_process import OURS
from commands.ports import free_port

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Server:
    """base: the URL with the prefix. log: what it wrote to stderr."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def base(self) -> str:
        """Return the base URL of the API."""
        return f"http://127.0.0.1:{self.port}/api/python"

    def get(self, path: str, method: str = "GET", **more: Any) -> requests.Response:
        """Ask; never follows a redirect."""
        return requests.request(method, self.base + path, timeout=10, allow_redirects=False, **more)

    def stop(self, number: int = signal.SIGTERM, within: float = 10) -> float:
        """Signal it and wait for its end; the seconds that took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(within)
        return time.monotonic() - begun


def clean_environment() -> dict[str, str]:
    """The machine's environment without any setting of ours."""
    return {key: value for key, value in os.environ.items() if not key.startswith(OURS)}


@contextlib.contextmanager
def running_server(
    folder: Path, command: list[str] | None = None, port: int = 0, /, **settings: str
) -> Iterator[Server]:
    """A server while the block runs. command: how to start it, with {port} in it; python server.py unless given."""
    port = port or free_port()
    defaults = {"JOURNAL_URL": f"sqlite:///{folder}/journal.db", "BOT_POLL_INTERVAL": "0.3"}
    environment = {**clean_environment(), **defaults, **settings, "PYTHONPATH": str(ROOT)}
    words = [word.format(port=port) for word in command or [str(ROOT / "server.py"), "--port", "{port}"]]
    log = folder / f"server-{port}.log"
    with log.open("ab") as stream:
        process = subprocess.Popen([sys.executable, *words], env=environment, cwd=folder, stderr=stream, stdout=stream)
    server = Server(port, process, log)
    try:
        _wait(server)
        yield server
    finally:
        process.kill()
        process.wait(10)


def _wait(server: Server, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            server.get("/health/live")
            return
        assert server.process.poll() is None, server.log.read_text()
        time.sleep(0.05)
    raise AssertionError(f"no answer within {within} s:\n{server.log.read_text()}")
