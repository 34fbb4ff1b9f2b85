"""Trade fees: rate x contracts x P x (1 - P), rounded up to $0.0001 (Kalshi docs: fee rounding)."""

from typing import Final

from simulator.units import DOLLAR, GRAIN

TAKER_RATE: Final = 700
"""7 %, in 1/10000 (confirmed by recorded fills: 1 @ 0.52 costs 0.0175)."""
MAKER_RATE: Final = 175
"""1.75 %, where the series asks makers too."""


def trade_fee(price: int, count: int, rate: int) -> int:
    """Money for count contracts at price; rate in 1/10000, multiplier included."""
    share = rate * count * price * (DOLLAR - price)
    return -(-share // 10**10) * GRAIN


def settle_change(change: int, fee: int) -> tuple[int, int]:
    """The cash change of a fill floored to the grain, and the fee with the rounding that this adds.

    change: money of the fill before fees. Both results add up: floored == change - total fee.
    """
    floored = (change - fee) // GRAIN * GRAIN
    return floored, change - floored
