"""The trend of a figure over a run: its slope by least squares, and the standard error of that slope."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

BLOCKS = 24  # groups of neighbouring samples, each replaced by its median: samples a second apart are not independent


@dataclass(frozen=True, slots=True)
class Trend:
    """Slope and standard error in units an hour, and the last value."""

    slope: float
    error: float
    last: float

    @property
    def grows(self) -> bool:
        """Return True for a slope above zero by more than two standard errors."""
        return self.slope > 2 * self.error


def trend(samples: Sequence[tuple[float, float]]) -> Trend:
    """Return the trend of (seconds, value), of which the first half is left out: caches and windows fill in it.

    Raises ValueError for fewer than six samples.
    """
    points = _blocks(samples[len(samples) // 2 :])
    if len(points) < 3:
        raise ValueError(f"expected at least six samples, got {len(samples)}")
    middle, level = fmean(at for at, _ in points), fmean(value for _, value in points)
    spread = sum((at - middle) ** 2 for at, _ in points)
    slope = sum((at - middle) * (value - level) for at, value in points) / spread
    rest = sum((value - level - slope * (at - middle)) ** 2 for at, value in points)
    error = (rest / (len(points) - 2) / spread) ** 0.5
    return Trend(3600 * slope, 3600 * error, samples[-1][1])


def _blocks(samples: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    size = max(1, len(samples) // BLOCKS)
    groups = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
    return [(fmean(at for at, _ in group), median(value for _, value in group)) for group in groups]
