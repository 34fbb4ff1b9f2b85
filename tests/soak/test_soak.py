"""The soak in a short form, and the arithmetic of its trends."""

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.soak.run import report, soak
from tests.soak.trend import trend
from tests.support.neighbours import missing


def _samples(*values: float) -> list[tuple[float, float]]:
    return [(float(second), value) for second, value in enumerate(values)]


def test_a_straight_line_has_its_slope_and_no_error() -> None:
    """One unit a second is 3 600 an hour, and it grows."""
    found = trend(_samples(*range(12)))
    assert (found.slope, found.last, found.grows) == (pytest.approx(3600), 11, True)
    assert found.error == pytest.approx(0, abs=1e-6)


def test_a_figure_that_swings_does_not_grow() -> None:
    """A slope within two standard errors of zero is none, and so is one below zero."""
    assert not trend(_samples(*[5, 6] * 20)).grows
    assert not trend(_samples(*[4] * 40)).grows
    assert not trend(_samples(*range(40, 0, -1))).grows


def test_a_start_that_fills_caches_does_not_count() -> None:
    """Only the second half of a run has a trend."""
    assert not trend(_samples(*range(20), *[20] * 20)).grows


def test_few_samples_are_refused() -> None:
    """Two points always lie on a line."""
    with pytest.raises(ValueError, match="at least six samples, got 4"):
        trend(_samples(1, 2, 3, 4))


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(240)
def test_a_short_soak(tmp_path: Path) -> None:
    """Readers that come and go have every entry once, and leave no descriptor, thread or Redis key behind."""
    if not shutil.which("redis-server"):
        missing("redis-server", "apt-get install redis-server")
    result = asyncio.run(soak(25, 20, 20, tmp_path))
    assert not result.findings, report(result)
    assert result.entries > 100
    for name, found in result.trends.items():
        if not name.endswith("MB"):  # memory needs the long run
            assert not found.grows or found.last <= 80, report(result)
