"""The whole product as processes, with a proxy on every connection between two of them."""

import asyncio
import contextlib
import itertools
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp

from cache.decimal_json import loads
from commands.ports import free_port
from tests.faults.clock import Clock
from tests.faults.exchange import Exchange
from tests.faults.plan import Plan
from tests.faults.planted import BUGS
from tests.faults.process import Program
from tests.faults.proxy import Proxy
from tests.support.neighbours import MariaServer, redis_program
from tests.support.server import ROOT, clean_environment

SITE = Path(__file__).parent / "site"
RESTART_SECONDS = 5.0  # longer than any fault keeps a worker of one host away
POLL = 0.5  # BOT_POLL_INTERVAL of the fleet
MARKETS = 8
CONTROL_WITHIN = 60.0  # seconds: the exchange may be frozen, or killed until it is started again


class Fleet:
    """Two workers on one journal, a bot, an exchange, a Redis, perhaps a MariaDB. Everything stays on this machine."""

    def __init__(self, plan: Plan, folder: Path, exchange: Exchange, session: aiohttp.ClientSession) -> None:
        self.plan, self.folder, self.exchange, self.session = plan, folder, exchange, session
        self.clocks = {host: Clock(folder / f"clock-{host}") for host in ("server", "bot")}
        self.proxies: dict[str, Proxy] = {}
        self.maria: MariaServer | None = None
        self.workers: list[Program] = []
        self._exited: dict[str, float] = {}  # monotonic seconds at which a worker was first seen to be gone, by name
        self._outside = itertools.count(20_000)  # quantities of the account's own trades, beyond those of the bot
        self.ports = [free_port(), free_port()]
        self.bot_port = free_port()
        self.bot_log = folder / "trades.jsonl"
        self.tickers = exchange.running.ledger()["markets"][:MARKETS]
        self.journal_url = f"sqlite:///{folder}/journal.db"

    async def start(self) -> None:
        """Start everything and wait for the baseline; no trades are made yet."""
        redis_port = free_port()
        words = [redis_program(), "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""]
        self.redis = Program("redis", words, clean_environment(), self.folder)
        self.redis.start()
        exchange_port = int(self.exchange.running.url.split(":")[2].split("/")[0])
        targets = {"bot": self.bot_port, "exchange": exchange_port, "redis": redis_port}
        targets |= {f"readers-{place}": port for place, port in enumerate(self.ports)}
        if self.plan.journal == "mysql":
            targets["journal"] = await self._start_maria()
        for name, port in targets.items():
            self.proxies[name] = Proxy(port)
            await self.proxies[name].start()
        self.bot = Program("bot", self._bot_words(), self._environment("bot"), self.folder)
        self.bot.start()
        if self.plan.journal == "mysql":
            self.journal_url = f"mysql://worker@127.0.0.1:{self.proxies['journal'].port}/faults"
        for place, port in enumerate(self.ports):
            command = [sys.executable, str(ROOT / "server.py"), "--port", str(port)]
            self.workers.append(Program(f"worker-{place}", command, self._settings(), self.folder))
            self.workers[-1].start()
        await self.until(self._ready, 40, "both workers serve, one polls, and the bot is online")

    async def stop(self) -> None:
        """End every process by its own id."""
        for program in [*self.workers, *([self.bot, self.redis] if self.proxies else [])]:
            program.thaw()
            program.kill()
        for proxy in self.proxies.values():
            await proxy.close()
        if self.maria is not None:
            self.maria.kill()

    async def heal(self) -> None:
        """End all faults."""
        for proxy in self.proxies.values():
            proxy.heal()
        await self.control("DELETE", "/faults")
        for clock in self.clocks.values():
            clock.step(0.0)
        for program in (self.bot, self.redis, *self.workers):
            program.thaw()
            program.start()
            program.file_limit(None)

    def restart_exited(self) -> None:
        """Start again what ended by itself some seconds ago, as systemd does: a worker that found no journal exits."""
        now = time.monotonic()
        for worker in self.workers:
            if not worker.ended:
                self._exited.pop(worker.name, None)
            elif now - self._exited.setdefault(worker.name, now) > RESTART_SECONDS:
                worker.start()

    def journal_file(self, suffix: str = "") -> Path:
        """Return a file of the SQLite journal."""
        return self.folder / f"journal.db{suffix}"

    def copied_worker(self, number: int) -> Program:
        """Return a worker, not started, on a copy of the journal, with the Redis of the others and no bot."""
        copy = self.folder / f"copy-{number}.db"
        with closing(sqlite3.connect(self.journal_file())) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        nowhere = f"http://127.0.0.1:{free_port()}"
        bot = {"BOT_STATUS_ENDPOINT": f"{nowhere}/status", "BOT_TRADES_ENDPOINT": f"{nowhere}/trades"}
        settings = self._settings() | {"JOURNAL_URL": f"sqlite:///{copy}", **bot}
        command = [sys.executable, str(ROOT / "server.py"), "--port", str(free_port())]
        return Program(f"copy-{number}", command, settings, self.folder)

    async def journal_command(self, *words: str) -> None:
        """Run `server.py journal …` on the fleet's journal. Raises AssertionError with its output where it fails."""
        command = [sys.executable, str(ROOT / "server.py"), "journal", *words]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=self._settings(), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    def change_body(self, old: str, new: str) -> None:
        """Change a text in the body of the journal's first entry that has it."""
        with closing(sqlite3.connect(self.journal_file(), timeout=10)) as connection, connection:
            connection.execute(
                "UPDATE entries SET body = replace(body, ?, ?) WHERE seq = "
                "(SELECT MIN(seq) FROM entries WHERE instr(body, ?))", [old, new, old],
            )  # fmt: skip

    def client(self, host: str) -> aiohttp.ClientSession:
        """Return the session that reaches a program of this host on 127.0.0.1."""
        return self.session

    async def poller(self) -> int | None:
        """Return the worker that reports to be the leader, or None."""
        found = [await self.health(place) for place in (0, 1)]
        holders = [place for place, health in enumerate(found) if _polls(health)]
        return holders[0] if len(holders) == 1 else None

    async def health(self, place: int) -> dict[str, Any] | None:
        """One worker's /health, None when it does not answer."""
        return await self.read(place, "/health")

    async def read(self, place: int, path: str) -> dict[str, Any] | None:
        """Return one worker's JSON under a path with exact numbers, None when it does not answer."""
        url = f"http://127.0.0.1:{self.ports[place]}/api/python{path}"
        try:
            async with self.client(f"worker-{place}").get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                output: dict[str, Any] = await answer.json(loads=loads)
                return output
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None

    async def configure_bot(self, **wish: Any) -> dict[str, Any]:
        """Set the bot's rate or faults, or start a burst; return its state, {} while it is down."""
        url = f"http://127.0.0.1:{self.bot_port}/control"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with self.client("outside").post(url, json=wish, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                output: dict[str, Any] = await answer.json()
                return output
        return {}

    async def control(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the exchange's control port, again while the exchange is killed."""
        deadline = time.monotonic() + CONTROL_WITHIN
        while True:
            try:
                return await self._control(method, path, body)
            except aiohttp.ClientError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def trade_outside(self) -> bool:
        """Trade on the account beside the bot, as a person would. Return True if the exchange confirmed the trade."""
        order = {"ticker": self.tickers[0], "side": "bid", "count": f"{next(self._outside)}.00", "price": "0.40"}
        with contextlib.suppress(aiohttp.ClientError):
            return "fill_id" in await self._control("POST", "/fill", order)
        return False

    async def _control(self, method: str, path: str, body: object) -> Any:
        exchange = self.exchange.running
        headers = {"Authorization": f"Bearer {exchange.token}"}
        limit = aiohttp.ClientTimeout(total=CONTROL_WITHIN)
        url = exchange.control_url + path
        async with self.client("outside").request(method, url, json=body, headers=headers, timeout=limit) as answer:
            if answer.status == 401:  # a new process, whose token is not known yet
                answer.raise_for_status()
            return await answer.json() if answer.content_length else None

    async def until(self, fact: Any, within: float, what: str) -> None:
        """Wait for an asynchronous fact; AssertionError with its name after so many seconds."""
        deadline = asyncio.get_running_loop().time() + within
        while not await fact():
            assert asyncio.get_running_loop().time() < deadline, f"not within {within} s: {what}"
            await asyncio.sleep(0.1)

    async def _ready(self) -> bool:
        found = [await self.health(place) for place in (0, 1)]
        well = [health for health in found if health and health["parts"]["bot"].get("status") == "online"]
        batch = any(health["parts"]["healer"].get("sweeps") for health in well)
        return len(well) == 2 and sum(map(_polls, well)) == 1 and (batch or self.plan.paper)

    async def _start_maria(self) -> int:
        self.maria = await asyncio.to_thread(self._make_maria)
        self.maria.sql("CREATE DATABASE faults; CREATE USER worker@'127.0.0.1'; "
                       "GRANT ALL ON faults.* TO worker@'127.0.0.1'")  # fmt: skip
        return self.maria.port

    def _make_maria(self) -> MariaServer:
        home = self.folder / "maria"
        home.mkdir()
        maria = MariaServer(home)
        maria.start()
        return maria

    def _bot_words(self) -> list[str]:
        words = [sys.executable, "-m", "tests.faults.trader", "--port", str(self.bot_port), "--kind", self.plan.bot]
        words += ["--control", self.exchange.running.control_url, "--token-file", str(self.exchange.token_file)]
        words += ["--log", str(self.bot_log)]
        self.bot_log.touch()
        return words + ["--paper"] * self.plan.paper + ["--tickers", *self.tickers]

    def _environment(self, host: str) -> dict[str, str]:
        clock = {"FAULT_CLOCK": str(self.clocks[host].path)}
        return {**clean_environment(), "PYTHONPATH": f"{SITE}:{ROOT}", **clock}

    def _settings(self, host: str = "server") -> dict[str, str]:
        planted = {"PLANTED": self.plan.planted} if self.plan.planted in BUGS else {}
        return self._environment(host) | planted | self._addresses() | {
            "JOURNAL_URL": self.journal_url, "BOT_POLL_INTERVAL": str(POLL), "HEARTBEAT_INTERVAL": "2",
            "KALSHI_API_KEY": "demo-ed25519", "KALSHI_RSA_KEY_PATH": str(self.exchange.running.keys["demo-ed25519"]),
            "CLIENT_QUEUE_SIZE": "32",
        }  # fmt: skip

    def _addresses(self) -> dict[str, str]:
        """Return the settings of a worker that say where the others are."""
        bot = f"http://127.0.0.1:{self.proxies['bot'].port}"
        return {
            "BOT_STATUS_ENDPOINT": f"{bot}/status", "BOT_TRADES_ENDPOINT": f"{bot}/trades",
            "KALSHI_API_URL": f"http://127.0.0.1:{self.proxies['exchange'].port}/trade-api/v2",
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.proxies["redis"].port),
        }  # fmt: skip


def _polls(health: dict[str, Any] | None) -> bool:
    return bool(health) and health["parts"]["lease"]["reason"] == "this worker polls"  # type: ignore[index]
