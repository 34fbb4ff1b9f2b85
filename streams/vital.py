"""How a part of the watch is: well or not, since when, why; what it counts; and the one log line per change."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from journal.errors import LeaseLost

log = logging.getLogger(__name__)

State = Literal["starting", "ok", "idle", "degraded"]


@dataclass(slots=True)
class Vital:
    """One part's health. good() and bad() are told of each attempt; only a change of state is logged.

    logged: the log has this already, in better words.
    """

    name: str
    clock: Callable[[], float] = time.time
    state: State = "starting"
    reason: str = ""
    good_at: float | None = None  # Unix seconds of the last success
    counts: Counter[str] = field(default_factory=Counter)

    def good(self, note: str = "", logged: bool = False) -> None:
        """It worked."""
        self.good_at = self.clock()
        self._become("ok", note, logged)

    def bad(self, reason: str, logged: bool = False) -> None:
        """It failed; the same failure again is only counted."""
        self.counts["failures"] += 1
        self._become("degraded", reason, logged)

    def idle(self, reason: str) -> None:
        """It has nothing to do here, and that is well."""
        self._become("idle", reason)

    def start(self) -> None:
        """It begins, and has not tried anything yet."""
        self._become("starting", "")

    def _become(self, state: State, reason: str, logged: bool = False) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if not logged:
            # What has nothing to do, or not yet, is no event: /health says it.
            level = {"degraded": logging.WARNING, "ok": logging.INFO}.get(state, logging.DEBUG)
            log.log(level, "%s: %s%s", self.name, state, f": {reason}" if reason else "")
        self.state, self.reason = state, reason

    def part(self) -> dict[str, object]:
        """What /health says of it: state, age of the last success in seconds, reason, counts."""
        age = None if self.good_at is None else round(max(0.0, self.clock() - self.good_at), 3)
        return {"state": self.state, "age": age, "reason": self.reason or None, **self.counts}


async def supervised(work: Callable[[], Awaitable[None]], vital: Vital, pause: float = 1.0) -> None:
    """Run work for ever: a mistake of ours in one part must not silence it, nor take the others along.

    Only a lost lease ends it: then another worker does this work.
    """
    while True:
        try:
            await work()
        except LeaseLost:
            raise
        except Exception as wrong:  # the last line of defence: counted, shown, logged with its trace
            if isinstance(wrong, ExceptionGroup) and wrong.subgroup(LeaseLost):
                raise LeaseLost("another worker writes now") from None
            vital.bad(f"unexpected {type(wrong).__name__}", logged=True)
            log.exception("%s: restarted after an unexpected error", vital.name)
        await asyncio.sleep(pause)


async def ended(*tasks: "asyncio.Future[Any]", again: float = 1.0) -> None:
    """Cancel and wait until all are over. A library that swallows a cancellation gets another one."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again)
