"""One program of the fleet: started, killed, frozen and started again by its own process id."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path


class Program:
    """A command with its environment and its log; it keeps its ports over every restart."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._command = command
        self._environment = dict(environment)
        self._folder = folder
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """Its process id; it must have been started."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Return True if it does not run."""
        return self._process is None or self._process.poll() is not None

    def start(self) -> None:
        """Start it, if it is not running."""
        if self.ended:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, start_new_session=True,
                )  # fmt: skip
            self.starts += 1

    def kill(self) -> None:
        """kill -9."""
        self._send(signal.SIGKILL, 10)

    def freeze(self) -> None:
        """SIGSTOP."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._send(signal.SIGCONT)

    def term(self) -> float:
        """SIGTERM; the seconds until it was gone. One that does not go within ten is killed."""
        begun = time.monotonic()
        try:
            self._send(signal.SIGTERM, 10)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - begun

    def file_limit(self, size: int | None) -> None:
        """Let it write no file beyond size bytes, as if the disk were full there; None lifts it."""
        if not self.ended:
            hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

    def _send(self, number: signal.Signals, wait: float = 0.0) -> None:
        if self._process is not None and not self.ended:
            os.kill(self._process.pid, number)
            if wait:
                self._process.wait(wait)
