"""Durations of REST responses by URL and status, as a histogram."""

from bisect import bisect_left
from collections import defaultdict
from typing import Final

from starlette.types import Scope

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Durations:
    """Counts by bucket, and the sum in seconds, for each (URL pattern, status)."""

    def __init__(self) -> None:
        self.buckets: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self.sums: defaultdict[tuple[str, int], float] = defaultdict(float)

    def add(self, url: str, status: int, seconds: float) -> None:
        """Count one response."""
        self.buckets[url, status][bisect_left(BOUNDS, seconds)] += 1
        self.sums[url, status] += seconds


def label(scope: Scope) -> str:
    """Return the pattern of the URL; a path that matches none is `other`, so that clients cannot add labels."""
    endpoint = scope.get("endpoint")
    return getattr(endpoint, "label", "other")
