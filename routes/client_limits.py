"""Limits of each client network: requests a minute, and wrong tokens at a login."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kalshi.rate_limits import TokenBucket

log = logging.getLogger(__name__)

NETWORKS: Final = 10_000  # networks that are remembered; floods from more meet the proxy's limits first
DELAY: Final = 1.0  # seconds before a wrong token is answered
AT_ONCE: Final = 4  # wrong tokens of one network that are delayed at the same time; more are refused at once
LOG_INTERVAL: Final = 60.0  # seconds between two log lines about one network


class ClientRateLimit:
    """per_minute requests a minute for each network, and as many at once. clock: monotonic seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.bucket = lru_cache(NETWORKS)(lambda network: TokenBucket(per_minute / 60, per_minute, clock))

    def spend(self, network: str) -> int:
        """Take one request; return 0, or the seconds until the next one is allowed."""
        bucket = self.bucket(network)
        wait = math.ceil(bucket.delay(1))
        if not wait:
            bucket.take(1)
        return wait


@dataclass(slots=True)
class WrongTokens:
    """Wrong tokens of one network."""

    waiting: int = 0
    unreported: int = 0
    reported_at: float | None = None


class LoginGuard:
    """Slow down guessing. A right token is never delayed. clock: monotonic seconds."""

    def __init__(self, delay: float = DELAY, clock: Callable[[], float] = time.monotonic) -> None:
        self._delay, self._clock = delay, clock
        self._wrong_tokens = lru_cache(NETWORKS)(lambda network: WrongTokens())
        self.failures = 0  # since the start

    async def record_failure(self, network: str) -> bool:
        """Count, log and delay a wrong token. Return False if too many of this network are waiting already."""
        self.failures += 1
        known = self._wrong_tokens(network)
        known.unreported += 1
        now = self._clock()
        if known.reported_at is None or now - known.reported_at >= LOG_INTERVAL:
            count = "a wrong token" if known.unreported == 1 else f"{known.unreported} wrong tokens"
            log.warning("login: refused %s from %s; each is delayed by %g s", count, network, self._delay)
            known.reported_at, known.unreported = now, 0
        if known.waiting >= AT_ONCE:
            return False
        known.waiting += 1
        try:
            await asyncio.sleep(self._delay)
        finally:
            known.waiting -= 1
        return True
