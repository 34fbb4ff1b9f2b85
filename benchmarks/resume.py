"""Many readers return at once: time until all have what they missed, and what live readers and REST wait meanwhile.

python -m benchmarks.resume [--returning 1000] [--entries 1000] [--rounds 5] [--keep]

Beside it an application that does nothing but send the same bytes to as many readers (benchmarks/peers/resend_app.py).
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

from benchmarks.breathe import ask, quantile
from benchmarks.load import Readers
from benchmarks.machine import CLIENT_CORE, HERE, arguments, compiled, kept
from benchmarks.peer import Peer, publishing, running, server, uvicorn
from benchmarks.replay import fill

LIVE, GAP = 50, 0.1  # live readers, seconds between live trades
LIMIT = 120.0  # seconds that a round may take
Figures = dict[str, float]


def resend() -> Peer:
    """Return an application that sends the entries as they are, encoded once."""
    return Peer("resend", uvicorn("resend_app:app"), "/events", environment={"JOURNAL_FILE": "", "PYTHONPATH": "."})


def read_all(port: int, path: str, count: int, cursor: str, entries: int) -> float:
    """Open so many streams with a cursor at once; return the seconds until each has the last entry."""
    last, missing = f'"seq":{entries},'.encode(), count
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {cursor}\r\n\r\n".encode()
    with selectors.DefaultSelector() as selector:
        begun = time.perf_counter()
        for _ in range(count):
            reader = socket.create_connection(("127.0.0.1", port))
            reader.sendall(request)
            reader.setblocking(False)
            selector.register(reader, selectors.EVENT_READ, [b""])
        while missing and time.perf_counter() - begun < LIMIT:
            for key, _ in selector.select(1.0):
                data = key.fileobj.recv(1 << 18)  # type: ignore[union-attr]
                if not data:
                    raise RuntimeError("a stream ended before its last entry")
                tail = key.data
                if last in tail[0] + data:
                    selector.unregister(key.fileobj)
                    missing -= 1
                tail[0] = data[-64:]
        took = time.perf_counter() - begun
    if missing:
        raise RuntimeError(f"{missing} of {count} readers lack entries after {LIMIT:g} s")
    return took


def returning(port: int, path: str, count: int, cursor: str, entries: int) -> float:
    """Call read_all in a process of its own, so that it does not delay the other clients."""
    call = f"from benchmarks.resume import read_all; print(read_all({port}, {path!r}, {count}, {cursor!r}, {entries}))"
    command = ["taskset", "-c", CLIENT_CORE, sys.executable, "-c", call]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=LIMIT + 10).stdout)


def measure(client: Path, count: int, entries: int) -> Figures:
    """Return one round: the bytes alone, then the server with live trades and REST requests beside."""
    peer, plain = server(), resend()
    with tempfile.TemporaryDirectory() as name:
        cursor = f"{fill(Path(name) / 'journal.db', entries)}-0"
        with running(plain, Path(name)) as (_, port, _unused):
            alone = returning(port, plain.path, count, cursor, entries)
        with running(peer, Path(name)) as (process, port, publisher), Readers(client, port, peer.path, LIVE) as streams:
            events, took = int(alone * 2.5 / GAP) + 20, list[float]()
            streams.begin(events, LIMIT)
            thread = publishing(peer, publisher, events, GAP)
            before = sum(process.cpu())
            back = threading.Thread(
                target=lambda: took.append(returning(port, peer.path, count, cursor, entries)), daemon=True
            )
            back.start()
            waits = ask(port, "/api/python/health/live", back.is_alive)
            cpu = sum(process.cpu()) - before
            live = streams.result()
            thread.join()
    waits.sort()
    return {
        "seconds": took[0], "alone_seconds": alone, "cpu_seconds": cpu, "live_p99_ms": live["p99"],
        "live_max_ms": live["max"], "rest_p99_ms": quantile(waits, 0.99), "rest_max_ms": waits[-1],
        "lost": live["missing"] + live["doubled"] + live["dead"],
    }  # fmt: skip


def main() -> None:
    """Run the rounds; print each, then the medians."""
    parser = arguments(__doc__)
    parser.add_argument("--returning", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=1000)
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(CLIENT_CORE)})
    rounds: list[Figures] = []
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        for _ in range(options.rounds):
            rounds.append(measure(client, options.returning, options.entries))
            print(json.dumps({key: round(value, 3) for key, value in rounds[-1].items()}), flush=True)
    times = median(one["seconds"] / one["alone_seconds"] for one in rounds)
    shown = {key: round(median(one[key] for one in rounds), 3) for key in rounds[0]}
    print(f"medians: {shown}; {times:.2f} times the bytes alone")
    if options.keep:
        kept("resume", vars(options), rounds)


if __name__ == "__main__":
    main()
