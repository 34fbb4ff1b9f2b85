"""Limits of each client network: requests a minute, and a delay of each wrong token."""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kalshi.rate_limits import TokenBucket

log = logging.getLogger(__name__)

State = TypeVar("State")
NETWORKS: Final = 10_000  # networks that are remembered; floods from more meet the proxy's limits first
TOO_MANY: Final = "too many requests from your network"
DELAY: Final = 1.0  # seconds before a wrong token is answered
AT_ONCE: Final = 4  # wrong tokens of one network that are delayed at the same time; more are refused at once
LOG_INTERVAL: Final = 60.0  # seconds between two log lines about one network


class ByNetwork(OrderedDict[str, State], Generic[State]):
    """The state of each network, made when it is first used; the least recent is dropped first."""

    def __init__(self, make: Callable[[], State]) -> None:
        super().__init__()
        self._make = make

    def use(self, network: str) -> State:
        """Return the state of a network, which is the most recent now."""
        if network not in self:
            self[network] = self._make()
        self.move_to_end(network)
        if len(self) > NETWORKS:
            self.popitem(last=False)
        return self[network]


class ClientRateLimit:
    """per_minute requests a minute for each network, and as many at once. clock: monotonic seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.buckets = ByNetwork(lambda: TokenBucket(per_minute / 60, per_minute, clock))

    def spend(self, network: str) -> int:
        """Take one request; return 0, or the seconds until the next one is allowed."""
        bucket = self.buckets.use(network)
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
        self._networks = ByNetwork(WrongTokens)
        self.failures = 0  # since the start

    async def record_failure(self, network: str) -> bool:
        """Count, log and delay a wrong token. Return False if too many of this network are waiting already."""
        self.failures += 1
        known = self._networks.use(network)
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
