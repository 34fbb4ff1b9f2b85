"""The weekly maintenance of the exchange: Thursday 03:00-05:00 in New York (Kalshi docs: maintenance_and_pauses).

New York's clock is computed here because small machines may have no time zone database.
"""

from datetime import UTC, datetime, timedelta

_THURSDAY = 3
_FROM_HOUR, _TO_HOUR = 3, 5


def new_york(now: float) -> datetime:
    """Return New York's wall clock at this Unix time, without a zone. Summer time as it is since 2007."""
    utc = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    start = _sunday(utc.year, 3, 2) + timedelta(hours=7)  # 02:00 EST
    end = _sunday(utc.year, 11, 1) + timedelta(hours=6)  # 02:00 EDT
    return utc - timedelta(hours=4 if start <= utc < end else 5)


def in_maintenance(now: float) -> bool:
    """Return True during the weekly maintenance. now: Unix seconds."""
    there = new_york(now)
    return there.weekday() == _THURSDAY and _FROM_HOUR <= there.hour < _TO_HOUR


def _sunday(year: int, month: int, nth: int) -> datetime:
    first = datetime(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
