"""scripts/soak: two workers, a Redis and readers that come and go for a while; then the trend of each figure."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import redis

from tests.faults.exchange import Exchange
from tests.faults.fleet import Fleet
from tests.faults.plan import Plan
from tests.faults.reader import Reader
from tests.faults.scenario import reading
from tests.soak.trend import Trend, trend

SAMPLE_EVERY = 1.0  # seconds
CHURN_EVERY = 0.5  # seconds between two connections that a reader loses
QUIET_WITHIN = 60.0  # seconds in which every reader must be at the journal's head after the last trade

Samples = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class SoakResult:
    """Trends by figure, entries of the journal, connections of all readers, and findings."""

    trends: dict[str, Trend]
    entries: int
    connections: int
    findings: list[str]


async def soak(seconds: float, rate: float, readers: int, folder: Path) -> SoakResult:
    """Run the product for seconds, at rate trades a second with readers readers, and return the result."""
    plan = Plan(trades=0, faults=0, readers=readers, rate=rate, paper=True)
    with Exchange(folder) as exchange:
        async with aiohttp.ClientSession() as session:
            fleet = Fleet(plan, folder, exchange, session)
            try:
                await fleet.start()
                async with reading(fleet, readers) as opened:
                    samples = await _load(fleet, opened, seconds)
                    findings = await _findings(fleet, opened)
                    connections = sum(len(reader.opened) for reader in opened)
                    entries = max((reader.position or 0 for reader in opened), default=0)
            finally:
                await fleet.stop()
    return SoakResult({name: trend(values) for name, values in samples.items()}, entries, connections, findings)


async def _load(fleet: Fleet, readers: Sequence[Reader], seconds: float) -> Samples:
    """Trade, cut readers at random and take samples until the time is over."""
    samples: Samples = defaultdict(list)
    await fleet.configure_bot(rate=fleet.plan.rate)
    churn = asyncio.create_task(_churn(readers))
    begun = time.monotonic()
    try:
        while (now := time.monotonic() - begun) < seconds:
            for name, value in (await asyncio.to_thread(_figures, fleet)).items():
                samples[name].append((now, value))
            await asyncio.sleep(SAMPLE_EVERY)
    finally:
        churn.cancel()
        await fleet.configure_bot(rate=0.0)
    return samples


async def _churn(readers: Sequence[Reader]) -> None:
    rng = Random(1)
    while True:
        rng.choice(readers).lose()
        await asyncio.sleep(CHURN_EVERY)


def _figures(fleet: Fleet) -> dict[str, float]:
    """Return resident megabytes, descriptors and threads of each worker, megabytes of the log, and keys of Redis."""
    found: dict[str, float] = {}
    for worker in fleet.workers:
        process = Path(f"/proc/{worker.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        found[f"{worker.name} resident MB"] = int(status["VmRSS"].split()[0]) / 1024
        found[f"{worker.name} threads"] = int(status["Threads"])
        found[f"{worker.name} descriptors"] = len(os.listdir(process / "fd"))
    log = fleet.journal_file("-wal")
    found["write-ahead log MB"] = log.stat().st_size / 2**20 if log.exists() else 0.0
    with redis.Redis(port=fleet.proxies["redis"].target, socket_timeout=30) as client:
        found["Redis keys"] = client.dbsize()
    return found


async def _findings(fleet: Fleet, readers: Sequence[Reader]) -> list[str]:
    """Wait until every reader is at the journal's head, and return the broken rules of all readers."""

    async def all_at_head() -> bool:
        return await _behind(fleet, readers) == 0

    found = []
    try:
        await fleet.until(all_at_head, QUIET_WITHIN, "every reader is at the journal's head")
    except AssertionError as error:
        found.append(str(error))
    return found + [f"{reader.name}: {kind}: {what}" for reader in readers for kind, what in reader.findings]


async def _behind(fleet: Fleet, readers: Sequence[Reader]) -> int:
    heads = [health["journal"]["seq"] for place in (0, 1) if (health := await fleet.health(place))]
    return sum(reader.position != max(heads, default=-1) for reader in readers)


def report(result: SoakResult) -> str:
    """Return the table for the terminal."""
    lines = [f"{result.entries} entries, {result.connections} connections", ""]
    lines.append(f"{'':24} {'last':>10} {'slope an hour':>15} {'error':>10}")
    for name, found in sorted(result.trends.items()):
        grows = "  GROWS" if found.grows else ""
        lines.append(f"{name:24} {found.last:10.2f} {found.slope:15.3f} {found.error:10.3f}{grows}")
    return "\n".join([*lines, *(f"! {finding}" for finding in result.findings[:12])])


def main() -> int:
    """Entry point; 1 when a figure grows by more than two standard errors, or a reader was not served as promised."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20, help="trades a second")
    parser.add_argument("--readers", type=int, default=200)
    requested = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the fleet must not outlive us
    with tempfile.TemporaryDirectory(prefix="soak") as folder, contextlib.suppress(KeyboardInterrupt):
        result = asyncio.run(soak(60 * requested.minutes, requested.rate, requested.readers, Path(folder)))
        print(report(result))
        return int(bool(result.findings) or any(found.grows for found in result.trends.values()))
    return 130


if __name__ == "__main__":
    sys.exit(main())
