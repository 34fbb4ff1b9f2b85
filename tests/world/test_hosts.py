"""The product on hosts of its own that are cut apart, and the checker against bugs that were planted for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults import report
from tests.faults.plan import Plan, scheduled
from tests.faults.planted_check import HOST_PLANS, caught, run

pytestmark = [pytest.mark.world, pytest.mark.timeout(600)]

SHORT = Plan(seed=1, trades=600, faults=8, readers=8, journal="mysql", bot="plain", hosts=2)


def test_nothing_is_lost_between_hosts() -> None:
    """Cut, slow, lossy and flapping links and a failover: every execution once and in order at every reader."""
    result = run(replace(SHORT, schedule=scheduled(SHORT)))
    assert not result.findings, report.text(result)
    assert result.executed >= SHORT.trades


@pytest.mark.parametrize("bug", HOST_PLANS)
def test_a_planted_bug_is_caught(bug: str) -> None:
    """A lease without fencing is caught, and so is a replica that is promoted before it has everything."""
    assert caught(bug, hosts=2) is not None
