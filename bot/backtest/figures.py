"""python -m bot.backtest.figures: run the strategies that ship and write their figures into docs/bot.md."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

from bot.backtest.command import number, run_all, whole
from bot.backtest.markouts import HORIZONS
from bot.backtest.simulation import BacktestOptions, BacktestResult

STRATEGIES = ("maker", "reversion")
CROWDS = ("toxic", "stock")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_HEAD = (
    "strategy", "crowd", "mean P&L", "deviation", "best and worst seed", "seeds with a profit", "fills a seed",
    *(f"{horizon} s" for horizon in HORIZONS),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run every strategy against every profile of traders and replace the table between the marks of the document."""
    parser = argparse.ArgumentParser("python -m bot.backtest.figures", description=main.__doc__)
    parser.add_argument("--document", type=Path, default=Path("docs/bot.md"), help="[%(default)s]")
    parser.add_argument("--seeds", type=whole(1, 10_000), default=20, help="[%(default)s]")
    hours = BacktestOptions().hours
    parser.add_argument("--hours", type=number(0.001, 10_000), default=hours, help="virtual hours [%(default)s]")
    parser.add_argument("--processes", type=whole(1, 1000), default=2, help="seeds that run at once [%(default)s]")
    given = parser.parse_args(arguments)
    options = BacktestOptions(hours=given.hours)
    caption = (
        f"`python -m bot.backtest.figures --seeds {given.seeds} --hours {given.hours:g}`: {options.markets} markets, "
        f"orders of {options.order_size}, a turn every {options.interval:g} s, pace {options.pace:g}."
    )
    rows: list[Sequence[str]] = []
    for crowd in CROWDS:
        for strategy in STRATEGIES:
            seeds = range(1, given.seeds + 1)
            results = list(run_all([strategy], "", seeds, replace(options, crowd=crowd), given.processes))
            rows.append(row_of(strategy, crowd, results))
            text = given.document.read_text("utf-8")
            given.document.write_text(with_table(text, caption, rows), "utf-8")
    return 0


def row_of(strategy: str, crowd: str, results: Sequence[BacktestResult]) -> Sequence[str]:
    """Return one row: dollars, and markouts in cents per contract, means over the seeds."""
    profits = [float(result.profit) for result in results]
    spread = stdev(profits) if len(profits) > 1 else 0.0
    markouts = [
        [float(value) for result in results if (value := result.markouts[i]) is not None] for i in range(len(HORIZONS))
    ]
    return (
        f"`{strategy}`", crowd, f"{mean(profits):.2f} $", f"{spread:.2f} $",
        f"{max(profits):.2f} $, {min(profits):.2f} $", f"{sum(profit > 0 for profit in profits)} of {len(profits)}",
        f"{mean(result.fills for result in results):.0f}",
        *(f"{mean(values):.2f} ¢" if values else "-" for values in markouts),
    )  # fmt: skip


def with_table(text: str, caption: str, rows: Sequence[Sequence[str]]) -> str:
    """Return the document with this caption and table between its marks. Raises ValueError without marks."""
    lines = [f"| {' | '.join(row)} |" for row in (_HEAD, ("---",) * len(_HEAD), *rows)]
    table = "\n".join([BEGIN, caption, "", *lines, END])
    changed, count = re.subn(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda found: table, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"expected one pair of marks {BEGIN} and {END}, got {count}")
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
