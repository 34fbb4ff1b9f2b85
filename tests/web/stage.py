"""The demo's three processes for a browser test, each of which can be killed and started again on its own port."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from commands.demo_process import ROOT
from commands.ports import free_port
from tests.support.eventually import until
from tests.support.server import clean_environment


class Stage:
    """`with Stage(folder)`: a simulated exchange, a bot trading on it, and the server, at `base`.

    settings: of the server. demo: of simulator and bot.
    """

    def __init__(
        self, folder: Path, settings: dict[str, str] | None = None, demo: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port, self.bot_port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}/api/python/"
        self.settings = settings or {}
        self.demo = demo or {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.facts: dict[str, Any] = {}
        self.account: dict[str, str] = {}

    def __enter__(self) -> Stage:
        self.simulator()
        self.bot()
        self.server()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.kill(name)

    def simulator(self) -> None:
        """A simulated Kalshi on this machine; its first line has the addresses."""
        command = ["-m", "simulator", "--port", "0", "--keys", str(self.folder / "keys")]
        process = self._start("simulator", command, self.demo)
        assert process.stdout is not None
        self.facts = json.loads(process.stdout.readline())
        key = self.facts["keys"][0]
        paths = {"KALSHI_API_KEY": key["id"], "KALSHI_RSA_KEY_PATH": key["path"]}
        self.account = {"KALSHI_API_URL": self.facts["url"], **paths}

    def bot(self) -> None:
        """The bot, trading on the simulator."""
        self._start("bot", ["-m", "bot", "--live", "--port", str(self.bot_port)], {**self.account, **self.demo})

    def server(self) -> None:
        """The service, ready to answer."""
        bot = f"http://127.0.0.1:{self.bot_port}"
        endpoints = {"BOT_STATUS_ENDPOINT": f"{bot}/status", "BOT_TRADES_ENDPOINT": f"{bot}/trades"}
        journal = {"JOURNAL_URL": f"sqlite:///{self.folder}/journal.db", "BOT_POLL_INTERVAL": "0.5"}
        environment = {**self.account, **endpoints, **journal, **self.settings}
        self._start("server", [str(ROOT / "server.py"), "--port", str(self.port)], environment)
        until(self.answers, 60, "the server answers")

    def answers(self) -> bool:
        """Return True if the server answers."""
        try:
            return bool(self.read("health/live"))
        except OSError:
            return False

    def read(self, path: str) -> Any:
        """JSON of a path below /api/python/."""
        with urllib.request.urlopen(self.base + path, timeout=5) as answer:
            return json.load(answer)

    def fault(self, **rule: Any) -> None:
        """Switch a fault of the simulated exchange on."""
        self._control("POST", json.dumps(rule).encode())

    def clear_faults(self) -> None:
        """Let the simulated exchange work again."""
        self._control("DELETE", None)

    def _control(self, method: str, body: bytes | None) -> None:
        faults = self.facts["faults"]
        headers = {"Authorization": f"Bearer {faults['token']}", "Content-Type": "application/json"}
        request = urllib.request.Request(faults["url"] + "/faults", body, headers, method=method)
        urllib.request.urlopen(request, timeout=5).close()

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End one of the three and wait until it is gone."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()

    def _start(self, name: str, arguments: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder, env={**clean_environment(), "PYTHONPATH": str(ROOT), **environment},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        return self.processes[name]
