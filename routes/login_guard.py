"""Wrong tokens: each is delayed, counted, and logged by network."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

log = logging.getLogger(__name__)

DELAY: Final = 1.0  # seconds before a wrong token is answered
AT_ONCE: Final = 4  # wrong tokens of one network that are delayed at the same time; more are refused at once
LOG_INTERVAL: Final = 60.0  # seconds between two log lines about one network
NETWORKS: Final = 10_000  # networks that are remembered; the least recent is forgotten first


@dataclass(slots=True)
class NetworkFailures:
    """Wrong tokens of one network."""

    waiting: int = 0
    unreported: int = 0
    reported_at: float | None = None


class LoginGuard:
    """Slow down guessing. A right token is never delayed. clock: monotonic seconds."""

    def __init__(self, delay: float = DELAY, clock: Callable[[], float] = time.monotonic) -> None:
        self._delay, self._clock = delay, clock
        self._networks: OrderedDict[str, NetworkFailures] = OrderedDict()
        self.failures = 0  # since the start

    async def record_failure(self, network: str) -> bool:
        """Count, log and delay a wrong token. Return False if too many of this network are waiting already."""
        self.failures += 1
        known = self._networks.pop(network, None) or NetworkFailures()
        self._networks[network] = known
        if len(self._networks) > NETWORKS:
            self._networks.popitem(last=False)
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
