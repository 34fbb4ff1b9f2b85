"""Requests a minute of each client network: one token bucket for each, the least recent forgotten first."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from kalshi.rate_limits import TokenBucket

TOO_MANY: Final = "too many requests from your network"
NETWORKS: Final = 10_000  # buckets that are kept; floods from more networks meet the proxy's limits first


class ClientRateLimit:
    """per_minute requests a minute for each network, and as many at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def spend(self, network: str) -> int:
        """Take one request; return 0, or the seconds until the next one is allowed."""
        bucket = self._buckets.pop(network, None) or TokenBucket(self.per_minute / 60, self.per_minute, self._clock)
        self._buckets[network] = bucket
        if len(self._buckets) > NETWORKS:
            self._buckets.popitem(last=False)
        wait = math.ceil(bucket.delay(1))
        if not wait:
            bucket.take(1)
        return wait
