"""Exact integers inside the simulator, fixed-point text outside.

A price is in 1/10000 dollar, a count in 1/100 contract; their product, money, is in 1/1000000 dollar.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

DOLLAR: Final = 10_000
"""One dollar as a price."""
CONTRACT: Final = 100
"""One contract as a count."""
MONEY_DOLLAR: Final = 1_000_000
"""One dollar as money."""
MONEY_CENT: Final = 10_000
"""One cent as money."""
CASH_STEP: Final = 100
"""The step of an account's cash as money: direct members hold $0.0001 (Kalshi docs: fee rounding)."""

_PRICE: Final = re.compile(r"(\d{1,7})(?:\.(\d{1,4})0{0,2})?", re.ASCII)
_COUNT: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)


def parse_price(text: str) -> int | None:
    """Return the price in text such as "0.56" or "0.5600", or None for anything else."""
    match = _PRICE.fullmatch(text)
    return int(match[1]) * DOLLAR + int((match[2] or "").ljust(4, "0")) if match else None


def parse_count(text: str) -> int | None:
    """Return the count in text such as "10" or "10.25", or None for anything else."""
    match = _COUNT.fullmatch(text)
    return int(match[1]) * CONTRACT + int((match[2] or "").ljust(2, "0")) if match else None


def format_price(price: int) -> str:
    """Return a price with four decimals, as the exchange sends quotes and order prices."""
    return f"{price // DOLLAR}.{price % DOLLAR:04d}"


def format_count(count: int) -> str:
    """Return a count with two decimals."""
    whole, rest = divmod(abs(count), CONTRACT)
    return f"{'-' if count < 0 else ''}{whole}.{rest:02d}"


def format_money(money: int) -> str:
    """Return money in dollars with six decimals, as the exchange sends fees and costs."""
    whole, rest = divmod(abs(money), MONEY_DOLLAR)
    return f"{'-' if money < 0 else ''}{whole}.{rest:06d}"


def format_cash(money: int) -> str:
    """Return money in dollars with four decimals, as the exchange sends balances; money is a multiple of CASH_STEP."""
    whole, rest = divmod(abs(money), MONEY_DOLLAR)
    return f"{'-' if money < 0 else ''}{whole}.{rest // CASH_STEP:04d}"


def whole_cents(money: int) -> int:
    """Return money in whole cents, rounded down."""
    return money // MONEY_CENT


@lru_cache(4096)  # a market's row repeats its times
def format_time(at: float) -> str:
    """Return Unix seconds as RFC 3339 in UTC, with up to six fractional digits and no trailing zeros."""
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return text + "Z"
