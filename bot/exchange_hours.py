"""When the exchange says in advance that it will not trade: Thursday 03:00-05:00 in New York.

Kalshi docs: maintenance_and_pauses. The clock of New York is computed here, because a slim machine may know no zones.
"""

from datetime import UTC, datetime, timedelta

_THURSDAY = 3
_FROM_HOUR, _TO_HOUR = 3, 5


def new_york(now: float) -> datetime:
    """The wall clock of New York at this Unix time, without a zone: summer time from March to November since 2007."""
    utc = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    start = _sunday(utc.year, 3, 2) + timedelta(hours=7)  # 02:00 EST
    end = _sunday(utc.year, 11, 1) + timedelta(hours=6)  # 02:00 EDT
    return utc - timedelta(hours=4 if start <= utc < end else 5)


def in_maintenance(now: float) -> bool:
    """True while the weekly trading pause is on."""
    there = new_york(now)
    return there.weekday() == _THURSDAY and _FROM_HOUR <= there.hour < _TO_HOUR


def _sunday(year: int, month: int, nth: int) -> datetime:
    first = datetime(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))
