"""One plan on hosts of their own: cuts between them, a failover, and who wrote each entry."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.check import Finding
from tests.faults.databases import Databases
from tests.faults.exchange import Exchange
from tests.faults.fault_actions import FaultActions
from tests.faults.fault_run import Run
from tests.faults.hosts import EXCHANGE, NAMES, WORKERS, HostFleet, reading, session_on
from tests.faults.network import Network
from tests.faults.plan import FAILOVER, LINKS, Fault, Plan
from tests.faults.reader import Reader
from tests.faults.result import Result

HOUR = 3600.0
TAKEN_OVER = 20.0  # seconds in which a leader that vanished must be replaced: the lease's term is 6


class HostFaultActions(FaultActions):
    """Cause and end faults of hosts and of the links between them."""

    def __init__(self, fleet: HostFleet, readers: Sequence[Reader]) -> None:
        super().__init__(fleet, readers)
        self._hosts = fleet
        self.findings: list[Finding] = []
        self._begun, self._lasting = 0, 0  # faults

    @contextlib.asynccontextmanager
    async def in_force(self, fault: Fault) -> AsyncIterator[None]:
        """Cause the fault while the block runs, and end it after the block."""
        rng = Random(fault.dice)
        who, _, what = fault.kind.partition(" ")
        if who in LINKS:
            one, other = who.split("-")
            action = self._link(await self._host(one), await self._host(other), what, rng)
        elif fault.kind == FAILOVER:
            action = self._failover(rng)
        elif what == "alone":
            action = self._alone(await self._host(who))
        elif what == "without power":
            action = self._without_power(await self._host(who))
        elif what == "hours":
            action = self._hours(await self._host(who), rng)
        elif fault.kind == "redis flushed":
            action = self._forgotten()
        else:
            action = super().in_force(fault)
        self._begun, self._lasting = self._begun + 1, self._lasting + 1
        try:
            async with action:
                yield
        finally:
            self._lasting -= 1

    async def _host(self, role: str) -> str:
        if role not in ("poller", "follower"):
            return role
        poller = await self._hosts.poller() or 0
        return WORKERS[poller if role == "poller" else 1 - poller]

    @contextlib.asynccontextmanager
    async def _link(self, one: str, other: str, how: str, rng: Random) -> AsyncIterator[None]:
        loss, delay = {"lossy": (rng.uniform(0.05, 0.4), 0.0), "slow": (0.0, rng.uniform(0.05, 0.4))}.get(how, (1.0, 0))
        ways = [(one, other), (other, one)]
        if how == "one-way":
            ways = [rng.choice(ways)]
        flapping = asyncio.create_task(self._flap(ways, rng)) if how == "flapping" else None
        for way in ways:
            self._hosts.network.link(*way, loss=loss, delay=delay)
        yield
        if flapping is not None:
            flapping.cancel()
            await asyncio.gather(flapping, return_exceptions=True)
        for way in ways:
            self._hosts.network.link(*way)

    async def _flap(self, ways: Sequence[tuple[str, str]], rng: Random) -> None:
        loss = 1.0
        while True:
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            loss = 1.0 - loss
            for way in ways:
                self._hosts.network.link(*way, loss=loss)

    @contextlib.asynccontextmanager
    async def _alone(self, host: str) -> AsyncIterator[None]:
        self._isolate(host, 1.0)
        yield
        self._isolate(host, 0.0)

    def _isolate(self, host: str, loss: float) -> None:
        for other in NAMES:
            self._hosts.network.link(host, other, loss=loss)
            self._hosts.network.link(other, host, loss=loss)

    @contextlib.asynccontextmanager
    async def _without_power(self, host: str) -> AsyncIterator[None]:
        """Stop the host so that no connection is closed; the database keeps what the worker has locked."""
        place = WORKERS.index(host)
        worker, other, begun = self._hosts.workers[place], 1 - place, self._begun
        # two faults at a time may leave no worker that could take over
        alone = self._lasting == 1 and await self._hosts.health(other) is not None
        self._isolate(host, 1.0)
        worker.kill()
        since = time.monotonic()
        while alone and begun == self._begun and await self._hosts.poller() != other:
            if time.monotonic() - since > TAKEN_OVER:
                self.findings.append(
                    Finding("not healed", "fleet", f"no new leader {TAKEN_OVER:g} s after {host} died")
                )
                break
            await asyncio.sleep(0.2)
        yield
        self._isolate(host, 0.0)
        worker.start()

    @contextlib.asynccontextmanager
    async def _hours(self, host: str, rng: Random) -> AsyncIterator[None]:
        self._hosts.clocks[host].step(rng.choice((-1, 1)) * rng.uniform(HOUR, 12 * HOUR))
        yield
        self._hosts.clocks[host].step(0.0)

    @contextlib.asynccontextmanager
    async def _forgotten(self) -> AsyncIterator[None]:
        await self._hosts.forget()
        yield

    @contextlib.asynccontextmanager
    async def _failover(self, rng: Random) -> AsyncIterator[None]:
        early = self._hosts.plan.planted == "replica believed too early"
        ahead = rng.choice((-1, 1)) * rng.uniform(HOUR, 12 * HOUR)
        await asyncio.to_thread(self._hosts.databases.fail_over, ahead, not early)
        yield


class HostRun(Run):
    """A run on hosts, which also looks at who wrote."""

    def __init__(self, plan: Plan, fleet: HostFleet, readers: Sequence[Reader]) -> None:
        self._host_actions = HostFaultActions(fleet, readers)
        super().__init__(plan, fleet, readers, self._host_actions)
        self._hosts = fleet

    async def _check(self) -> None:
        await super()._check()
        self.result.verdict.findings += self._host_actions.findings
        self.result.verdict.findings += check_writers(await asyncio.to_thread(self._hosts.databases.writers))

    async def _read_journal(self) -> tuple[list[dict[str, Any]], str]:
        def read() -> tuple[list[dict[str, Any]], str]:
            with self._hosts.network.inside(self._hosts.databases.primary_host):
                return asyncio.run(super(HostRun, self)._read_journal())

        return await asyncio.to_thread(read)


def check_writers(rows: Sequence[tuple[int, str, int]]) -> list[Finding]:
    """Find leases under which two hosts wrote, and entries under a lease that was already replaced."""
    hosts: dict[int, set[str]] = defaultdict(set)
    found, newest = [], 0
    for seq, host, token in rows:
        hosts[token].add(host)
        if token < newest:
            found.append(Finding("two writers", "journal", f"entry {seq} under lease {token} after lease {newest}"))
        newest = max(newest, token)
    for token, writers in hosts.items():
        if len(writers) > 1:
            found.append(Finding("two writers", "journal", f"lease {token}: {', '.join(sorted(writers))}"))
    return found


async def carry_out(plan: Plan, folder: Path, root: Path) -> Result:
    """Everything from the first host to the judgement. root: of a system with Oracle's MySQL."""
    network = Network(NAMES, {"journal": ("db", "replica")})
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(network.stop)
        network.start()
        for worker in WORKERS:
            network.forward(worker, "outside", EXCHANGE)
        before = network.command("outside", ())
        exchange = stack.enter_context(Exchange(folder, "--port", str(EXCHANGE), before=before))
        databases = await asyncio.to_thread(Databases, root, folder, network)
        stack.callback(databases.kill)
        clients = {host: await stack.enter_async_context(session_on(network, host)) for host in NAMES}
        with network.inside("outside"):  # where the exchange answers for its markets
            fleet = HostFleet(plan, folder, exchange, network, databases, clients)
        stack.push_async_callback(fleet.stop)
        await fleet.start()
        readers = await stack.enter_async_context(reading(fleet, plan.readers))
        return await HostRun(plan, fleet, readers).carry_out()
