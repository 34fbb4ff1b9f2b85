"""How often a client's network may ask: a token bucket for each, the least recent forgotten first."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

TOO_MANY: Final = "too many requests from your network; ask again later"
NETWORKS: Final = 10_000  # buckets kept; who floods us from more networks than that meets the proxy's limits first


class ClientRateLimit:
    """per_minute requests a minute for each network, and as many at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # network -> (tokens, when)

    def spend(self, name: str) -> int:
        """Take one; 0 when there was one, else the seconds until there is."""
        now = self._clock()
        tokens, when = self._buckets.pop(name, (float(self.per_minute), now))
        tokens = min(self.per_minute, tokens + (now - when) * self.per_minute / 60)
        wait = 0 if tokens >= 1 else math.ceil((1 - tokens) * 60 / self.per_minute)
        self._buckets[name] = (tokens - (0 if wait else 1), now)
        if len(self._buckets) > NETWORKS:
            self._buckets.popitem(last=False)
        return wait
