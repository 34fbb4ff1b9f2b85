"""Connections that send nothing or half a request, in short: `scripts/attack --only "idle connections"` opens 2 000."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.attack.attacks import send, status
from tests.attack.honest import Target
from tests.support.server import running_server

CONNECTIONS = 200
EACH = 64 * 1024  # bytes that one may cost before it is authenticated


def resident(pid: int) -> int:
    """Return the resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
async def test_idle_and_half_sent_connections_are_small_and_end(tmp_path: Path) -> None:
    """Two hundred of them cost less than 64 KB each, keep nobody from an answer, and end by themselves in a minute."""
    token = "t" * 20
    with running_server(tmp_path, API_TOKEN=token) as server:
        target = Target("direct", server.port, f"localhost:{server.port}", token)
        half = target.head("/health")[:-2]
        parts = [
            b"",
            half,
            half[:-2] + b"\r\nX: " + b"a" * 20_000,
            target.head("/session", "POST", "Content-Length: 9"),
        ]
        await send(target, target.head("/health", "GET", "Connection: close"))  # what the first request loads
        before, begun = resident(server.process.pid), time.monotonic()
        waiting = [asyncio.create_task(send(target, part, wait=60)) for part in parts * (CONNECTIONS // len(parts))]
        grown, honest = 0, 0
        while (await asyncio.wait(waiting, timeout=0.2))[1]:
            honest = status(await send(target, target.head("/health", "GET", "Connection: close")))
            grown = max(grown, resident(server.process.pid) - before)
            assert honest == 200
        assert time.monotonic() - begun < 60
        assert {status(await each) for each in waiting} <= {0, 204, 408, 431}
        assert grown < CONNECTIONS * EACH
