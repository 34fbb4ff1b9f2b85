"""Exact dollars and contracts, read from the exchange's fixed-point text and never through float."""

import re
from decimal import Decimal
from typing import Final

ONE: Final = Decimal(1)
CENT: Final = Decimal("0.01")
_FIXED_POINT: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def fixed(text: object, what: str, places: int = 6) -> Decimal:
    """Return the number in a fixed-point string such as "0.5275" (Kalshi docs: FixedPointDollars, FixedPointCount).

    what: named in the error. places: decimals allowed. Raises ValueError for anything but such a string.
    """
    found = _FIXED_POINT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f'{what}: a fixed-point string such as "0.5200" was expected, not {text!r:.60}')
    if places < 6 and found[1] and len(found[1].rstrip("0")) > places + 1:
        raise ValueError(f"{what}: at most {places} decimals were expected, not {text!r:.60}")
    return Decimal(found[0])


def cents(value: object, what: str) -> Decimal:
    """Return dollars from integer cents. Raises ValueError for anything but an int."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{what}: whole cents were expected, not {value!r:.60}")
    return Decimal(value) / 100


def complement(price: Decimal) -> Decimal:
    """Return the price of the other outcome: YES and NO of one market add up to one dollar."""
    return ONE - price
