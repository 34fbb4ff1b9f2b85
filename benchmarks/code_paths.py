"""Count the files and functions of this project on the way of one trade, of a cold and of a warm answer.

    python -m benchmarks.code_paths [--list]

The server, a small bot and a stream client share this process; the exchange is the simulator in its own. A function
counts once if it runs, in any thread, between the cause (the bot's trade, the request) and the effect (the event, the
answer). Work of the poller, the backfill and the hub that happens meanwhile is excluded from the two answers.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import aiohttp
import uvicorn
from aiohttp import web

from commands.ports import free_port
from tests.support.simulator import running_simulator

ROOT = Path(__file__).resolve().parent.parent
OURS = (
    "config",
    "cache",
    "kalshi",
    "journal",
    "ledger",
    "cluster",
    "ingest",
    "streams",
    "routes",
    "runtime",
    "server.py",
)
GOALS = {"trade": 20, "cold": 20, "warm": 10}  # files
BACKGROUND = (
    "cluster/",
    "ingest/",
    "streams/",
    "ledger/",
    "journal/",
)  # not on the way of an answer from cache or exchange
REPEATS = 5  # warm answers; a function counts if it runs in each, so that background work is left out


class Trace:
    """Functions of this project that ran while the trace was on."""

    def __init__(self) -> None:
        self.functions: set[tuple[str, str]] = set()
        self._known: dict[Any, tuple[str, str] | None] = {}

    @contextlib.contextmanager
    def on(self) -> Iterator["Trace"]:
        """Record every call in this thread, and in threads that start meanwhile."""
        threading.setprofile_all_threads(self._call) if sys.version_info >= (3, 12) else threading.setprofile(
            self._call
        )
        sys.setprofile(self._call)
        try:
            yield self
        finally:
            sys.setprofile(None)
            threading.setprofile_all_threads(None) if sys.version_info >= (3, 12) else threading.setprofile(None)

    def files(self, without: tuple[str, ...] = ()) -> set[str]:
        """Return the files that ran, without those whose path begins with one of the prefixes."""
        return {file for file, _ in self.functions if not file.startswith(without)}

    def _call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in self._known:
            path = code.co_filename
            name = os.path.relpath(path, ROOT) if path.startswith(str(ROOT)) else ""
            self._known[code] = (name, code.co_qualname) if name.startswith(OURS) else None
        if (found := self._known[code]) is not None:
            self.functions.add(found)


class TinyBot:
    """The smallest bot that the brief allows: a status and the last trades."""

    def __init__(self) -> None:
        self.trades: list[dict[str, Any]] = []

    async def status(self, request: web.Request) -> web.Response:
        """Answer the status URL."""
        return web.json_response({"status": "ok", "mode": "demo"})

    async def recent(self, request: web.Request) -> web.Response:
        """Answer the trades URL."""
        return web.json_response(self.trades)


async def until(fact: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until fact() is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await fact():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def measure(folder: Path) -> dict[str, Trace]:
    """Return a trace for `trade`, `cold` and `warm`."""
    bot, traces = TinyBot(), {name: Trace() for name in GOALS}
    site = web.Application()
    site.add_routes([web.get("/status", bot.status), web.get("/trades", bot.recent)])
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with running_simulator(folder / "keys") as exchange:
        key_id, key_file = next(iter(exchange.keys.items()))
        os.environ.update(
            KALSHI_API_URL=exchange.url, KALSHI_API_KEY=key_id, KALSHI_RSA_KEY_PATH=str(key_file),
            BOT_STATUS_ENDPOINT=f"{address}/status", BOT_TRADES_ENDPOINT=f"{address}/trades", BOT_POLL_INTERVAL="1",
            JOURNAL_URL=f"sqlite:///{folder}/journal.db", LOG_LEVEL="WARNING",
        )  # fmt: skip
        import server

        port = free_port()
        config = uvicorn.Config(server.app, port=port, log_config=None)
        serving = uvicorn.Server(config)
        task = asyncio.create_task(serving.serve())
        base = f"http://127.0.0.1:{port}/api/python"
        async with aiohttp.ClientSession() as session:
            await until(lambda: _is_online(session, base))
            await _request(session, base, traces["cold"])
            warm = [Trace() for _ in range(REPEATS)]
            for each in warm:
                await _request(session, base, each)
            traces["warm"].functions = set.intersection(*[each.functions for each in warm])
            await _trade(session, base, bot, traces["trade"])
        serving.should_exit = True
        await task
    await runner.cleanup()
    return traces


async def _is_online(session: aiohttp.ClientSession, base: str) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with session.get(f"{base}/health") as answer:
            return bool((await answer.json())["parts"]["bot"]["status"] == "online")
    return False


async def _request(session: aiohttp.ClientSession, base: str, trace: Trace) -> None:
    with trace.on():
        async with session.get(f"{base}/portfolio/balance") as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()


async def _trade(session: aiohttp.ClientSession, base: str, bot: TinyBot, trace: Trace) -> None:
    async with session.get(f"{base}/sse/trades") as stream:
        await stream.content.readline()
        await asyncio.sleep(1.5)  # the opening of the stream is over, and a poll without a trade
        with trace.on():
            bot.trades.append({
                "timestamp": time.time(), "ticker": "KXTEST-1", "side": "BUY", "quantity": 1, "price": 0.5,
                "trade_id": "one",
            })  # fmt: skip
            async with asyncio.timeout(20):
                while b"event: new_trades" not in await stream.content.readline():
                    continue


def main() -> int:
    """Print the counts. Return 1 if a way has more files than its goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.code_paths", description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the files too (default: %(default)s)")
    options = parser.parse_args()
    socket.setdefaulttimeout(20)
    with tempfile.TemporaryDirectory() as folder:
        traces = asyncio.run(measure(Path(folder)))
    over = False
    for name, trace in traces.items():
        without = () if name == "trade" else BACKGROUND
        files = trace.files(without)
        functions = sum(not file.startswith(without) if without else True for file, _ in trace.functions)
        over = over or len(files) > GOALS[name]
        print(f"{name:6} {len(files):3} files (goal {GOALS[name]}), {functions:4} functions")
        if options.list:
            print("".join(f"    {file}\n" for file in sorted(files)))
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
