"""Start a fleet and its readers, and carry out one plan on them."""

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import aiohttp

from tests.faults.exchange import Exchange
from tests.faults.fault_run import Run
from tests.faults.fleet import Fleet
from tests.faults.plan import Plan, scheduled
from tests.faults.reader import Reader
from tests.faults.result import Result


def _small(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket with a small receive buffer, so that a reader that stops reading soon blocks its sender."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    return made


@contextlib.asynccontextmanager
async def reading(fleet: Fleet, count: int) -> AsyncIterator[list[Reader]]:
    """Open count readers on both workers: half of them directly, half through a proxy."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True, socket_factory=_small)
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, read_bufsize=4096))
        readers: list[Reader] = []
        for number in range(count):
            place = number % 2
            port = fleet.ports[place] if number % 4 < 2 else fleet.proxies[f"readers-{place}"].port
            url = f"http://127.0.0.1:{port}/api/python/sse/trading"
            readers.append(await stack.enter_async_context(Reader(session, url, f"reader {number}")))
        await fleet.until(lambda: _all_placed(readers), 15, "every reader has a cursor")
        yield readers


async def _all_placed(readers: Sequence[Reader]) -> bool:
    return all(reader.position is not None and reader.status for reader in readers)


async def carry_out(plan: Plan, folder: Path) -> Result:
    """Start all processes, carry out the plan, stop them, and return the result."""
    plan = replace(plan, schedule=plan.schedule or scheduled(plan))
    with Exchange(folder) as exchange:
        async with aiohttp.ClientSession() as session:
            fleet = Fleet(plan, folder, exchange, session)
            try:
                await fleet.start()
                async with reading(fleet, plan.readers) as readers:
                    return await Run(plan, fleet, readers).carry_out()
            finally:
                await fleet.stop()
