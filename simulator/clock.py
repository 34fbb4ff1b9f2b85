"""A clock that moves only when its methods are called, for deterministic runs."""


class VirtualClock:
    """Return Unix seconds when called. Never goes back."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now

    def move_to(self, now: float) -> None:
        """Set the time; an earlier time changes nothing."""
        self.now = max(self.now, now)
