"""The whole server while nothing happens: resident memory and CPU with a hundred open streams.

python -m benchmarks.idle [--readers 100] [--seconds 30] [--rounds 3] [--keep]
"""

import json
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.load import Readers
from benchmarks.machine import HERE, arguments, compiled, kept
from benchmarks.peer import running, server


def measure(client: Path, readers: int, seconds: float) -> dict[str, float]:
    """One round: a server with its bot, its journal and its polls, and so many streams that hear heartbeats alone."""
    peer = server()
    with tempfile.TemporaryDirectory() as folder, running(peer, Path(folder)) as (process, port, _):
        private = process.resident()
        with Readers(client, port, peer.path, readers):
            time.sleep(1)
            before = sum(process.cpu())
            time.sleep(seconds)
            busy = sum(process.cpu()) - before
            return {
                "rss_mb": process.rss() / 1024,
                "private_mb": process.resident() / 1024,
                "kb_per_reader": (process.resident() - private) / readers,
                "cpu_percent": busy / seconds * 100,
            }


def main() -> None:
    """Rounds, medians."""
    parser = arguments(__doc__, 3)
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        rounds = [measure(client, options.readers, options.seconds) for _ in range(options.rounds)]
    print(json.dumps({key: round(median(one[key] for one in rounds), 2) for key in rounds[0]}))
    if options.keep:
        kept("idle", vars(options), {"server": rounds})


if __name__ == "__main__":
    main()
