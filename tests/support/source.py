"""What a keeper asks: a source that counts its calls, fails and hangs as told; and keepers over it."""

from cache.stale_cache import StaleCache


class Trouble(Exception):
    """The source failed."""


class NoSuchThing(Trouble):
    """The source answered: there is none."""


class Source:
    """Counts its calls; gives what it is told to, or raises it; waits for the gate when there is one."""

    def __init__(self, value=None):
        self.value, self.calls, self.gate = value, 0, None

    async def __call__(self):
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def keeper_over(cache, clock, **more):
    return StaleCache(cache, "kalshi_api", (Trouble,), (NoSuchThing,), clock=clock, monotonic=clock, **more)
