"""The fair price of a market over time: a random walk in log odds with drift and jumps, kept between 0 and 1."""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.units import DOLLAR

EDGE: Final = 3.5
"""Log odds at which the walk is reflected: about 0.03 and 0.97."""
LONGEST_STEP: Final = 60.0
"""Seconds of movement in one step at most."""


@dataclass(frozen=True, slots=True)
class PriceDynamics:
    """Parameters of a walk, in log odds.

    volatility: standard deviation after one second. drift: standard deviation of a trend, per second, that decays over
    drift_seconds. gap_every: mean seconds between two jumps, 0 for none. gap_size: standard deviation of a jump.
    """

    volatility: float = 0.02
    drift: float = 0.0
    drift_seconds: float = 120.0
    gap_every: float = 0.0
    gap_size: float = 0.0


class PriceProcess:
    """The walk of one market. Its random numbers are its own, so that orders do not change the path."""

    def __init__(self, dynamics: PriceDynamics, rng: Random) -> None:
        self.dynamics = dynamics
        self._rng = rng
        self._trend = rng.gauss(0, 1) * dynamics.drift

    def step(self, fair: int, seconds: float) -> int:
        """Return the fair price some seconds after fair, without jumps."""
        dynamics, seconds = self.dynamics, min(seconds, LONGEST_STEP)
        move = self._rng.gauss(0, dynamics.volatility * math.sqrt(seconds))
        if dynamics.drift:
            keep = math.exp(-seconds / dynamics.drift_seconds)
            self._trend = self._trend * keep + self._rng.gauss(0, dynamics.drift * math.sqrt(1 - keep * keep))
            move += self._trend * seconds
        return _moved(fair, move)

    def jump(self, fair: int) -> int:
        """Return the fair price after a jump."""
        size = abs(self._rng.gauss(0, self.dynamics.gap_size)) + self.dynamics.gap_size / 2
        return _moved(fair, size if self._rng.random() < 0.5 else -size)

    def next_jump(self) -> float:
        """Return the seconds until the next jump; infinite if there is none."""
        return self._rng.expovariate(1 / self.dynamics.gap_every) if self.dynamics.gap_every else math.inf


def _moved(fair: int, move: float) -> int:
    odds = math.log(fair / (DOLLAR - fair)) + move
    if abs(odds) > EDGE:
        odds = math.copysign(max(2 * EDGE - abs(odds), 0.0), odds)
    return min(max(round(DOLLAR / (1 + math.exp(-odds))), 1), DOLLAR - 1)
