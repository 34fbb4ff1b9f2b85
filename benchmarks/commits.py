"""Cost of keeping a poll's trades: an append to the journal beside a bare INSERT of as many rows, equally durable.

python -m benchmarks.commits [--rounds 15] [--mysql mysql://user:password@host/empty_database] [--keep]

Wall time and CPU in milliseconds, and the ratio to the bare INSERT of the same round. The bare table has the columns
of an entry and one key; each of its transactions is as durable as the journal's.
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.journal import drafts
from benchmarks.machine import kept
from journal import codec
from journal.dsn import open_journal
from journal.entries import Draft

SIZES = (1, 10, 100, 500)
TABLE = (
    """CREATE TABLE bare (seq INTEGER PRIMARY KEY, kind TEXT, source TEXT, timestamp REAL, ticker TEXT, body TEXT)"""
)
Figures = dict[str, float]


def rows(made: list[Draft], first: int) -> list[tuple[int, str, str, float, str, str]]:
    """Return the rows of a bare table for these trades."""
    return [
        (seq, "trade", "bot_live", float(one.timestamp), "MARKET", codec.body(one, seq))
        for seq, one in enumerate(made, first)
    ]


class Bare:
    """A SQLite table without a journal's checks, as durable as the journal: WAL, flushed at each commit."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(TABLE)
        self._last = 0

    def insert(self, made: list[Draft]) -> None:
        """Keep the rows in one transaction."""
        found = rows(made, self._last + 1)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?)", found)
        self._connection.execute("COMMIT")
        self._last += len(made)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


async def measure(url: str, file: Path, rounds: int) -> dict[str, list[Figures]]:
    """Return the rounds of each size: wall and CPU of the journal and of the bare table, in milliseconds."""
    found: dict[str, list[Figures]] = {str(size): [] for size in SIZES}
    journal, chance, made = open_journal(url, limit=60), random.Random(5), 0
    await journal.open()
    with closing(Bare(file)) as bare:
        for _ in range(rounds):
            for size in SIZES:
                batch = drafts(made, size, chance)
                made += size
                wall, cpu = time.perf_counter(), time.process_time()
                await journal.append(batch)
                middle, middle_cpu = time.perf_counter(), time.process_time()
                bare.insert(batch)
                found[str(size)].append({
                    "wall_ms": (middle - wall) * 1e3, "cpu_ms": (middle_cpu - cpu) * 1e3,
                    "bare_wall_ms": (time.perf_counter() - middle) * 1e3,
                    "bare_cpu_ms": (time.process_time() - middle_cpu) * 1e3,
                })  # fmt: skip
    await journal.close()
    return found


def table(name: str, found: dict[str, list[Figures]]) -> str:
    """Return the medians, and the medians of the ratios of each round."""
    lines = [f"| {name}: trades | wall ms | bare | times | CPU ms | bare | times |", "|---" * 7 + "|"]
    for size, figures in found.items():
        cells = []
        for key in ("wall_ms", "cpu_ms"):
            ratio = median(one[key] / one[f"bare_{key}"] for one in figures)
            cells += [f"{median(one[each] for one in figures):.2f}" for each in (key, f"bare_{key}")] + [f"{ratio:.2f}"]
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and keep the figures if asked to."""
    parser = argparse.ArgumentParser("benchmarks.commits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--mysql", help="an empty database's URL, beside a bare SQLite table")
    parser.add_argument("--keep", action="store_true", help="write the figures to benchmarks/results")
    options = parser.parse_args()
    found: dict[str, dict[str, list[Figures]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        urls = {"sqlite": f"sqlite:///{folder}/journal.db"} | ({"mysql": options.mysql} if options.mysql else {})
        for name, url in urls.items():
            found[name] = asyncio.run(measure(url, Path(folder) / f"{name}.db", options.rounds))
            print(table(name, found[name]), flush=True)
    if options.keep:
        kept("commits", {"rounds": options.rounds}, found["sqlite"])


if __name__ == "__main__":
    main()
