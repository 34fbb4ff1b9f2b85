"""What is done more rarely than every turn, and when it was done last."""

from collections.abc import Callable


class Throttle:
    """Tells by name whether it is time again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._done: dict[str, float] = {}  # all mutable state: when each was last done

    def due(self, what: str, every: float) -> bool:
        """True when it was not done for so many seconds; it counts as done now."""
        now = self._clock()
        if now - self._done.get(what, 0.0) < every:
            return False
        self._done[what] = now
        return True
