"""Fan-out side by side: our streams and their peers, round by round in turn, as a table of medians and ratios.

    python -m benchmarks.fanout [--readers 1000] [--rounds 5] [--only streams:eager,nchan] [--keep]

The server runs on one core, the load client on another. With --stalled or --slow each peer is measured without them and
with them in turn. --keep writes benchmarks/results/fanout-<readers>.json.
"""

import json
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median

from benchmarks.load import Readers
from benchmarks.machine import HERE, Process, arguments, compiled, kept
from benchmarks.peer import Peer, all_peers, publishing, running

Figures = dict[str, float]
PACED, TIGHT = 60, 200


def measure(
    peer: Peer, client: Path, readers: int, stalled: int, slow: int, pause: float | None = None, events: int = PACED
) -> Figures:
    """One peer, one round. pause: seconds between events that stand alone, by default as long as a fan-out takes."""
    pause = gap(peer, readers) if pause is None else pause
    with tempfile.TemporaryDirectory() as name, running(peer, Path(name)) as (server, port, publisher):
        empty, before = server.resident(), sum(server.cpu())
        with Readers(client, port, peer.path, readers, stalled, slow) as streams:
            time.sleep(0.3)
            figures = {
                "kb_per_reader": (server.resident() - empty) / readers,
                "opened_per_second": streams.opening["opened"] / streams.opening["seconds"],
                "open_cpu_us": (sum(server.cpu()) - before) / (readers + stalled + slow) * 1e6,
            }
            warm = phase(peer, server, streams, publisher, 5, pause)
            paced = phase(peer, server, streams, publisher, events // peer.weight, pause)
            tight = phase(peer, server, streams, publisher, TIGHT // peer.weight, 0)
    figures |= {f"paced_{key}": value for key, value in paced.items()} | {f"tight_{key}": v for key, v in tight.items()}
    figures["lost"] = warm["lost"] + paced["lost"] + tight["lost"]
    return figures


def gap(peer: Peer, readers: int) -> float:
    """Seconds between events that stand alone: longer than one fan-out takes."""
    return max(0.02, readers * 40e-6 * (4 if peer.weight > 1 else 1))


def phase(peer: Peer, server: Process, streams: Readers, publisher: int, events: int, pause: float) -> Figures:
    """Publish and wait until every reader has all."""
    streams.begin(events, 60)
    before = server.cpu()
    thread = publishing(peer, publisher, events, pause)
    seen = streams.result()
    thread.join()
    after = server.cpu()
    count = max(seen["deliveries"], 1)
    return {
        "per_second": seen["deliveries"] / max(seen["seconds"], 1e-6),
        "cpu_us": (after[0] + after[1] - before[0] - before[1]) / count * 1e6,
        "user_us": (after[0] - before[0]) / count * 1e6,
        "last_p50": seen["last_p50"], "last_p99": seen["last_p99"], "p50": seen["p50"], "p99": seen["p99"],
        "lost": seen["missing"] + seen["doubled"] + seen["dead"],
    }  # fmt: skip


def table(rounds: dict[str, list[Figures]]) -> str:
    """Medians, with the ratio to sse-starlette and to nchan where they ran."""
    columns = [
        ("paced_cpu_us", "CPU us/delivery"), ("paced_user_us", "of it user"), ("paced_last_p50", "last reader p50 ms"),
        ("paced_last_p99", "p99 ms"), ("tight_per_second", "burst deliveries/s"), ("kb_per_reader", "KB/reader"),
        ("opened_per_second", "accepted/s"), ("open_cpu_us", "CPU us/accept"), ("lost", "lost"),
    ]  # fmt: skip
    beside = [name for name in ("fastapi+sse-starlette", "nchan", "c loop") if name in rounds]
    lines = ["| server | " + " | ".join(title for _, title in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, figures in rounds.items():
        cells = []
        for key, _ in columns:
            cell = f"{median(one[key] for one in figures):.4g}"
            ratios = [ratio(figures, rounds[other], key) for other in beside if other != name and key != "lost"]
            cells.append(cell + (f" ({' / '.join(ratios)})" if ratios else ""))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", f"In brackets: times {', '.join(beside)} (median of the ratios of each round)."])


def ratio(mine: list[Figures], other: list[Figures], key: str) -> str:
    """The median over rounds of mine to the other's."""
    return f"{median(a[key] / b[key] if b[key] else 0 for a, b in zip(mine, other, strict=True)):.3g}"


def main() -> None:
    """Run the rounds, print, keep."""
    parser = arguments(__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    parser.add_argument("--stalled", type=int, default=0)
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--pause", type=float, help="seconds between events; longer on a machine that is busy")
    parser.add_argument("--events", type=int, default=PACED)
    options = parser.parse_args()
    wanted = [peer for peer in all_peers() if not options.only or peer.name in options.only.split(",")]
    for peer in [one for one in wanted if one.missing()]:
        print(f"without {peer.name}: {peer.missing()}")
        wanted.remove(peer)
    bad = options.stalled + options.slow
    mixes = {"": (0, 0)} | ({" with bad": (options.stalled, options.slow)} if bad else {})
    rounds: dict[str, list[Figures]] = {peer.name + mix: [] for peer in wanted for mix in mixes}
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        for number in range(options.rounds):
            for peer, (mix, some) in product(wanted, mixes.items()):
                seen = measure(peer, client, options.readers, *some, options.pause, options.events)
                rounds[peer.name + mix].append(seen)
                print(f"round {number + 1}, {peer.name}{mix}: {json.dumps(seen)}", flush=True)
    print(table(rounds))
    if options.keep:
        kept(f"fanout-{options.readers}" + (f"-{bad}-bad" if bad else ""), vars(options), rounds)


if __name__ == "__main__":
    main()
