"""Orders that were refused or not answered: counted by reason, with growing pauses per market and for the account."""

import logging
from collections import Counter
from collections.abc import Callable

from bot.reasons import ACCOUNT_WIDE, POST_ONLY

log = logging.getLogger(__name__)

_IN_A_ROW = 3  # refusals without an accepted order between them that mean trouble
_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 60.0
_ACCOUNT = ""


class Refusals:
    """Decide where orders may be tried again. clock: monotonic seconds. noun: of the requests, in sentences.

    A post-only order that would have traded is normal for a maker and only counted.
    """

    def __init__(self, clock: Callable[[], float], noun: str = "orders") -> None:
        self._clock = clock
        self._noun = noun
        # all mutable state: counts by reason since the start; refusals in a row, the last one's reason and words;
        # by ticker ("" for the account): refusals in a row, and until when (monotonic) and why nothing is sent
        self.counts: Counter[str] = Counter()
        self.in_a_row = 0
        self.reason = ""
        self._detail = ""
        self._failures: Counter[str] = Counter()
        self._until: dict[str, tuple[float, str]] = {}

    @property
    def trouble(self) -> str:
        """A sentence while several orders in a row were refused; else ""."""
        if self.in_a_row < _IN_A_ROW:
            return ""
        return f"{self.in_a_row} {self._noun} in a row were refused or not answered ({self.reason}): {self._detail}"

    def blocked(self, ticker: str) -> str:
        """Return the reason for which nothing is sent in this market now; "" if it may be tried."""
        now = self._clock()
        for name in (_ACCOUNT, ticker):
            until, reason = self._until.get(name, (now, ""))
            if now < until:
                return f"waiting after {reason}"
        return ""

    def refused(self, ticker: str, reason: str, detail: str) -> None:
        """Count a refusal and begin or lengthen the pause."""
        self.counts[reason] += 1
        if reason == POST_ONLY:
            return
        before = self.trouble
        self.in_a_row += 1
        self.reason, self._detail = reason, detail
        self._pause(ticker)
        if reason in ACCOUNT_WIDE and self.in_a_row >= _IN_A_ROW:
            self._pause(_ACCOUNT)
        if self.trouble and not before:
            log.warning("%s; the bot tries again after pauses of up to %.0f s", self.trouble, _LONGEST_PAUSE)

    def accepted(self, ticker: str) -> None:
        """Record an order that was accepted: the pauses of its market and of the account end."""
        if self.trouble:
            log.info("%s are accepted again after %d refusals (%s)", self._noun, self.in_a_row, self.reason)
        self.in_a_row, self.reason, self._detail = 0, "", ""
        for name in (ticker, _ACCOUNT):
            self._failures.pop(name, None)
            self._until.pop(name, None)

    def _pause(self, name: str) -> None:
        self._failures[name] += 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._failures[name] - 1, 10))
        self._until[name] = (self._clock() + pause, self.reason)
