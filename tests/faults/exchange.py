"""The simulated exchange with its books in a file: after kill -9 it starts again as it was, on the same ports."""

import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from tests.support.simulator import Simulator, running_simulator


class Exchange:
    """A context manager. running: the newest process, and its token, which is also in token_file."""

    running: Simulator

    def __init__(self, folder: Path, *flags: str, before: Sequence[str] = ()) -> None:
        self._keys, self._before, self.token_file = folder / "keys", before, folder / "exchange-token"
        self._flags = ["--tier", "advanced", "--books", str(folder / "books"), *flags]
        self._process = ExitStack()
        self._killed = True

    def __enter__(self) -> Self:
        self.start()
        port, control_port = (urlsplit(url).port for url in (self.running.url, self.running.control_url))
        self._flags += ["--port", str(port), "--faults-port", str(control_port)]
        return self

    def __exit__(self, *_: object) -> None:
        self.signal(signal.SIGCONT)
        self._process.close()

    def start(self) -> None:
        """Start a process if none runs; it carries out the commands in its books first."""
        if self._killed:
            found = running_simulator(self._keys, *self._flags, before=self._before)
            self.running, self._killed = self._process.enter_context(found), False
            self.token_file.write_text(self.running.token)

    def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        self._killed = True
        self._process.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process; a killed one receives none."""
        if not self._killed:
            os.kill(self.running.pid, number)
