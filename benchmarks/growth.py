"""Growth of cost: with readers, with trades in one poll, with the journal. Nothing may grow faster than its work.

python -m benchmarks.growth [--readers 100,1000,10000] [--batches 1,100] [--journal 0,100000] [--rounds 5] [--keep]
"""

import json
import tempfile
import urllib.request
from pathlib import Path
from statistics import median

from benchmarks.fanout import Figures, gap, phase
from benchmarks.load import Readers
from benchmarks.machine import HERE, arguments, compiled, kept
from benchmarks.peer import Peer, ours, running, server
from benchmarks.replay import fill, returning


def by_readers(peer: Peer, client: Path, readers: int) -> Figures:
    """Events one by one to so many readers."""
    with tempfile.TemporaryDirectory() as name, running(peer, Path(name)) as (process, port, publisher):
        empty = process.resident()
        with Readers(client, port, peer.path, readers) as streams:
            phase(peer, process, streams, publisher, 3, gap(peer, readers))
            seen = phase(peer, process, streams, publisher, 30, gap(peer, readers))
            memory = (process.resident() - empty) / readers
    return {
        "cpu_us": seen["cpu_us"], "last_p50": seen["last_p50"], "p99": seen["p99"], "lost": seen["lost"], "kb": memory,
    }  # fmt: skip


def by_batch(peer: Peer, client: Path, batch: int, readers: int = 200) -> Figures:
    """Polls of so many trades each to 200 readers: CPU for each trade at each reader."""
    polls = 20

    def publish(port: int, events: int, pause: float) -> None:
        url = f"http://127.0.0.1:{port}/burst?events={events}&gap={pause}&batch={batch}"
        urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=120).read()

    with (
        tempfile.TemporaryDirectory() as name,
        running(peer, Path(name)) as (process, port, publisher),
        Readers(client, port, peer.path, readers) as streams,
    ):
        mine = Peer(peer.name, peer.command, peer.path, publish)
        seen = phase(mine, process, streams, publisher, polls * batch, 0.1)
    return {"cpu_us_per_trade": seen["cpu_us"], "last_p50": seen["last_p50"], "p99": seen["p99"], "lost": seen["lost"]}


def by_journal(peer: Peer, entries: int) -> Figures:
    """A reader 100 entries behind at the end of so long a journal: milliseconds until it has them all."""
    with tempfile.TemporaryDirectory() as name:
        epoch = fill(Path(name) / "journal.db", entries + 100)
        with running(peer, Path(name)) as (process, port, _):
            took = [
                returning(port, peer.path, f"{epoch}-{entries}", entries + 100, process)["entries_per_second"]
                for _ in range(20)
            ]
    return {"resume_100_ms": (entries + 100) / median(took) * 1000}  # it counts from the journal's start


def numbers(text: str) -> list[int]:
    """A list of whole numbers, possibly empty."""
    return [int(part) for part in text.split(",") if part]


def main() -> None:
    """Each axis in turn; medians of the rounds are printed."""
    parser = arguments(__doc__)
    parser.add_argument("--readers", type=numbers, default=[100, 300, 1000, 3000, 10000])
    parser.add_argument("--batches", type=numbers, default=[1, 10, 100, 500])
    parser.add_argument("--journal", type=numbers, default=[0, 10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    found = dict[str, list[Figures]]()
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        for _ in range(options.rounds):
            for count in options.readers:
                found.setdefault(f"readers {count}", []).append(by_readers(server(), client, count))
            for count in options.batches:
                found.setdefault(f"batch {count}", []).append(by_batch(ours("auto"), client, count))
            for count in options.journal:
                found.setdefault(f"journal {count}", []).append(by_journal(server(), count))
    for what, figures in found.items():
        print(what, json.dumps({key: round(median(one[key] for one in figures), 2) for key in figures[0]}), flush=True)
    if options.keep:
        file = HERE / "results" / "growth.json"
        earlier = json.loads(file.read_text())["rounds"] if file.exists() else {}
        kept("growth", vars(options), earlier | found)  # what was not run again stays: a million entries take minutes


if __name__ == "__main__":
    main()
