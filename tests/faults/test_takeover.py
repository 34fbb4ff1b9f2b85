"""The worker that polls is killed: how long the stream is silent."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.faults.exchange import Exchange
from tests.faults.fleet import POLL, Fleet
from tests.faults.plan import Plan
from tests.faults.scenario import reading

pytestmark = [pytest.mark.slow, pytest.mark.redis]
TERM = 6.0  # seconds of the lease
MARGIN = 1.5  # for a busy machine


async def test_another_worker_takes_over_within_the_term(tmp_path: Path) -> None:
    """After kill -9 of the poller a new trade is on the other's stream within the lease's term and two polls."""
    with Exchange(tmp_path) as exchange:
        async with aiohttp.ClientSession() as session:
            fleet = Fleet(Plan(journal="sqlite", bot="plain"), tmp_path, exchange, session)
            try:
                await fleet.start()
                assert await _silence(fleet) < TERM + 2 * POLL + MARGIN
            finally:
                await fleet.stop()


async def _silence(fleet: Fleet) -> float:
    """Seconds from the kill until the readers of the other worker see a trade that was made after it."""
    async with reading(fleet, 4) as readers:
        poller = await fleet.poller()
        assert poller is not None
        left = [reader for number, reader in enumerate(readers) if number % 2 != poller]
        fleet.workers[poller].kill()
        killed = time.monotonic()
        await fleet.configure_bot(burst=1)
        while not all(reader.trades for reader in left):
            assert time.monotonic() < killed + 30, "no worker took over"
            await asyncio.sleep(0.02)
        silent = time.monotonic() - killed
        print(f"silent for {silent:.2f} s")
        return silent
