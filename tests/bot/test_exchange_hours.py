"""Tests of the weekly maintenance: Thursday 03:00-05:00 in New York, in winter and in summer."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exchange_hours import in_maintenance, new_york

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("when", "paused"),
    [
        pytest.param("2026-11-26T02:59", False, id="winter before"),
        pytest.param("2026-11-26T03:00", True, id="winter start"),
        pytest.param("2026-11-26T04:59", True, id="winter end"),
        pytest.param("2026-11-26T05:00", False, id="winter after"),
        pytest.param("2026-07-16T03:30", True, id="summer"),
        pytest.param("2026-07-17T03:30", False, id="friday"),
    ],
)
def test_maintenance_is_on_thursday_from_3_to_5(when: str, paused: bool) -> None:
    """The window follows New York's wall clock."""
    assert in_maintenance(datetime.fromisoformat(when).replace(tzinfo=NEW_YORK).timestamp()) is paused


@given(st.integers(1_200_000_000, 4_000_000_000))
def test_the_wall_clock_is_that_of_the_zone_database(now: int) -> None:
    """Our rule for summer time equals the time zone database."""
    assert new_york(now) == datetime.fromtimestamp(now, NEW_YORK).replace(tzinfo=None)
