"""scripts/faults: the product through a seeded schedule of faults, then what readers saw against the truth."""

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from tests.faults import report
from tests.faults.plan import DATABASE, FILE, KINDS, Plan, chosen_bot
from tests.faults.whole import carry_out


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--trades", type=int, default=10_000)
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the schedule; the same seed repeats the run")
    parser.add_argument("--seeds", type=int, default=1, help="run so many seeds in a row, from --seed on")
    parser.add_argument("--journal", choices=("sqlite", "mysql"), default="sqlite")
    parser.add_argument("--bot", choices=("numbered", "plain", "reused"), help="default: chosen by the seed")
    parser.add_argument("--paper", action="store_true", help="no exchange: holes are announced, not healed")
    parser.add_argument("--only", nargs="+", choices=[*KINDS, *FILE, *DATABASE], default=[], metavar="KIND")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds after which what is not healed is a finding"
    )
    parser.add_argument("--planted", default="", help="a bug of tests/faults/planted.py")
    parser.add_argument("--keep", type=Path, help="leave logs and journal in this folder")
    return parser


def main() -> int:
    """Entry point; 1 when any promise was broken."""
    requested = arguments().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the fleet must not outlive us
    results = []
    for seed in range(requested.seed, requested.seed + requested.seeds):
        plan = Plan(seed, requested.trades, requested.faults, requested.readers, requested.journal,
                    requested.bot or chosen_bot(seed),
                    requested.paper, requested.planted, tuple(requested.only), patience=requested.patience)  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="faults") as temporary:
            folder = requested.keep / str(seed) if requested.keep else Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
            results.append(asyncio.run(carry_out(plan, folder)))
        print(report.text(results[-1]), flush=True)
        print(f"report: {report.write(results[-1])}", flush=True)
    return int(any(result.findings for result in results))


if __name__ == "__main__":
    sys.exit(main())
