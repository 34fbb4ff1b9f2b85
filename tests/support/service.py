"""The service as a process of its own, on a port that stays its own over restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from commands.ports import free_port
from tests.support.apache import listening
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]


class Service:
    """`async with Service(command)`: started, and killed when left; {port} in the command is its port."""

    def __init__(self, command: Sequence[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> None:
        self.port = free_port()
        self._command = [word.format(port=self.port) for word in command]
        self.env, self._cwd = env if env is not None else dict(os.environ), cwd
        self.process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """host:port, as Apache wants its backend."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self.process = await asyncio.create_subprocess_exec(sys.executable, *self._command, env=self.env, cwd=self._cwd)
        await eventually(lambda: listening(self.port), within=60)

    async def stop(self, sig: int = signal.SIGTERM, within: float = 10) -> None:
        """Send the signal and wait until it has gone."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(sig)
            await asyncio.wait_for(self.process.wait(), within)

    async def __aenter__(self) -> Service:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop(signal.SIGKILL)
