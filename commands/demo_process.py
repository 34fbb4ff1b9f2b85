"""One process of the demo: in a session of its own, logging to a file, stopped by its own pid."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# Settings in the user's environment must not reach the demo: it brings its own neighbours.
OURS: Final = (
    "KALSHI_", "BOT_", "SIMULATOR_", "REDIS_", "JOURNAL_", "API_TOKEN", "ALLOW", "AUTH", "HOST", "PORT", "APP_ENV",
    "LOG_LEVEL", "SPRING_", "CORS_", "RATE_LIMIT",
)  # fmt: skip


class DemoProcess:
    """A Python program of the demo. Ctrl-C does not reach its session, so that the demo stops all in the right order.

    If the demo is killed, the program ends by itself (commands/demo_guard.py).
    """

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-m", "commands.demo_guard", *arguments]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
        self._environment = {**clean, "PYTHONPATH": str(ROOT), **environment}
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        """Return the file that receives its stderr."""
        return self._folder / f"{self.name}.log"

    @property
    def exit_status(self) -> int | None:
        """Return its exit status, negative for a signal; None while it runs or before its start."""
        return None if self._process is None else self._process.returncode

    @property
    def is_running(self) -> bool:
        """Return True if it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, also after it has ended."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    async def first_line(self, within: float = 60.0) -> str:
        """Return its first line on stdout, "" if it ended without one. Raises TimeoutError."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(within):
            return (await self._process.stdout.readline()).decode()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    async def stop(self, patience: float = 1.0) -> None:
        """Send SIGTERM, and SIGKILL after patience seconds. A frozen process is continued first."""
        if self._process is None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._process.wait()
