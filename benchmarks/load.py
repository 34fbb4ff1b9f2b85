"""Drives the C load client: opens readers, runs phases, reads its lines."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.machine import CLIENT_CORE


class Readers:
    """So many open streams in one process on the client's core; ends with the block."""

    def __init__(self, program: Path, port: int, path: str, count: int, stalled: int = 0, slow: int = 0) -> None:
        pin = ["taskset", "-c", CLIENT_CORE] if shutil.which("taskset") else []
        self._process = subprocess.Popen(
            [*pin, str(program), str(port), path, str(count), str(stalled), str(slow)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.opening = self._line()

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def begin(self, trades: int, seconds: float) -> None:
        """Count from here, until every reader has so many trades or the time is over."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"phase {trades} {seconds}\n")
        self._process.stdin.flush()
        self._line()

    def result(self) -> dict[str, Any]:
        """Wait for the end of the phase and return its result."""
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load client ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer
