"""Test of the checker: run each planted bug with up to three seeds, and expect a finding."""

import argparse
import signal
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.faults.plan import FAILOVER, Fault, Plan
from tests.faults.planted import BUGS
from tests.faults.result import Result
from tests.faults.run import perform

SEEDS = (1, 2, 3)
_SHORT = Plan(trades=150, faults=2, readers=6, patience=12.0, burst=200, rate=20.0)
# what each bug needs to come to light; the seed still chooses when, how long and whom
PLANS: dict[str, Plan] = {
    "no dedupe": replace(_SHORT, only=("push cut", "poller killed")),
    "publish before journal": replace(_SHORT, only=("disk full", "poller killed")),
    # on paper, since fills would heal it; and long after the restart, which itself is announced as a gap
    "id reuse": replace(
        _SHORT, paper=True, bot="reused", schedule=(Fault("burst", 0, 3.0, 1), Fault("bot killed", 0.5, 14.0, 2))
    ),
    "snapshot race": replace(_SHORT, only=("readers cut",), faults=4),
    "silent drop": replace(
        _SHORT, burst=3000, schedule=(Fault("readers slowed", 12, 0.1, 2, overlaps=True), Fault("burst", 0, 8.0, 1))
    ),
    "heal twice": replace(_SHORT, only=("bot killed", "push cut"), faults=4),
    "cursor off by one": replace(_SHORT, only=("readers cut",), faults=4),
    "lease without fencing": replace(_SHORT, schedule=(Fault("poller frozen", 8.5, 1.0, 1),)),
    "gap forgotten": replace(_SHORT, paper=True, bot="plain", burst=500, only=("burst", "bot killed")),
    "log forgotten": replace(
        _SHORT,
        schedule=(
            Fault("log unlinked", 0, 4.0, 1),
            Fault("poller killed", 2.0, 0.0, 1, overlaps=True),
            Fault("follower killed", 2.0, 1.0, 1),
        ),
    ),
    "status stuck": replace(_SHORT, schedule=(Fault("bot killed", 6.5, 1.0, 1),)),
    "window only": replace(_SHORT, paper=True, bot="plain", burst=500, only=("burst", "bot killed")),
    "first report shown": replace(_SHORT, only=("bot corrects",)),
    # longer than the margin by which each reading of the fills goes back
    "outage unread": replace(_SHORT, schedule=(Fault("exchange killed", 20, 1.0, 1),)),
    "older backup unnoticed": replace(_SHORT, only=("backup restored",)),
    "unread skipped": replace(_SHORT, paper=True, bot="plain", only=("bot unread",)),
    "correction as trade": replace(_SHORT, paper=True, bot="plain", only=("bot corrects",)),
}
# on hosts that are cut apart; the second is a mistake of who operates the databases
_HOSTS = replace(_SHORT, journal="mysql", hosts=2, patience=30.0)
HOST_PLANS: dict[str, Plan] = {
    "lease without fencing": replace(_HOSTS, schedule=(Fault("poller-db cut", 14.0, 1.0, 1),)),
    "replica believed too early": replace(
        _HOSTS,
        schedule=(
            Fault("db-replica cut", 15.0, 2.0, 1, overlaps=True),
            Fault("burst", 0, 1.0, 1),
            Fault(FAILOVER, 0, 1.0, 1),
        ),
    ),
}


def run(plan: Plan) -> Result:
    """Carry out one plan in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        Path(folder).chmod(0o755)  # a database has a user of its own
        return perform(plan, Path(folder))


def caught(name: str, hosts: int = 1) -> tuple[int, Result] | None:
    """Return the first seed whose run has findings, with its result; None when no seed has."""
    plans = PLANS if hosts == 1 else HOST_PLANS
    for seed in SEEDS:
        result = run(replace(plans[name], planted=name, seed=seed))
        if result.findings:
            return seed, result
    return None


def main() -> int:
    """Entry point; 1 when a bug was not caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.planted_check", description=__doc__)
    parser.add_argument("bugs", nargs="*", help=f"of {', '.join(PLANS)}; all unless given")
    parser.add_argument("--hosts", type=int, choices=(1, 2), default=1, help=f"2: of {', '.join(HOST_PLANS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the fleet must not outlive us
    missed = 0
    requested = parser.parse_args()
    for name in requested.bugs or (PLANS if requested.hosts == 1 else HOST_PLANS):
        begun = time.monotonic()
        found = caught(name, requested.hosts)
        missed += found is None
        seen = "NOT CAUGHT"
        if found is not None:
            seed, result = found
            counts = ", ".join(f"{count} {column}" for column, count in result.verdict.table().items() if count)
            seen = f"caught with seed {seed}: {counts}; {result.findings[0].who}: {result.findings[0].what}"
        print(f"{name:24} {time.monotonic() - begun:5.1f} s  {seen}", flush=True)
    return int(missed > 0)


assert PLANS.keys() == BUGS.keys(), "every planted bug has a plan"

if __name__ == "__main__":
    sys.exit(main())
