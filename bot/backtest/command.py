"""python -m bot backtest STRATEGY: run a strategy on simulated exchanges and print the table of its results."""

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from bot.arguments import argument
from bot.backtest.report import as_json, table_of
from bot.backtest.simulation import BacktestOptions, BacktestResult, BacktestRun
from bot.strategies import load_strategies
from cache.decimal_json import dumps
from config import parsers
from simulator.liquidity import PROFILES


def main(arguments: Sequence[str]) -> int:
    """Run the command. Raises InvalidBotSettings for a strategy that cannot be loaded."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level="ERROR")
    names = [name for name in given.strategy.split(",") if name]
    load_strategies(names, given.parameters)  # a mistake in a strategy is named before anything runs
    options = BacktestOptions(
        given.crowd, given.hours, given.interval, given.pace, given.markets, given.order_size, given.max_position
    )
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    results = sorted(run_all(names, given.parameters, seeds, options, given.processes), key=lambda one: one.seed)
    if given.json:
        print(json.dumps(json.loads(dumps(as_json(results))), indent=2))
    else:
        print(
            f"{given.strategy}, crowd {given.crowd}, {given.hours:g} h, a turn every {given.interval:g} s, "
            f"pace {given.pace:g}, {given.markets} markets, orders of {given.order_size}"
        )
        print(table_of(results))
    return 0


def run_seed(names: Sequence[str], parameters: str, seed: int, options: BacktestOptions) -> BacktestResult:
    """Return the result of one seed; equal arguments give equal results."""
    return asyncio.run(BacktestRun(load_strategies(names, parameters), seed, options).run())


def run_all(
    names: Sequence[str], parameters: str, seeds: Sequence[int], options: BacktestOptions, processes: int
) -> Iterator[BacktestResult]:
    """Run the seeds in processes and report each on stderr as it ends."""
    began, total = time.monotonic(), len(seeds)
    with ProcessPoolExecutor(max(1, min(processes, total))) as pool:
        futures = [pool.submit(run_seed, names, parameters, seed, options) for seed in seeds]
        for number, future in enumerate(as_completed(futures), 1):
            result = future.result()
            left = (time.monotonic() - began) / number * (total - number)
            print(
                f"seed {result.seed}: {result.profit:.2f} $ ({number} of {total}, about {left:.0f} s left)",
                file=sys.stderr, flush=True,
            )  # fmt: skip
            yield result


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a type of integers from low to high for argparse."""
    return argument(parsers.integer(low, high))


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a type of numbers from low to high for argparse."""
    return argument(parsers.number(low, high))


def _parser() -> argparse.ArgumentParser:
    defaults = BacktestOptions()
    contracts = argument(parsers.positive(1_000_000))
    parser = argparse.ArgumentParser(
        "python -m bot backtest", description="Run a strategy on simulated exchanges with a virtual clock.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    parser.add_argument("strategy", help="name or Python file of a strategy; several with commas share the markets")
    parser.add_argument(
        "--seeds", type=whole(1, 10_000), default=20, help="number of exchanges, each with its own seed"
    )
    parser.add_argument("--first-seed", type=whole(0, 999_999_999), default=1, help="the first of them")
    parser.add_argument("--crowd", choices=sorted(PROFILES), default=defaults.crowd, help="the other traders")
    parser.add_argument("--hours", type=number(0.001, 10_000), default=defaults.hours, help="virtual hours")
    parser.add_argument(
        "--interval", type=number(0.1, 3600), default=defaults.interval, help="virtual seconds between turns"
    )
    parser.add_argument(
        "--pace", type=number(0.001, 10), default=defaults.pace, help="activity of others; 1 is real time"
    )
    parser.add_argument("--markets", type=whole(1, 100), default=defaults.markets, help="number of markets")
    parser.add_argument("--order-size", type=contracts, default=defaults.order_size, help="contracts of an order")
    parser.add_argument("--max-position", type=contracts, default=defaults.max_position, help="contracts of a position")
    parser.add_argument("--parameters", default="", help="TOML file with a table of parameters for each strategy")
    parser.add_argument("--processes", type=whole(1, 1000), default=os.cpu_count() or 1, help="seeds that run at once")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser
