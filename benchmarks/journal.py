"""A journal of a million entries: what appending, pages of the past and replays cost, at its start and at its end.

    python -m benchmarks.journal [--entries 1000000] [--mysql mysql://user:password@host/empty_database] [--keep FILE]

Fills a SQLite journal (and one on MySQL or MariaDB when given) with a bot's trades and their fills, one in a hundred
healed late, then measures each kind of call: median and worst of some, and the longest pause of the event loop.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median

from journal.base import Journal
from journal.dsn import open_journal
from journal.entries import Draft, Trade
from journal.entry_store import Query

START = Decimal(1_700_000_000)
TICKERS = [f"MARKET-{number:02}" for number in range(50)]
RARE = "MARKET-RARE"
BATCH = 500


def drafts(first: int, count: int, chance: random.Random) -> list[Draft]:
    """A stretch of the bot's trades, a second apart; one in a hundred was made up to a day before it is told."""
    made: list[Draft] = []
    for number in range(first, first + count):
        late = chance.randrange(86_400) if chance.random() < 0.01 else 0
        ticker = RARE if number % 100_000 == 50_000 else chance.choice(TICKERS)
        made.append(
            Trade(
                START + number - late,
                ticker,
                chance.choice(["BUY", "SELL"]),
                Decimal(chance.randrange(1, 500)),
                Decimal(chance.randrange(1, 100)) / 100,
                f"trade-{number}",
                "bot_live",
                "live",
                fee=Decimal("0.0175"),
                order_id=f"order-{number}",
                boot_id="boot",
            )  # fmt: skip
        )
    return made


def as_fills(told: list[Draft]) -> list[Draft]:
    """The same executions as the exchange tells them, a second later."""
    return [
        replace(one, source="kalshi_api", trade_id=f"fill-{one.trade_id}", timestamp=one.timestamp + 1, boot_id=None)
        for one in told
        if isinstance(one, Trade)
    ]


class Pauses:
    """The longest time for which the event loop did nothing else."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest = max(self.longest, now - before - 0.001)
            before = now


async def measure(name: str, call: Callable[[], Awaitable[int]], times: int = 20) -> str:
    """A row of the table; call returns how many entries it moved."""
    pauses = Pauses()
    watcher = asyncio.create_task(pauses.watch())
    took, moved = [], 0
    for _ in range(times):
        before = time.perf_counter()
        moved += await call()
        took.append(time.perf_counter() - before)
        await asyncio.sleep(0)
    watcher.cancel()
    rate = f"{moved / sum(took):,.0f}" if moved else ""
    return f"| {name} | {median(took) * 1e3:.2f} | {max(took) * 1e3:.2f} | {rate} | {pauses.longest * 1e3:.1f} |"


async def rows(journal: Journal, entries: int) -> AsyncIterator[str]:
    """Each kind of call, one after another."""
    start, made, chance = await journal.head(), 0, random.Random(7)

    def append(count: int) -> Callable[[], Awaitable[int]]:
        async def call() -> int:
            nonlocal made
            made += count
            return len((await journal.append(drafts(start + made, count, chance))).entries)

        return call

    last = drafts(entries - 100, 100, chance)
    known = (await journal.read(entries - 100, 100))[0].seq

    async def again() -> int:
        return 0 * (await journal.append(last)).known

    yield await measure("append 1", append(1))
    yield await measure("append 100", append(100))
    yield await measure("append 500", append(500))
    yield await measure("append 100 fills of those", fills(journal, start, chance))
    await journal.append(last)
    yield await measure("append 100 known", again)
    for label, query in queries(entries, known).items():
        yield await measure(f"history {label}", lambda query=query: paged(journal, query))  # type: ignore[misc]
    for label, after in (("start", 0), ("middle", entries // 2), ("end", entries - 1000)):
        yield await measure(f"resume page of 1000 at the {label}", lambda after=after: read(journal, after))  # type: ignore[misc]
    yield await measure("replay of 200,000 in pages of 500", lambda: replay(journal, entries, 500), times=3)


def fills(journal: Journal, start: int, chance: random.Random) -> Callable[[], Awaitable[int]]:
    """Appends what the other reporter tells of trades that were appended just now."""
    told = 0

    async def call() -> int:
        nonlocal told
        told += 100
        bots = drafts(2 * start + told, 100, chance)
        await journal.append(bots)
        return (await journal.append(as_fills(bots))).known

    return call


def queries(entries: int, known: int) -> dict[str, Query]:
    """Windows narrow and wide, at both ends, with and without a ticker."""
    end, middle = START + entries, START + entries // 2
    hour = Decimal(3600)
    return {
        "newest 100": Query(),
        "before the middle": Query(before=entries // 2),
        "narrow window at the start": Query(since=START, until=START + hour),
        "narrow window at the end": Query(since=end - hour),
        "narrow window in the middle, newest first": Query(until=middle, after=None, before=entries // 2),
        "first half, newest first": Query(until=middle),
        "second half, oldest first": Query(since=middle),
        "all but the ends": Query(since=START + hour, until=end - hour),
        "until an hour after the start": Query(until=START + hour),
        "empty window": Query(since=end + 10 * hour, until=end + 11 * hour),
        "common ticker": Query(ticker=TICKERS[3]),
        "common ticker, first half, newest first": Query(ticker=TICKERS[3], until=middle),
        "common ticker, narrow window": Query(ticker=TICKERS[3], since=middle, until=middle + hour),
        "rare ticker": Query(ticker=RARE),
        "rare ticker, first half": Query(ticker=RARE, until=middle),
        "unknown ticker": Query(ticker="NOWHERE", since=START),
        "1000 of the middle by cursor": Query(limit=1000, after=known // 2),
    }


async def paged(journal: Journal, query: Query) -> int:
    return 0 * len(await journal.history(query))


async def read(journal: Journal, after: int) -> int:
    return len(await journal.read(after, 1000))


async def replay(journal: Journal, entries: int, page: int) -> int:
    """Measure the reads of a reader that was away for long."""
    after = max(0, entries - 200_000)
    first = after
    while after < entries:
        after = (await journal.read(after, page))[-1].seq
    return after - first


async def run(url: str, entries: int) -> None:
    """Fills one journal, unless it is filled already, and prints its table."""
    journal = open_journal(url, limit=60)
    await journal.open()
    chance, head = random.Random(3), await journal.head()
    before = time.perf_counter()
    for first in range(head, entries, BATCH):
        await journal.append(drafts(first, min(BATCH, entries - first), chance))
    seconds = time.perf_counter() - before
    print(f"\n### {url.split(':')[0]}, {entries:,} entries\n")
    if head < entries:
        print(f"filled with {(entries - head) / seconds:,.0f} entries/s in batches of {BATCH}\n")
    print("| call | median ms | worst ms | entries/s | longest pause of the loop, ms |\n|---|---|---|---|---|")
    async for row in rows(journal, entries):
        print(row, flush=True)
    print(f"\n{await journal.size() / 1e6:,.0f} MB")
    await journal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--mysql", help="an empty database's URL")
    parser.add_argument("--keep", type=Path, help="where the SQLite file stays, for the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(f"sqlite:///{options.keep or Path(folder) / 'journal.db'}", options.entries))
    if options.mysql:
        asyncio.run(run(options.mysql, options.entries))


if __name__ == "__main__":
    main()
