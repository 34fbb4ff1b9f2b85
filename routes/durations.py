"""How long REST answers take, by URL and status; streams are left out, whose length is no latency."""

from bisect import bisect_left
from collections import defaultdict
from typing import Final

from starlette.types import Scope

from routes.prefix import PREFIX

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
STREAMS: Final = tuple(f"{PREFIX}/sse/{name}" for name in ("trading", "trades", "portfolio", "status"))


class Durations:
    """Counts by bucket, sum in seconds, for each (URL pattern, status)."""

    def __init__(self) -> None:
        self.buckets: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self.sums: defaultdict[tuple[str, int], float] = defaultdict(float)

    def add(self, url: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.buckets[url, status][bisect_left(BOUNDS, seconds)] += 1
        self.sums[url, status] += seconds


def pattern(scope: Scope) -> str:
    """The URL's pattern and not the URL, so that nobody's inventions become labels."""
    route = scope.get("route")
    return getattr(route, "path", "") or "other"
