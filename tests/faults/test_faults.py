"""The product through a short schedule of faults, and the checker against bugs that were planted for it."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.plan import FILE, KINDS, Plan, scheduled
from tests.faults.planted_check import PLANS, caught
from tests.faults.scenario import carry_out
from tests.support.neighbours import missing

pytestmark = [pytest.mark.slow, pytest.mark.redis, pytest.mark.timeout(240)]


@pytest.fixture(autouse=True)
def _redis() -> None:
    """Every fleet has one."""
    if not shutil.which("redis-server"):
        missing("redis-server", "apt-get install redis-server")


def test_a_seed_is_a_schedule() -> None:
    """The same seed gives the same faults, another one others, and every kind comes before any comes twice."""
    assert scheduled(Plan(7)) == scheduled(Plan(7)) != scheduled(Plan(8))
    every = KINDS.keys() | FILE.keys()
    assert {fault.kind for fault in scheduled(Plan(7, faults=len(every)))} == every


@pytest.mark.parametrize("paper", [False, True], ids=["healed from fills", "announced on paper"])
def test_nothing_is_lost_in_silence(tmp_path: Path, paper: bool) -> None:
    """Kills, freezes, cuts and a full disk: no execution lost, doubled or out of order, every gap announced."""
    tmp_path.chmod(0o755)
    only = ("poller killed", "bot killed", "redis killed", "exchange killed", "disk full", "burst", "readers cut")
    plan = Plan(trades=300, faults=6, readers=8, bot="plain", paper=paper, only=only, patience=30)
    result = asyncio.run(carry_out(plan, tmp_path))
    assert not result.findings, report.text(result)


@pytest.mark.parametrize(
    "bug", ["no dedupe", "id reuse", "snapshot race", "gap forgotten", "log forgotten", "outage unread"]
)
def test_a_planted_bug_is_caught(bug: str) -> None:
    """The checker has a finding in a run with a bug that was added for this test."""
    assert bug in PLANS
    assert caught(bug) is not None
