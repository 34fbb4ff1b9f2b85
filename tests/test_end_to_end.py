"""The whole over sockets: the bot, a redis-server, an exchange that checks signatures, the server, and curl."""

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands.ports import free_port
from tests.support.eventually import until
from tests.support.neighbours import RedisServer
from tests.support.server import ROOT, Server, clean_environment, running_server
from tests.support.simulator import Simulator, running_simulator

pytestmark = pytest.mark.slow


@dataclass(slots=True)
class Bot:
    """The real bot, trading live on the simulated exchange; it keeps its port over restarts."""

    port: int
    folder: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, again after a kill."""
        command = [sys.executable, "-m", "bot", "--live", "--port", str(self.port)]
        with (self.folder / "bot.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def send(self, number: int) -> None:
        """A signal to it."""
        assert self.process is not None
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(5)


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that runs."""

    server: Server
    bot: Bot
    exchange: Simulator
    redis: RedisServer

    def part(self, name: str) -> dict[str, Any]:
        """One part of /health."""
        found: dict[str, Any] = self.server.get("/health").json()["parts"][name]
        return found

    def seq(self) -> int:
        """The journal's head."""
        return int(self.server.get("/health").json()["journal"]["seq"])


@pytest.fixture
def whole(tmp_path: Path, redis_server: RedisServer) -> Iterator[Whole]:
    """The whole, with a live market."""
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(running_simulator(tmp_path / "keys", quiet=False))
        account = {
            "KALSHI_API_URL": exchange.url,
            "KALSHI_API_KEY": "demo-ed25519",
            "KALSHI_RSA_KEY_PATH": str(exchange.keys["demo-ed25519"]),
        }
        bot = Bot(free_port(), tmp_path, {**clean_environment(), **account, "PYTHONPATH": str(ROOT)})
        bot.start()
        stack.callback(lambda: bot.send(signal.SIGKILL))
        server = stack.enter_context(
            running_server(
                tmp_path,
                BOT_STATUS_ENDPOINT=f"http://127.0.0.1:{bot.port}/status",
                BOT_TRADES_ENDPOINT=f"http://127.0.0.1:{bot.port}/trades",
                REDIS_HOST="127.0.0.1",
                REDIS_PORT=str(redis_server.port),
                HEARTBEAT_INTERVAL="2",
                **account,
            )
        )
        yield Whole(server, bot, exchange, redis_server)


def curl(url: str, seconds: float) -> str:
    """Return the output of curl -N in so many seconds."""
    done = subprocess.run(["curl", "-sN", "-m", str(seconds), url], capture_output=True, text=True, check=False)
    return done.stdout


def events(text: str) -> list[tuple[str, Any]]:
    """Names and data of the whole events in a stream's text."""
    found = re.findall(r"^event: (\w+)\n(?:id: \S+\n)?data: (.*)\n", text, re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


def test_curl_shows_each_stream(whole: Whole) -> None:
    """Each stream has its events and no others: entries with cursors, status, heartbeats."""
    until(lambda: whole.seq() > 2, 15, "the first trades")
    texts = {name: curl(f"{whole.server.base}/sse/{name}", 7) for name in ("trading", "trades", "status")}
    for text in texts.values():
        assert text.startswith("retry: ")
    names = {name: {event for event, _ in events(text)} for name, text in texts.items()}
    assert {"new_trades", "bot_status", "heartbeat"} <= names["trading"]
    assert {"new_trades", "heartbeat"} <= names["trades"] <= {"new_trades", "heartbeat", "settlement", "gap"}
    assert names["status"] == {"bot_status", "heartbeat"}
    assert "id: " not in texts["status"]
    assert "id: " in texts["trades"].partition("\n\n")[2]


def test_a_returning_reader_gets_what_it_missed(whole: Whole) -> None:
    """From the very first cursor on: every entry once, in order."""
    until(lambda: whole.seq() > 4, 20, "some trades")
    epoch = whole.server.get("/portfolio/trades/history").json()["cursor"].partition("-")[0]
    text = curl(f"{whole.server.base}/sse/trades?last_event_id={epoch}-0", 2)
    seqs = [
        seq
        for name, data in events(text)
        for seq in ([trade["seq"] for trade in data["trades"]] if name == "new_trades" else [data.get("seq")])
        if seq is not None
    ]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > 4


def test_each_neighbour_dies_and_comes_back(whole: Whole) -> None:
    """Bot, Redis and exchange are killed in turn: health names it, the rest goes on, and each recovers by itself."""
    until(lambda: whole.seq() > 2, 15, "the first trades")

    whole.redis.kill()
    until(
        lambda: whole.server.get("/portfolio/balance").ok and whole.part("cache")["state"] == "degraded", 5, "no Redis"
    )
    before = whole.seq()
    until(lambda: whole.seq() > before, 15, "a trade without Redis")
    whole.redis.start()
    until(lambda: whole.part("cache")["state"] == "ok", 15, "Redis back")

    whole.bot.send(signal.SIGKILL)
    until(lambda: whole.part("bot")["status"] == "offline", 5, "the bot is offline")
    assert whole.server.get("/portfolio/trades/live").json()["source"] != "bot_live"
    whole.bot.start()
    until(lambda: whole.part("bot")["status"] == "online", 15, "the bot is back")
    before = whole.seq()
    until(lambda: whole.seq() > before, 30, "a trade of the new bot")

    whole.exchange.fault("error", status=500)
    until(lambda: whole.server.get("/portfolio/balance").json().get("stale", True), 20, "stale or a problem")
    assert whole.server.get("/health").status_code == 200
    whole.exchange.clear()
    until(lambda: whole.server.get("/portfolio/balance").json().get("stale") is False, 40, "fresh again")

    entries = whole.server.get("/portfolio/trades/history?after=0&limit=1000").json()["entries"]
    fills = {fill["fill_id"] for fill in whole.exchange.ledger()["fills"]}
    output = [entry["trade_id"] for entry in entries if entry["kind"] == "trade"]
    assert len(output) == len(set(output))
    until(lambda: fills <= _found(whole), 40, "every fill of the exchange is in the journal")


def _found(whole: Whole) -> set[str]:
    entries = whole.server.get("/portfolio/trades/history?after=0&limit=1000").json()["entries"]
    return {entry["trade_id"] for entry in entries if entry["kind"] == "trade"}


@pytest.mark.parametrize(
    ("command", "env"),
    [
        (None, "production"),
        (["-m", "uvicorn", "server:app", "--app-dir", str(ROOT), "--port", "{port}"], "production"),
        (None, "development"),
    ],
    ids=["server.py", "uvicorn", "under the reloader"],
)
def test_a_stop_sends_bye_to_five_hundred_streams(tmp_path: Path, command: list[str] | None, env: str) -> None:
    """SIGTERM with 500 open streams: each has its bye, and the process is gone within about a second."""
    import asyncio

    async def read(port: int, begun: asyncio.Semaphore) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/python/sse/trading HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        text = await reader.readuntil(b"\n\n")
        begun.release()
        text += await reader.read()
        writer.close()
        return text

    async def scene(server: Server) -> tuple[list[bytes], float]:
        begun = asyncio.Semaphore(0)
        readers = [asyncio.create_task(read(server.port, begun)) for _ in range(500)]
        for _ in readers:
            await begun.acquire()
        took = await asyncio.to_thread(server.stop)
        return await asyncio.gather(*readers), took

    with running_server(tmp_path, command, APP_ENV=env) as server:
        texts, took = asyncio.run(scene(server))
    assert sum(b"event: bye" in text and b'"shutdown"' in text for text in texts) == 500
    assert took < 15, f"{took:.2f} s"
