"""Values read from a state file: finite and within bounds, or refused. Stands alone: used by all parts of it."""

from decimal import Decimal, InvalidOperation
from typing import Any

_MOST_DOLLARS = Decimal(10**12)
_MOST_CONTRACTS = Decimal(10**12)
_MOST_SECONDS = Decimal(253_402_300_800)  # the year 10000


def read_dollars(value: Any) -> Decimal:
    """Return an amount of money. Raises ValueError unless it is finite and below 10^12 either way."""
    return _number(value, -_MOST_DOLLARS, _MOST_DOLLARS)


def read_cost(value: Any) -> Decimal:
    """Return an amount of money that cannot be negative. Raises ValueError."""
    return _number(value, Decimal(0), _MOST_DOLLARS)


def read_quantity(value: Any) -> Decimal:
    """Return a number of contracts, + YES, - NO. Raises ValueError."""
    return _number(value, -_MOST_CONTRACTS, _MOST_CONTRACTS)


def read_price(value: Any) -> Decimal:
    """Return a price or payout from 0 to 1 dollar. Raises ValueError."""
    return _number(value, Decimal(0), Decimal(1))


def read_seconds(value: Any) -> Decimal:
    """Return Unix seconds. Raises ValueError."""
    return _number(value, Decimal(0), _MOST_SECONDS)


def read_count(value: Any) -> int:
    """Return a whole number that is not negative. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**15:
        raise ValueError(f"expected a count, got {value!r:.40}")
    return value


def read_bool(value: Any) -> bool:
    """Return true or false. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {value!r:.40}")
    return value


def _number(value: Any, least: Decimal, most: Decimal) -> Decimal:
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not least <= number <= most:
        raise ValueError(f"expected a number from {least} to {most}, got {value!r:.40}")
    return number
