"""Two workers on one journal beside one: CPU for each delivery, and when the readers of the follower have an entry.

python -m benchmarks.workers [--readers 1000] [--rounds 5] [--keep]

With Redis between the workers and without; half of the readers are at each worker. Needs redis-server.
"""

import contextlib
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.load import Readers
from benchmarks.machine import CLIENT_CORE, HERE, Process, arguments, compiled, kept, wait_for
from benchmarks.peer import PEERS, publishing, server
from commands.ports import free_port

EVENTS, GAP = 30, 1 / 3  # trades, seconds between two
PATH = "/api/python/sse/trading"
Figures = dict[str, float]


@contextlib.contextmanager
def fleet(workers: int, redis: bool, folder: Path) -> Iterator[tuple[list[Process], list[int], int]]:
    """Start a bot and so many workers; return the workers, leader first, their ports, and the bot's port."""
    with contextlib.ExitStack() as stack:
        bot, store = free_port(), free_port()
        stack.enter_context(Process([sys.executable, str(PEERS / "bench_bot.py"), str(bot)], core=CLIENT_CORE))
        values = {
            "JOURNAL_URL": f"sqlite:///{folder / 'journal.db'}", "APP_ENV": "production", "LOG_LEVEL": "ERROR",
            "BOT_STATUS_ENDPOINT": f"http://127.0.0.1:{bot}/status",
            "BOT_TRADES_ENDPOINT": f"http://127.0.0.1:{bot}/trades",
        }  # fmt: skip
        wait_for(bot)
        if redis:
            command = ["redis-server", "--port", str(store), "--save", "", "--bind", "127.0.0.1", "--daemonize", "no"]
            stack.enter_context(Process(command, core=CLIENT_CORE))
            wait_for(store)
            values |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(store)}
        ports = [free_port() for _ in range(workers)]
        processes = []
        for port in ports:  # the first one leads
            processes.append(stack.enter_context(Process([sys.executable, "server.py", "--port", str(port)], values)))
            wait_for(port)
            time.sleep(1.0)
        yield processes, ports, bot


def measure(client: Path, workers: int, redis: bool, readers: int) -> Figures:
    """Return one round."""
    with (
        tempfile.TemporaryDirectory() as name,
        fleet(workers, redis, Path(name)) as (processes, ports, bot),
        contextlib.ExitStack() as stack,
    ):
        streams = [stack.enter_context(Readers(client, port, PATH, readers // workers)) for port in ports]
        time.sleep(0.5)
        for each in streams:
            each.begin(EVENTS, 60)
        before = sum(sum(process.cpu()) for process in processes)
        thread = publishing(server(), bot, EVENTS, GAP)
        seen = [each.result() for each in streams]
        thread.join()
        cpu = sum(sum(process.cpu()) for process in processes) - before
        leads = [_leads(port) for port in ports]
    other = seen[leads.index(False)] if workers > 1 else seen[0]
    return {
        "cpu_us": cpu / sum(each["deliveries"] for each in seen) * 1e6, "last_p50": other["last_p50"],
        "p50": other["p50"], "max": other["max"],
        "lost": sum(each["missing"] + each["doubled"] + each["dead"] for each in seen),
    }  # fmt: skip


def _leads(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/python/health", timeout=5) as answer:
        return "this worker polls" in answer.read().decode()


def main() -> None:
    """Run the rounds, print the medians."""
    parser = arguments(__doc__)
    parser.add_argument("--readers", type=int, default=1000)
    options = parser.parse_args()
    kinds = {"one worker": (1, False), "two workers": (2, False)}
    kinds |= {"two workers, Redis": (2, True)} if shutil.which("redis-server") else {}
    rounds: dict[str, list[Figures]] = {name: [] for name in kinds}
    with tempfile.TemporaryDirectory() as name:
        client = compiled(HERE / "client.c", Path(name))
        for number in range(options.rounds):
            for kind, (workers, redis) in kinds.items():
                rounds[kind].append(measure(client, workers, redis, options.readers))
                print(f"round {number + 1}, {kind}: {json.dumps(rounds[kind][-1])}", flush=True)
    for kind, found in rounds.items():
        ratio = median(mine["cpu_us"] / one["cpu_us"] for mine, one in zip(found, rounds["one worker"], strict=True))
        shown = ", ".join(f"{key} {median(each[key] for each in found):.3g}" for key in found[0])
        print(f"{kind}: {shown}; CPU {ratio:.2f} of one worker's")
    if options.keep:
        kept("workers", vars(options), rounds)


if __name__ == "__main__":
    main()
