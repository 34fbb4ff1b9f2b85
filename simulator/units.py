"""Exact integers inside, the exchange's fixed-point text outside.

A price is in 1/10000 dollar, a count in 1/100 contract; their product, money, is in 1/1000000 dollar.
"""

import re
from datetime import UTC, datetime
from typing import Final

DOLLAR: Final = 10_000
"""One dollar as a price."""
CONTRACT: Final = 100
"""One contract as a count."""
GRAIN: Final = 100
"""The step of an account's cash as money: direct members hold $0.0001 (Kalshi docs: fee rounding)."""

_PRICE: Final = re.compile(r"(\d{1,7})(?:\.(\d{1,4})0{0,2})?", re.ASCII)
_COUNT: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)


def read_price(text: str) -> int | None:
    """The price in text such as "0.56" or "0.5600"; None for anything else."""
    match = _PRICE.fullmatch(text)
    return int(match[1]) * DOLLAR + int((match[2] or "").ljust(4, "0")) if match else None


def read_count(text: str) -> int | None:
    """The count in text such as "10" or "10.25"; None for anything else."""
    match = _COUNT.fullmatch(text)
    return int(match[1]) * CONTRACT + int((match[2] or "").ljust(2, "0")) if match else None


def price_text(price: int) -> str:
    """Four decimals, as quotes and order prices are sent."""
    return f"{price // DOLLAR}.{price % DOLLAR:04d}"


def count_text(count: int) -> str:
    """Two decimals, always."""
    whole, rest = divmod(abs(count), CONTRACT)
    return f"{'-' if count < 0 else ''}{whole}.{rest:02d}"


def money_text(money: int) -> str:
    """Six decimals, as fees and costs are sent."""
    whole, rest = divmod(abs(money), 1_000_000)
    return f"{'-' if money < 0 else ''}{whole}.{rest:06d}"


def cash_text(money: int) -> str:
    """Four decimals, as balances are sent; the money must be a multiple of the grain."""
    whole, rest = divmod(abs(money), 1_000_000)
    return f"{'-' if money < 0 else ''}{whole}.{rest // GRAIN:04d}"


def cents(money: int) -> int:
    """Whole cents, truncated downwards."""
    return money // 10_000


def rfc3339(at: float) -> str:
    """UTC with up to six fractional digits, trailing zeros trimmed as the exchange trims them."""
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return text + "Z"
