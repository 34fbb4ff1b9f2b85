"""Actions that cause each kind of fault and end it."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

from tests.faults.fleet import Fleet
from tests.faults.plan import Fault
from tests.faults.process import Program
from tests.faults.reader import Reader
from tests.faults.trader import CORRECTED_AFTER

STEP = 4.0  # seconds by which a clock is a little wrong: the exchange itself refuses more than twenty
HOURS = 6 * 3600.0  # seconds by which it is far wrong at most
ON_THEIR_WAY = 4  # orders that the exchange has at once when it is killed
ORDERED_FOR = 0.3  # seconds of such orders
CROWD = 10  # connections, the fewest to which MariaDB can be limited
REDIS_REFUSALS = (
    ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
)
REFUSALS = (
    ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"),
    ("ALTER USER worker@'127.0.0.1' ACCOUNT LOCK", "ALTER USER worker@'127.0.0.1' ACCOUNT UNLOCK"),
    (f"SET GLOBAL max_connections = {CROWD}", "SET GLOBAL max_connections = DEFAULT"),
)
EXCHANGE: dict[str, dict[str, Any]] = {
    "exchange errors": {"kind": "error", "status": 503}, "exchange refuses": {"kind": "rate_limit"},
    "exchange drops": {"kind": "drop"}, "exchange lags": {"kind": "stale", "seconds": 3},
    "exchange maintained": {"kind": "maintenance"}, "push loses": {"kind": "ws_lose", "channel": "fill"},
    "push doubles": {"kind": "ws_double", "channel": "fill"}, "push cut": {"kind": "ws_cut"},
}  # fmt: skip


class FaultActions:
    """Cause and end faults of a fleet and its readers."""

    def __init__(self, fleet: Fleet, readers: Sequence[Reader]) -> None:
        self._fleet = fleet
        self._readers = readers

    @contextlib.asynccontextmanager
    async def in_force(self, fault: Fault) -> AsyncIterator[None]:
        """Cause the fault while the block runs, and end it after the block."""
        rng = Random(fault.dice)
        who, _, what = fault.kind.partition(" ")
        if fault.kind in EXCHANGE:
            action = self._exchange(EXCHANGE[fault.kind])
        elif who in ("poller", "follower"):
            action = self._program(await self._worker(who), what)
        elif (who, what) in (("redis", "killed"), ("redis", "frozen"), ("bot", "killed"), ("bot", "frozen")):
            action = self._program(self._fleet.bot if who == "bot" else self._fleet.redis, what)
        elif what in ("cut", "slow", "delayed", "stalled") and fault.kind != "readers cut":
            action = self._network(who, what, rng)
        elif what in ("clock", "hours"):
            action = self._clock(
                who, rng.uniform(-STEP, STEP) if what == "clock" else rng.choice([-1, 1]) * rng.uniform(3600, HOURS)
            )
        else:
            action = getattr(self, f"_{fault.kind.replace(' ', '_')}")(rng)
        async with action:
            yield

    async def _worker(self, who: str) -> Program:
        poller = await self._fleet.poller() or 0
        return self._fleet.workers[poller if who == "poller" else 1 - poller]

    @contextlib.asynccontextmanager
    async def _program(self, program: Program, what: str) -> AsyncIterator[None]:
        if what == "frozen":
            program.freeze()
        else:
            await asyncio.to_thread(program.kill if what == "killed" else program.term)
        yield
        program.thaw()
        program.start()

    @contextlib.asynccontextmanager
    async def _exchange(self, options: dict[str, Any]) -> AsyncIterator[None]:
        number = (await self._fleet.control("POST", "/faults", options))["id"]
        yield
        if options["kind"] != "ws_cut":
            await self._fleet.control("DELETE", f"/faults/{number}")

    @contextlib.asynccontextmanager
    async def _network(self, who: str, what: str, rng: Random) -> AsyncIterator[None]:
        proxy = self._fleet.proxies[f"readers-{rng.randrange(2)}" if who == "readers" else who]
        if what == "cut":
            proxy.refusing = True
            proxy.cut()
        elif what == "stalled":
            proxy.stall()
        else:
            proxy.delay = rng.uniform(0.05, 0.8)
        yield
        proxy.heal()

    @contextlib.asynccontextmanager
    async def _clock(self, who: str, seconds: float) -> AsyncIterator[None]:
        self._fleet.clocks[who].step(seconds)
        yield
        self._fleet.clocks[who].step(0.0)

    @contextlib.asynccontextmanager
    async def _redis_flushed(self, rng: Random) -> AsyncIterator[None]:
        await self._redis("FLUSHALL")
        yield

    @contextlib.asynccontextmanager
    async def _redis_refuses(self, rng: Random) -> AsyncIterator[None]:
        """Make Redis full or read-only: it answers, and takes no writes."""
        begin, end = rng.choice(REDIS_REFUSALS)
        await self._redis(begin)
        yield
        await self._redis(end)

    async def _redis(self, command: str) -> None:
        """Send a command to Redis, if it runs."""
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._fleet.proxies["redis"].target)
            writer.write(f"{command}\r\n".encode())
            async with asyncio.timeout(3):
                await reader.readline()
            writer.close()

    @contextlib.asynccontextmanager
    async def _server_frozen(self, rng: Random) -> AsyncIterator[None]:
        """Stop the servers' host as a virtual machine is paused: both workers and Redis."""
        programs = (*self._fleet.workers, self._fleet.redis)
        for program in programs:
            program.freeze()
        yield
        for program in programs:
            program.thaw()

    @contextlib.asynccontextmanager
    async def _bot_garbage(self, rng: Random) -> AsyncIterator[None]:
        await self._fleet.configure_bot(garbage=rng.choice(["html", "half", "error", "null", "empty"]))
        yield
        await self._fleet.configure_bot(garbage="")

    @contextlib.asynccontextmanager
    async def _bot_unread(self, rng: Random) -> AsyncIterator[None]:
        await self._fleet.configure_bot(unread=True)
        yield
        await self._fleet.configure_bot(unread=False)

    @contextlib.asynccontextmanager
    async def _bot_corrects(self, rng: Random) -> AsyncIterator[None]:
        await self._fleet.configure_bot(corrects=True)
        yield
        await self._fleet.configure_bot(corrects=False)
        await asyncio.sleep(CORRECTED_AFTER + 0.2)

    @contextlib.asynccontextmanager
    async def _backup_restored(self, rng: Random) -> AsyncIterator[None]:
        """Back the journal up, go on for a while, and restore what is older by then, under running workers."""
        backup = self._fleet.folder / f"backup-{rng.randrange(2**30)}.db"
        await self._fleet.journal_command("backup", str(backup))
        yield
        for reader in self._readers:
            reader.expect_reset()
        await self._fleet.journal_command("restore", str(backup))

    @contextlib.asynccontextmanager
    async def _burst(self, rng: Random) -> AsyncIterator[None]:
        await self._fleet.configure_bot(burst=self._fleet.plan.burst)
        yield

    @contextlib.asynccontextmanager
    async def _exchange_frozen(self, rng: Random) -> AsyncIterator[None]:
        self._fleet.exchange.signal(signal.SIGSTOP)
        yield
        self._fleet.exchange.signal(signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def _exchange_killed(self, rng: Random) -> AsyncIterator[None]:
        """Kill the exchange while it executes orders: of the last ones nobody was sent an answer or a fill."""
        senders = 0 if self._fleet.plan.paper else ON_THEIR_WAY
        orders = [asyncio.create_task(self._order_until_refused()) for _ in range(senders)]
        await asyncio.sleep(ORDERED_FOR)
        await asyncio.to_thread(self._fleet.exchange.kill)
        await asyncio.gather(*orders)
        yield
        await asyncio.to_thread(self._fleet.exchange.start)

    async def _order_until_refused(self) -> None:
        while await self._fleet.trade_outside():
            pass

    @contextlib.asynccontextmanager
    async def _journal_killed(self, rng: Random) -> AsyncIterator[None]:
        assert self._fleet.maria is not None
        await asyncio.to_thread(self._fleet.maria.kill)
        yield
        await asyncio.to_thread(self._fleet.maria.start)

    @contextlib.asynccontextmanager
    async def _journal_frozen(self, rng: Random) -> AsyncIterator[None]:
        assert self._fleet.maria is not None
        self._fleet.maria.hang()
        yield
        self._fleet.maria.wake()

    @contextlib.asynccontextmanager
    async def _journal_refuses(self, rng: Random) -> AsyncIterator[None]:
        """Make the database read-only, lock the workers out, or let others take every connection."""
        assert self._fleet.maria is not None
        begin, end = rng.choice(REFUSALS)
        await self._sql(f"{begin}; KILL USER worker")
        crowd = []
        with contextlib.suppress(OSError):
            crowd = [await asyncio.open_connection("127.0.0.1", self._fleet.maria.port) for _ in range(CROWD)]
        yield
        for _, writer in crowd:
            writer.transport.abort()
        await self._sql(end)

    async def _sql(self, statement: str) -> None:
        """Run a statement as the database's administrator, again while the database is killed."""
        assert self._fleet.maria is not None
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                await asyncio.to_thread(self._fleet.maria.sql, statement)
                return
            await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def _journal_locked(self, rng: Random) -> AsyncIterator[None]:
        """Hold the file's write lock, or an old snapshot of it, as another program does that has it open."""
        connection = sqlite3.connect(self._fleet.journal_file(), 30, check_same_thread=False, isolation_level=None)
        with contextlib.closing(connection):
            await asyncio.to_thread(connection.execute, rng.choice(["BEGIN IMMEDIATE", "BEGIN"]))
            connection.execute("SELECT MAX(seq) FROM entries").fetchone()
            yield

    @contextlib.asynccontextmanager
    async def _log_unlinked(self, rng: Random) -> AsyncIterator[None]:
        """Delete the journal's write-ahead log; the renewal of the lease comes two seconds later at most."""
        for suffix in rng.choice([("-wal",), ("-shm",), ("-wal", "-shm")]):
            self._fleet.journal_file(suffix).unlink(missing_ok=True)
        await asyncio.sleep(3)
        yield

    @contextlib.asynccontextmanager
    async def _copy_served(self, rng: Random) -> AsyncIterator[None]:
        """Serve a copy of the journal on the same Redis, as a rehearsal of a restore does."""
        program = await asyncio.to_thread(self._fleet.copied_worker, rng.randrange(2**30))
        program.start()
        yield
        program.kill()

    @contextlib.asynccontextmanager
    async def _bits_flipped(self, rng: Random) -> AsyncIterator[None]:
        """Change the body of an entry and change it back; a worker that serves it meanwhile may only report it."""
        await asyncio.to_thread(self._fleet.change_body, '"side":"BUY"', '"side":"BUX"')
        yield
        await asyncio.to_thread(self._fleet.change_body, '"side":"BUX"', '"side":"BUY"')

    @contextlib.asynccontextmanager
    async def _readers_cut(self, rng: Random) -> AsyncIterator[None]:
        for reader in rng.sample(self._readers, max(1, len(self._readers) // 2)):
            reader.lose()
        yield

    @contextlib.asynccontextmanager
    async def _readers_slowed(self, rng: Random) -> AsyncIterator[None]:
        slow = rng.sample(self._readers, max(1, len(self._readers) // 5))
        for reader in slow:
            reader.stop_reading()
        yield
        for reader in slow:
            reader.resume_reading()

    @contextlib.asynccontextmanager
    async def _disk_full(self, rng: Random) -> AsyncIterator[None]:
        for worker in self._fleet.workers:
            worker.file_limit(8192)
        yield
        for worker in self._fleet.workers:
            worker.file_limit(None)
