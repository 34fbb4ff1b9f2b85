"""From fill to browser: from the moment our bot, or the exchange, has a trade to the moment a reader's socket has it.

    python -m benchmarks.latency [--trades 100] [--rounds 5] [--keep]

The bot's path is a long poll on its trades; the exchange's is its push, of a simulated exchange, after the bot died.
The moment of a fill is before the exchange is asked to make it, so that path includes the making.
"""

import contextlib
import json
import re
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median, quantiles

from benchmarks.exchange import exchange
from benchmarks.machine import CLIENT_CORE, HERE, Process, arguments, kept, wait_for
from benchmarks.peer import publishing, running, server
from commands.ports import free_port

GAP = 0.05
TRADE_ID = re.compile(rb'"trade_id":"([^"]*)"')


class Reader:
    """One open stream; when each trade came, by its id."""

    def __init__(self, port: int) -> None:
        self.came: dict[str, float] = {}
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.sendall(b"GET /api/python/sse/trades HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self._socket.recv(65536)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._socket.recv(1 << 20):  # an event leaves in one write, and loopback brings it whole
                now = time.time()
                for found in TRADE_ID.findall(data):
                    self.came.setdefault(found.decode(), now)

    def wait(self, trades: int, seconds: float = 10.0) -> None:
        """Until so many have come."""
        deadline = time.monotonic() + seconds
        while len(self.came) < trades and time.monotonic() < deadline:
            time.sleep(0.01)


def by_bot(trades: int) -> list[float]:
    """Milliseconds for each trade of a bot that is asked with wait=."""
    peer = server()
    with tempfile.TemporaryDirectory() as folder, running(peer, Path(folder)) as (_, port, bot):
        reader = Reader(port)
        publishing(peer, bot, trades, GAP).join()
        reader.wait(trades)
        with urllib.request.urlopen(f"http://127.0.0.1:{bot}/trades?after=0", timeout=5) as answer:
            output = {one["trade_id"]: one["timestamp"] for one in json.load(answer)["trades"]}
    return [(reader.came[name] - when) * 1000 for name, when in output.items()]


def by_push(trades: int) -> list[float]:
    """Milliseconds for each fill that the exchange pushes once the bot has died."""
    with tempfile.TemporaryDirectory() as name, exchange(Path(name)) as simulated, contextlib.ExitStack() as stack:
        port, bot = free_port(), free_port()
        url = f"http://127.0.0.1:{bot}"
        polled = {
            "BOT_STATUS_ENDPOINT": f"{url}/status",
            "BOT_TRADES_ENDPOINT": f"{url}/trades",
            "BOT_POLL_INTERVAL": "1",
        }
        command = [sys.executable, "server.py", "--port", str(port)]
        with Process([sys.executable, str(HERE / "peers" / "bench_bot.py"), str(bot)], core=CLIENT_CORE):
            wait_for(bot)
            stack.enter_context(Process(command, simulated.environment | polled))
            wait_for(port)
            time.sleep(2)  # the bot has been seen
        time.sleep(4)  # and is known to be away; while that is open, a fill waits 0.25 s for the bot to claim it
        reader = Reader(port)
        requested = {}
        for _ in range(trades):
            begun = time.time()
            requested[simulated.fill()] = begun
            time.sleep(GAP)
        reader.wait(trades)
    return [(reader.came[fill] - begun) * 1000 for fill, begun in requested.items()]


def main() -> None:
    """Rounds of both paths in turn; medians of all trades, and the worst round."""
    parser = arguments(__doc__)
    parser.add_argument("--trades", type=int, default=100)
    options = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = {"bot": [], "push": []}
    for _ in range(options.rounds):
        for name, way in (("bot", by_bot), ("push", by_push)):
            took = way(options.trades)
            rounds[name].append({"p50_ms": median(took), "p95_ms": quantiles(took, n=20)[-1], "max_ms": max(took)})
    for name, figures in rounds.items():
        print(name, json.dumps({key: round(median(one[key] for one in figures), 2) for key in figures[0]}))
    if options.keep:
        kept("latency", vars(options), rounds)


if __name__ == "__main__":
    main()
