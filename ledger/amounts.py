"""Exact amounts: dollars to 1e-8, prices to 1e-6, contracts to 1e-2, and the one way in which a quotient is rounded."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
CENT: Final = Decimal("0.01")
MONEY: Final = Decimal("1E-8")  # a price of six decimals times a count of two
PRICE: Final = Decimal("1E-6")


def share(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return total * part / whole in dollars, rounded half up to 1e-8.

    Callers round a running total and take differences, so that the parts always add up to the whole.
    """
    return total if part == whole else (total * part / whole).quantize(MONEY, ROUND_HALF_UP)


def average(cost: Decimal, quantity: Decimal) -> Decimal | None:
    """Return the price of one contract in dollars, rounded half up to 1e-6; None without contracts."""
    return (cost / abs(quantity)).quantize(PRICE, ROUND_HALF_UP) if quantity else None


def complement(price: Decimal) -> Decimal:
    """Return the price of the other outcome: YES and NO of one market add up to one dollar."""
    return ONE - price
