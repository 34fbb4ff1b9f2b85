"""The product on hosts of its own: two with a worker and readers, MySQL, its replica, Redis, and bot and exchange."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from tests.faults.clock import Clock
from tests.faults.databases import HOSTS, Databases
from tests.faults.exchange import Exchange
from tests.faults.fleet import Fleet
from tests.faults.network import Network
from tests.faults.plan import Plan
from tests.faults.process import Program
from tests.faults.reader import Reader
from tests.support.neighbours import redis_program
from tests.support.server import ROOT, clean_environment

WORKERS = ("worker-0", "worker-1")
NAMES = (*WORKERS, *HOSTS, "redis", "outside")
SERVER, BOT, REDIS, EXCHANGE = 8000, 9000, 6379, 9500  # ports
SILENCE = 8.0  # seconds without a byte after which a reader connects again; a heartbeat comes every 2 s


class HostFleet(Fleet):
    """A fleet whose programs reach each other by a network that can be cut. clients: a session on each host."""

    def __init__(
        self, plan: Plan, folder: Path, exchange: Exchange, network: Network,
        databases: Databases, clients: dict[str, aiohttp.ClientSession],
    ) -> None:  # fmt: skip
        super().__init__(plan, folder, exchange, clients["outside"])
        self.network, self.databases, self._clients = network, databases, clients
        self.clocks = {host: Clock(folder / f"clock-{host}") for host in (*WORKERS, "outside")}
        self.ports, self.bot_port = [SERVER, SERVER], BOT
        self.journal_url = databases.url()

    async def start(self) -> None:
        """Start everything and wait for the baseline; no trades are made yet."""
        words = [redis_program(), "--port", str(REDIS), "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""]
        self.redis = Program("redis", self.network.command("redis", words), clean_environment(), self.folder)
        self.redis.start()
        bot = self.network.command("outside", [*self._bot_words(), "--host", "0.0.0.0"])
        self.bot = Program("bot", bot, self._environment("outside"), self.folder)
        self.bot.start()
        await asyncio.to_thread(self.databases.start)
        for host in WORKERS:
            command = self.network.command(host, [sys.executable, str(ROOT / "server.py"), "--port", str(SERVER)])
            self.workers.append(Program(host, command, self._settings(host), self.folder))
            self.workers[-1].start()
        await self.until(self._ready, 90, "both workers serve, one polls, and the bot is online")
        await asyncio.to_thread(self.databases.audit)

    async def stop(self) -> None:
        """End every process by its own id."""
        for program in [*self.workers, self.bot, self.redis]:
            program.thaw()
            program.kill()

    async def heal(self) -> None:
        """Undo whatever is still broken."""
        self.network.heal()
        await super().heal()

    def client(self, host: str) -> aiohttp.ClientSession:
        """Return the session that reaches a program of this host on 127.0.0.1."""
        return self._clients[host]

    async def forget(self) -> None:
        """Make Redis forget everything."""
        with self.network.inside("redis"):
            line = socket.socket()
        with contextlib.suppress(OSError), line:
            line.settimeout(3)
            line.connect(("127.0.0.1", REDIS))
            line.sendall(b"FLUSHALL\r\n")
            await asyncio.to_thread(line.recv, 64)

    def _addresses(self) -> dict[str, str]:
        bot = f"http://{self.network.address('outside')}:{BOT}"
        hosts = [self.network.address(host) for host in WORKERS]
        return {
            "HOST": "0.0.0.0", "ALLOW_PUBLIC": "yes", "ALLOWED_HOSTS": ",".join(["127.0.0.1", *hosts]),
            "BOT_STATUS_ENDPOINT": f"{bot}/status", "BOT_TRADES_ENDPOINT": f"{bot}/trades",
            # an exchange without TLS is accepted on loopback alone
            "KALSHI_API_URL": f"http://127.0.0.1:{EXCHANGE}/trade-api/v2",
            "REDIS_HOST": self.network.address("redis"), "REDIS_PORT": str(REDIS),
        }  # fmt: skip


def session_on(network: Network, host: str) -> aiohttp.ClientSession:
    """Return a client that lives on a host."""

    def factory(address: aiohttp.AddrInfoType) -> socket.socket:
        with network.inside(host):
            return socket.socket(*address[:3])

    connector = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=factory)
    return aiohttp.ClientSession(connector=connector, read_bufsize=4096)


@contextlib.asynccontextmanager
async def reading(fleet: HostFleet, count: int) -> AsyncIterator[list[Reader]]:
    """Readers on both workers' hosts, half of them of the other host's worker."""
    async with contextlib.AsyncExitStack() as stack:
        readers = []
        for number in range(count):
            home, target = WORKERS[number % 2], WORKERS[number // 2 % 2]
            url = f"http://{fleet.network.address(target)}:{SERVER}/api/python/sse/trading"
            reader = Reader(fleet.client(home), url, f"reader {number} on {home} of {target}", SILENCE)
            readers.append(await stack.enter_async_context(reader))

        async def placed() -> bool:
            return all(reader.position is not None and reader.status for reader in readers)

        await fleet.until(placed, 30, "every reader has a cursor")
        yield readers
