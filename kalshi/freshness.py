"""Freshness: what last happened to the account, and so from when on an answer about it is settled."""

import time
from collections.abc import Callable


class Freshness:
    """Account reads lag behind the matching engine, so a balance read right after a trade may be the one before it.

    The exchange says how far its reads have come (user_data_timestamp). Read *before* an answer, that time bounds the
    answer from below: when it has passed the last thing that happened, the answer holds it; until then it is stale
    (`cache.record.Record.judge` decides, with `since` from here).
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.since = 0.0  # Unix seconds of the newest trade or settlement we heard of; 0: of none

    def __repr__(self) -> str:
        return f"Freshness(since={self.since})"

    def touched(self, at: float) -> None:
        """Something happened at this time (Unix seconds).

        A time in the future is the mistake of another clock: it counts as now, or all would be stale until then.
        """
        self.since = max(self.since, min(at, self._clock()))
