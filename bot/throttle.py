"""Intervals for work that is done less often than every turn. Stands alone: live venue, engine and watchlist use it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Throttle:
    """Decide by name if an interval has passed. clock: monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}  # all mutable state: monotonic time of each name's last turn

    def due(self, name: str, every: float) -> bool:
        """Return True if `every` seconds have passed since the last True for this name, and at the first call."""
        now = self._clock()
        last = self._last.get(name)
        if last is not None and now - last < every:
            return False
        self._last[name] = now
        return True

    @contextmanager
    def retried(self, name: str) -> Iterator[None]:
        """Make a name due again if the block raises, so that failed work is not taken for done."""
        try:
            yield
        except Exception:
            self._last.pop(name, None)
            raise
