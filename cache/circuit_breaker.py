"""Circuit breaker: stops calls to a service that keeps failing, and lets one trial through now and then."""

import time
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half_open"]


class CircuitBreaker:
    """Opens after failures in a row, lets one trial through after each pause, closes on a success.

    failures: failures in a row that open it. grace: seconds until the first trial; doubled by each failed trial up to
    longest. clock: monotonic seconds; wall: Unix seconds, only for `since`.
    """

    def __init__(
        self,
        failures: int = 5,
        grace: float = 1.0,
        longest: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._failures, self._grace, self._longest = failures, grace, longest
        self._clock, self._wall = clock, wall
        # All mutable state: failures in a row, when it opened (None: closed), the present pause, the trial's start.
        self._in_a_row = 0
        self._opened: float | None = None
        self._pause = grace
        self._trial: float | None = None
        self.since = wall()  # Unix seconds of the last change between closed and not closed
        self.reason = ""  # the failure that opened it; "" while closed

    def __repr__(self) -> str:
        return f"CircuitBreaker({self.state}, in_a_row={self._in_a_row}, reason={self.reason!r})"

    @property
    def state(self) -> State:
        """Return closed (calls are made), open (none is) or half_open (one trial may be made)."""
        if self._opened is None:
            return "closed"
        return "open" if self.retry_in > 0 else "half_open"

    @property
    def retry_in(self) -> float:
        """Return seconds until a trial may be made; 0 if one may be made now or the breaker is closed."""
        if self._opened is None:
            return 0.0
        return max(0.0, self._opened + self._pause - self._clock())

    def allows(self) -> bool:
        """Return True if a call may be made now. While half-open, only the first caller may: the trial."""
        if self._opened is None:
            return True
        if self.retry_in > 0:
            return False
        now = self._clock()
        # A trial whose caller never reports back must not keep the breaker open for ever.
        if self._trial is not None and now - self._trial < self._longest:
            return False
        self._trial = now
        return True

    def succeeded(self) -> bool:
        """Note a success. Return True if it closed the breaker."""
        reopened = self._opened is not None
        self._in_a_row, self._opened, self._trial, self._pause = 0, None, None, self._grace
        if reopened:
            self.since, self.reason = self._wall(), ""
        return reopened

    def failed(self, reason: str) -> bool:
        """Note a failure. Return True if it opened the breaker."""
        self._in_a_row += 1
        if self._opened is not None:
            # Late failures of calls begun before it opened do not count as trials and must not lengthen the pause.
            if self._trial is not None:
                self._pause = min(self._pause * 2, self._longest)
                self._opened, self._trial = self._clock(), None
            self.reason = reason
            return False
        if self._in_a_row < self._failures:
            return False
        self._opened, self.reason, self.since = self._clock(), reason, self._wall()
        return True
