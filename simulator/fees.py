"""Trade fees: rate x contracts x P x (1 - P), rounded up to $0.0001 (Kalshi docs: fee rounding)."""

from typing import Final

from simulator.units import CASH_STEP, DOLLAR

TAKER_RATE: Final = 700
"""7 %, in 1/10000 (confirmed by recorded fills: 1 contract at 0.52 costs 0.0175)."""
MAKER_RATE: Final = 175
"""1.75 %, in 1/10000, in series that charge makers."""


def trade_fee(price: int, count: int, rate: int) -> int:
    """Return the fee, as money, of count contracts at price; rate in 1/10000, multiplier included."""
    share = rate * count * price * (DOLLAR - price)
    return -(-share // 10**10) * CASH_STEP


def round_cash_change(change: int, fee: int) -> tuple[int, int]:
    """Return the cash change of a fill rounded down to CASH_STEP, and the fee including that rounding.

    change: money of the fill before fees. Both results add up: rounded == change - total fee.
    """
    rounded = (change - fee) // CASH_STEP * CASH_STEP
    return rounded, change - rounded
