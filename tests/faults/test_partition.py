"""The plan of a run on two hosts, and the check of who wrote each entry."""

import pytest

from tests.faults.partition import check_writers
from tests.faults.plan import FAILOVER, HOSTS, Plan, scheduled


def test_a_seed_fails_over_once() -> None:
    """Every schedule has one failover among its faults, and enough of them have every other kind."""
    schedules = [scheduled(Plan(seed, faults=len(HOSTS), hosts=2)) for seed in (1, 2)]
    assert schedules[0] != schedules[1]
    for schedule in schedules:
        assert sorted(fault.kind for fault in schedule) == sorted([*HOSTS, FAILOVER])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([(1, "one", 1), (2, "one", 1), (3, "other", 2)], 0),
        ([(1, "one", 1), (2, "other", 1)], 1),
        ([(1, "one", 1), (2, "other", 2), (3, "one", 1)], 1),
    ],
    ids=["one after the other", "two under one lease", "an old lease"],
)
def test_two_writers_are_found(rows: list[tuple[int, str, int]], found: int) -> None:
    """Each lease has one writing host, and none writes after the next lease began."""
    assert len(check_writers(rows)) == found
