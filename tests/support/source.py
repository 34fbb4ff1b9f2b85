"""A source for StaleCache that counts its calls, fails and hangs on demand."""

from typing import Any

from cache.stale_cache import StaleCache
from tests.support.clock import Clock


class Trouble(Exception):
    """The source failed."""


class NoSuchThing(Trouble):
    """The source answered that it has nothing of this name."""


class Source:
    """Counts its calls; returns its value or raises it; waits for the event `gate` if there is one."""

    def __init__(self, value: Any = None) -> None:
        self.value, self.calls = value, 0
        self.gate: Any = None  # an asyncio.Event

    async def __call__(self) -> Any:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def keeper_over(cache: Any, clock: Clock, **more: Any) -> Any:
    return StaleCache(cache, "kalshi_api", (Trouble,), (NoSuchThing,), clock=clock, monotonic=clock, **more)
