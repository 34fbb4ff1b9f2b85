"""scripts/faults: run the product through a seeded schedule of faults and compare what readers received."""

import argparse
import asyncio
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.faults import partition, report, scenario
from tests.faults.plan import DATABASE, FILE, HOSTS, KINDS, Plan, chosen_bot, scheduled
from tests.faults.result import Result
from tests.world.roots import mysql


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--hosts", type=int, choices=(1, 2), default=1,
                        help="2: on hosts that are cut apart, with Oracle's MySQL and a replica")  # fmt: skip
    parser.add_argument("--trades", type=int, help="default: 10000, or 600 on two hosts")
    parser.add_argument("--faults", type=int, help="default: 60, or 8 and a failover on two hosts")
    parser.add_argument("--readers", type=int, help="default: 50, or 8 on two hosts")
    parser.add_argument("--seed", type=int, default=1, help="of the schedule; the same seed repeats the run")
    parser.add_argument("--seeds", type=int, default=1, help="run so many seeds in a row, from --seed on")
    parser.add_argument("--journal", choices=("sqlite", "mysql"), default="sqlite")
    parser.add_argument("--bot", choices=("numbered", "plain", "reused"), help="default: chosen by the seed")
    parser.add_argument("--paper", action="store_true", help="no exchange: gaps are announced, not healed")
    parser.add_argument("--only", nargs="+", choices=[*KINDS, *FILE, *DATABASE, *HOSTS], default=[], metavar="KIND")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds after which what is not healed is a finding"
    )
    parser.add_argument("--planted", default="", help="a bug of tests/faults/planted.py")
    parser.add_argument("--keep", type=Path, help="leave logs and journal in this folder")
    return parser


def planned(requested: argparse.Namespace, seed: int) -> Plan:
    """Return the plan of a seed, from the command line."""
    trades, faults, readers = (600, 8, 8) if requested.hosts == 2 else (10_000, 60, 50)
    return Plan(
        seed, requested.trades or trades, requested.faults or faults, requested.readers or readers,
        "mysql" if requested.hosts == 2 else requested.journal, requested.bot or chosen_bot(seed), requested.paper,
        requested.planted, tuple(requested.only), patience=requested.patience, hosts=requested.hosts,
    )  # fmt: skip


def perform(plan: Plan, folder: Path) -> Result:
    """Carry out a plan in an empty folder."""
    if plan.hosts == 1:
        return asyncio.run(scenario.carry_out(plan, folder))
    schedule = plan.schedule or scheduled(plan)
    return asyncio.run(partition.carry_out(replace(plan, schedule=schedule), folder, mysql()))


def main() -> int:
    """Entry point; 1 when any promise was broken."""
    requested = arguments().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the fleet must not outlive us
    results = []
    for seed in range(requested.seed, requested.seed + requested.seeds):
        with tempfile.TemporaryDirectory(prefix="faults") as temporary:
            folder = requested.keep / str(seed) if requested.keep else Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
            results.append(perform(planned(requested, seed), folder))
        print(report.text(results[-1]), flush=True)
        print(f"report: {report.write(results[-1])}", flush=True)
    return int(any(result.findings for result in results))


if __name__ == "__main__":
    sys.exit(main())
