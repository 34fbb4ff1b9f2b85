"""Cost of the ledger: of an entry, of a late one, of a comparison with the exchange, and of a start.

python -m benchmarks.ledger [--entries 1000000] [--in-journal 100000] [--markets 500] [--keep]
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.machine import kept
from cache.decimal_json import loads
from cluster.component_health import ComponentHealth
from ingest.journal_ledgers import JournalLedgers
from journal import codec
from journal.dsn import open_journal
from journal.entries import Trade
from ledger.account_ledger import AccountLedger
from ledger.reconcile import AccountReading, compare
from ledger.records import ReportedPosition

ROUNDS = 20
BATCH = 500  # entries between two readings of the clock, which is a system call and costs some microseconds
PRICE, QUANTITY = Decimal("0.65"), Decimal(3)


def trades(count: int, markets: int) -> Iterator[Trade]:
    """Random trades of a day that stay around flat."""
    rng = random.Random(1)
    for number in range(count):
        yield Trade(
            Decimal(1_700_000_000) + Decimal(number) / 10, f"KXMARKET-{rng.randrange(markets)}",
            rng.choice(["BUY", "SELL"]), Decimal(rng.randint(1, 50)), Decimal(rng.randint(1, 99)) / 100, f"t{number}",
            "bot_live", "live", fee=Decimal("0.0175"),
        )  # fmt: skip


def microseconds(begun: float, count: int) -> float:
    """CPU time since begun for each of count."""
    return round((time.process_time() - begun) / count * 1e6, 2)


def decimal_step() -> float:
    """CPU time in microseconds of multiplying and adding two decimals in a loop: the speed of the machine now."""
    total, steps = Decimal(0), BATCH * 5
    begun = time.process_time()
    for _ in range(steps):
        total += PRICE * QUANTITY
    return (time.process_time() - begun) / steps * 1e6


def measure_entries(ledger: AccountLedger, texts: Iterator[str]) -> dict[str, Any]:
    """Add entries from their text. Figures are medians over batches; steps are of decimal_step beside each batch."""
    took, ratios = [], []
    while batch := list(islice(texts, BATCH)):
        begun = time.process_time()
        for text in batch:
            ledger.apply("trade", loads(text))
        took.append(microseconds(begun, len(batch)))
        ratios.append(took[-1] / decimal_step())
    seconds = round(statistics.mean(took) * len(took) * BATCH / 1e6, 1)
    return {
        "entry_us": round(statistics.median(took), 1), "best_entry_us": min(took),
        "entry_steps": round(statistics.median(ratios)), "start_seconds": seconds,
    }  # fmt: skip


def measure(entries: int, markets: int) -> dict[str, Any]:
    """Times in microseconds, except where the name says otherwise."""
    ledger = AccountLedger()
    texts = (codec.body(trade, seq) for seq, trade in enumerate(trades(entries, markets), 1))
    found = {"entries": entries, "markets": markets, **measure_entries(ledger, texts)}
    first = (codec.body(trade, seq) for seq, trade in enumerate(trades(entries, markets), 1))
    bodies = [body for body in map(loads, first) if body["ticker"] == "KXMARKET-0"]
    begun = time.process_time()
    ledger.replay("KXMARKET-0", [("trade", body) for body in bodies])
    found["late_entry_ms"] = round((time.process_time() - begun) * 1000, 2)
    rows = {
        ticker: ReportedPosition(book.quantity, book.cost, book.realized, book.fees)
        for ticker, book in ledger.books.items()
    }
    reading = AccountReading(ledger.flows.total, rows, Decimal(1_800_000_000), Decimal(1_800_000_000))
    begun = time.process_time()
    for _ in range(ROUNDS):
        assert not compare(ledger, Decimal(0), [], reading).differences
    found["comparison_ms"] = round((time.process_time() - begun) / ROUNDS * 1000, 2)
    return found


async def start(entries: int, markets: int) -> dict[str, float]:
    """CPU seconds until the ledgers of a real journal are complete: at the first start, and at one after it."""
    found: dict[str, float] = {"in_journal": entries}
    with tempfile.TemporaryDirectory() as folder:
        journal = open_journal(f"sqlite:///{Path(folder)}/journal.db")
        await journal.open()
        batch: list[Trade] = []
        for trade in trades(entries, markets):
            batch.append(trade)
            if len(batch) == 2000:
                await journal.append(batch)
                batch.clear()
        await journal.append(batch)
        for name in ("first_start", "later_start"):
            ledgers = JournalLedgers(journal, ComponentHealth("ledger"))
            begun = time.process_time()
            await ledgers.catch_up()
            seconds = time.process_time() - begun
            found[f"{name}_seconds"] = round(seconds, 2)
            found[f"{name}_steps"] = round(seconds / entries * 1e6 / decimal_step())  # for each entry
            assert ledgers.position == entries
        found["checkpoint_kb"] = round(len(await journal.checkpoint()) / 1024)
        await journal.close()
    return found


def main() -> None:
    """Measure, print, and keep the figures if asked to."""
    parser = argparse.ArgumentParser("benchmarks.ledger", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--in-journal", type=int, default=100_000, help="entries of a journal that is read at a start")
    parser.add_argument("--markets", type=int, default=500)
    parser.add_argument("--keep", action="store_true", help="write the figures to benchmarks/results")
    options = parser.parse_args()
    found = measure(options.entries, options.markets) | asyncio.run(start(options.in_journal, options.markets))
    print(json.dumps(found, indent=1))
    if options.keep:
        kept("ledger", {"entries": options.entries, "markets": options.markets}, [found])


if __name__ == "__main__":
    main()
