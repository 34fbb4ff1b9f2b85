"""Where a market's fair price goes: a random walk in log odds, so that it stays between 0 and 1."""

import math
from random import Random
from typing import Final

from simulator.units import DOLLAR

VOLATILITY: Final = 0.02
"""Standard deviation of the log odds after one second at full activity."""
EDGE: Final = 3.5
"""Log odds at which the walk is turned back: about 0.03 and 0.97."""


def step(fair: int, seconds: float, rng: Random) -> int:
    """The fair price some seconds later."""
    odds = math.log(fair / (DOLLAR - fair))
    odds += rng.gauss(0, VOLATILITY * math.sqrt(min(seconds, 60.0)))
    odds = min(max(odds, -EDGE), EDGE)
    return min(max(round(DOLLAR / (1 + math.exp(-odds))), 1), DOLLAR - 1)
