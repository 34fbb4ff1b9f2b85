"""SIGTERM while a client does not read: the process does not wait for it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from journal.sqlite import SqliteJournal
from tests.support.drafts import trade
from tests.support.server import Server, running_server

MISSED = 20_000  # entries, more bytes than the kernel's buffers on both sides hold


async def fill(file: Path) -> str:
    """Make a journal of MISSED trades; return the cursor before the first."""
    journal = SqliteJournal(str(file))
    await journal.open()
    for start in range(0, MISSED, 1000):
        await journal.append([trade(trade_id=f"t{number}", at=number) for number in range(start, start + 1000)])
    epoch = journal.epoch
    await journal.close()
    return f"{epoch}-0"


@contextlib.contextmanager
def unread(server: Server, cursor: str) -> Iterator[socket.socket]:
    """Open a stream that replays the journal to a client that reads nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        head = f"GET /api/python/sse/trades HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: {cursor}\r\n\r\n"
        client.sendall(head.encode())
        yield client


def is_stalled(server: Server) -> bool:
    """Return True if the stream has begun and its place stays where it is."""
    places = []
    for _ in range(2):
        places.append([one["position"] for one in server.get("/sse/clients").json()["clients"]])
        time.sleep(0.3)
    return bool(places[0] and places[0][0] and places[0] == places[1])


@pytest.mark.slow
def test_a_stalled_reader_does_not_delay_the_end(tmp_path: Path) -> None:
    """Its connection is cut once it has had a moment; the backstop of five seconds is not needed."""
    cursor = asyncio.run(fill(tmp_path / "journal.db"))
    with running_server(tmp_path) as server, unread(server, cursor):
        deadline = time.monotonic() + 30
        while not is_stalled(server):
            assert time.monotonic() < deadline, server.get("/sse/clients").text
        assert server.stop(within=20) < 3
        assert server.process.returncode in (0, -15)
