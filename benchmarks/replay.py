"""A reader that returns 100 000 entries behind: entries per second to it, memory meanwhile, pauses of the live fan-out.

python -m benchmarks.replay [--entries 100000] [--readers 200] [--keep]
"""

import asyncio
import json
import socket
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from benchmarks.load import Readers
from benchmarks.machine import HERE, Process, arguments, compiled, kept
from benchmarks.peer import Peer, publishing, running, server
from journal.entries import Draft, Trade
from journal.sqlite import SqliteJournal


def fill(file: Path, entries: int) -> str:
    """Make a journal with so many trades; gives its epoch."""
    return asyncio.run(_fill(file, entries))


async def _fill(file: Path, entries: int) -> str:
    journal = SqliteJournal(file, limit=120)
    await journal.open()
    for start in range(0, entries, 5000):
        drafts: list[Draft] = [
            Trade(Decimal(1_600_000_000 + number * 20), "PRES24-GOP", "BUY", Decimal(50), Decimal("0.65"), f"f{number}",
                  "bot_live", "live", fee=Decimal("0.0175"), boot_id="fill")
            for number in range(start, min(start + 5000, entries))
        ]  # fmt: skip
        await journal.append(drafts)
    await journal.close()
    return journal.epoch


def returning(port: int, path: str, cursor: str, entries: int, server: Process) -> dict[str, float]:
    """Read until the last of them has come."""
    last, found, seen, peak = f'"seq":{entries},'.encode(), False, 0, 0
    with socket.create_connection(("127.0.0.1", port)) as reader:
        begun = time.perf_counter()
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {cursor}\r\n\r\n".encode())
        tail, reads = b"", 0
        while not found:
            data = reader.recv(1 << 20)
            found = last in tail + data
            tail = data[-64:]
            seen += len(data)
            reads += 1
            if reads % 200 == 0:
                peak = max(peak, server.resident())
        took = time.perf_counter() - begun
    return {"entries_per_second": entries / took, "mb_per_second": seen / took / 1e6, "peak_kb": peak}


def measure(peer: Peer, client: Path, entries: int, readers: int) -> dict[str, float]:
    """One round: the replay alone, then with live events to many readers beside it."""
    with tempfile.TemporaryDirectory() as name:
        epoch = fill(Path(name) / "journal.db", entries)
        with running(peer, Path(name)) as (process, port, publisher):
            empty = process.resident()
            alone = returning(port, peer.path, f"{epoch}-0", entries, process)
            with Readers(client, port, peer.path, readers) as streams:
                quiet = live(peer, streams, publisher)
                streams.begin(50, 30)
                thread = publishing(peer, publisher, 50, 0.02)
                returning(port, peer.path, f"{epoch}-0", entries, process)
                busy = streams.result()
                thread.join()
    return {
        "entries_per_second": alone["entries_per_second"], "mb_per_second": alone["mb_per_second"],
        "grew_kb": max(alone["peak_kb"] - empty, 0), "live_max_ms_alone": quiet, "live_max_ms_beside": busy["max"],
        "live_p99_ms_beside": busy["p99"],
    }  # fmt: skip


def live(peer: Peer, streams: Readers, publisher: int) -> float:
    """The longest that a reader waited for an event, in milliseconds."""
    streams.begin(50, 30)
    thread = publishing(peer, publisher, 50, 0.02)
    seen = streams.result()
    thread.join()
    return float(seen["max"])


def main() -> None:
    """Rounds, medians by eye: each is printed."""
    parser = arguments(__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=200)
    options = parser.parse_args()
    peer, rounds = server(), list[dict[str, float]]()
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        for _ in range(options.rounds):
            rounds.append(measure(peer, client, options.entries, options.readers))
            print(json.dumps({key: round(value, 1) for key, value in rounds[-1].items()}), flush=True)
    if options.keep:
        kept("replay", vars(options), {peer.name: rounds})


if __name__ == "__main__":
    main()
