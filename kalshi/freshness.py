"""Time of the account's last event, which an answer must include to be fresh."""

import time
from collections.abc import Callable


class Freshness:
    """Account reads lag behind the matching engine, so a balance read after a trade may lack it.

    The exchange says up to when its reads are complete (user_data_timestamp). Read before an answer, that time bounds
    the answer from below: once it has passed the last event, the answer includes the event; until then it is stale
    (CachedValue.freshness decides, with `since` from here as newer_than).
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.since = 0.0  # Unix seconds of the newest trade or settlement we heard of; 0: of none

    def __repr__(self) -> str:
        return f"Freshness(since={self.since})"

    def touched(self, at: float) -> None:
        """Note an event at this time (Unix seconds).

        A time in the future comes from another clock and counts as now; else all would be stale until then.
        """
        self.since = max(self.since, min(at, self._clock()))
