"""Time of a small REST answer while 10 events a second go to 1 000 readers, beside the same server idle.

python -m benchmarks.breathe [--readers 1000] [--rounds 5] [--keep]
"""

import json
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.load import Readers
from benchmarks.machine import HERE, arguments, compiled, kept
from benchmarks.peer import Peer, ours, publishing, running, server

EVENTS, GAP = 30, 0.1


def ask(port: int, path: str, going: Callable[[], bool]) -> list[float]:
    """Milliseconds of each answer on one connection, one after the other, a hundred a second or so."""
    client, took = HTTPConnection("127.0.0.1", port), list[float]()
    while going():
        begun = time.perf_counter()
        client.request("GET", path)
        client.getresponse().read()
        took.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.005)
    return sorted(took)


def measure(peer: Peer, client: Path, readers: int) -> dict[str, float]:
    """One round."""
    path = "/api/python/health/live" if peer.bot else "/api/python/rest"
    with (
        tempfile.TemporaryDirectory() as name,
        running(peer, Path(name)) as (_, port, publisher),
        Readers(client, port, peer.path, readers) as streams,
    ):
        idle = ask(port, path, lasting(1))
        streams.begin(EVENTS, 30)
        thread = publishing(peer, publisher, EVENTS, GAP)
        busy = ask(port, path, lasting(EVENTS * GAP))
        thread.join()
        seen = streams.result()
    return {
        "idle_p50": quantile(idle, 0.5), "idle_p99": quantile(idle, 0.99), "busy_p50": quantile(busy, 0.5),
        "busy_p99": quantile(busy, 0.99), "busy_max": busy[-1], "last_p50": seen["last_p50"],
    }  # fmt: skip


def lasting(seconds: float) -> Callable[[], bool]:
    """Return a condition that is true for so many seconds."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() < until


def quantile(values: list[float], share: float) -> float:
    """Of sorted values."""
    return values[int(share * (len(values) - 1))]


def main() -> None:
    """Rounds in turn, medians."""
    parser = arguments(__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    options = parser.parse_args()
    peers = [server(), ours("queue")]
    rounds: dict[str, list[dict[str, float]]] = {peer.name: [] for peer in peers}
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        for _ in range(options.rounds):
            for peer in peers:
                rounds[peer.name].append(measure(peer, client, options.readers))
    for name, figures in rounds.items():
        print(name, json.dumps({key: round(median(one[key] for one in figures), 2) for key in figures[0]}))
    if options.keep:
        kept("breathe", vars(options), rounds)


if __name__ == "__main__":
    main()
