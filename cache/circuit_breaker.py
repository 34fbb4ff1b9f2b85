"""Circuit breaker: stops calls to a service that keeps failing, and lets one trial through now and then."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

State = Literal["closed", "open", "half_open"]


@dataclass(slots=True, eq=False)
class CircuitBreaker:
    """Opens after failures in a row, lets one trial through after each pause, closes on a success."""

    failures: int = 5  # in a row that open it
    grace: float = 1.0  # seconds until the first trial; doubled by each failed trial
    longest: float = 30.0  # seconds between two trials at most
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time  # Unix seconds, only for `since`
    since: float = field(init=False)  # Unix seconds of the last change between closed and not closed
    reason: str = field(default="", init=False)  # the failure that opened it; "" while closed
    in_a_row: int = field(default=0, init=False)  # failures since the last success
    _opened: float | None = field(default=None, init=False)  # None: closed
    _pause: float = field(init=False)
    _trial: float | None = field(default=None, init=False)  # when it began

    def __post_init__(self) -> None:
        self.since, self._pause = self.wall(), self.grace

    @property
    def state(self) -> State:
        """Return closed (calls are made), open (none is) or half_open (one trial may be made)."""
        if self._opened is None:
            return "closed"
        return "open" if self.retry_in > 0 else "half_open"

    @property
    def retry_in(self) -> float:
        """Return seconds until a trial may be made; 0 if one may be made now or the breaker is closed."""
        return 0.0 if self._opened is None else max(0.0, self._opened + self._pause - self.clock())

    def allows(self) -> bool:
        """Return True if a call may be made now. While half-open, only the first caller may: the trial."""
        if self._opened is None:
            return True
        now = self.clock()
        # A trial whose caller never reports back must not keep the breaker open for ever.
        if self.retry_in > 0 or (self._trial is not None and now - self._trial < self.longest):
            return False
        self._trial = now
        return True

    def succeeded(self) -> bool:
        """Note a success. Return True if it closed the breaker."""
        reopened = self._opened is not None
        self.in_a_row, self._opened, self._trial, self._pause = 0, None, None, self.grace
        if reopened:
            self.since, self.reason = self.wall(), ""
        return reopened

    def failed(self, reason: str) -> bool:
        """Note a failure. Return True if it opened the breaker."""
        self.in_a_row += 1
        if self._opened is not None:
            # Late failures of calls begun before it opened do not count as trials and must not lengthen the pause.
            if self._trial is not None:
                self._pause = min(self._pause * 2, self.longest)
                self._opened, self._trial = self.clock(), None
            self.reason = reason
            return False
        if self.in_a_row < self.failures:
            return False
        self._opened, self.reason, self.since = self.clock(), reason, self.wall()
        return True
