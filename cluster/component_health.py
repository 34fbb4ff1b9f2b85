"""Health of one component: its state, the last success, the reason for a failure, and counters."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from journal.errors import LeaseLost

log = logging.getLogger(__name__)

State = Literal["starting", "ok", "idle", "degraded"]


@dataclass(slots=True)
class ComponentHealth:
    """Record successes and failures of one component and log only changes of state."""

    name: str
    clock: Callable[[], float] = time.time  # Unix seconds
    state: State = "starting"
    reason: str = ""
    last_success: float | None = None  # Unix seconds
    counters: Counter[str] = field(default_factory=Counter)

    def succeed(self, note: str = "", *, log_change: bool = True) -> None:
        """Mark a success. Pass log_change=False where the caller has logged the change in better words."""
        self.last_success = self.clock()
        self._change("ok", note, log_change)

    def fail(self, reason: str, *, log_change: bool = True) -> None:
        """Mark a failure. Repeating the same reason only increments the counter."""
        self.counters["failures"] += 1
        self._change("degraded", reason, log_change)

    def set_idle(self, reason: str) -> None:
        """Mark that this component has no work in this process, which is healthy."""
        self._change("idle", reason)

    def start(self) -> None:
        """Mark that the component begins and has not tried anything yet."""
        self._change("starting", "")

    def as_json(self) -> dict[str, object]:
        """Return the component's part of GET /health: state, age of the last success in seconds, reason, counters."""
        age = None if self.last_success is None else round(max(0.0, self.clock() - self.last_success), 3)
        return {"state": self.state, "age": age, "reason": self.reason or None, **self.counters}

    def _change(self, state: State, reason: str, log_change: bool = True) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if log_change:
            # Idle and starting are expected and stand in /health.
            level = {"degraded": logging.WARNING, "ok": logging.INFO}.get(state, logging.DEBUG)
            log.log(level, "%s: %s%s", self.name, state, f": {reason}" if reason else "")
        self.state, self.reason = state, reason


async def run_forever(work: Callable[[], Awaitable[None]], health: ComponentHealth, restart_delay: float = 1.0) -> None:
    """Run work and restart it after an unexpected error. Raises LeaseLost: another worker is the leader now."""
    while True:
        try:
            await work()
        except LeaseLost:
            raise
        except Exception as error:
            if isinstance(error, ExceptionGroup) and error.subgroup(LeaseLost):
                raise LeaseLost("another worker has become the leader") from None
            health.fail(f"unexpected {type(error).__name__}", log_change=False)
            log.exception("%s: restarted after an unexpected error", health.name)
        await asyncio.sleep(restart_delay)


async def wait_for(event: asyncio.Event, seconds: float | None) -> None:
    """Return once the event is set, or after so many seconds (None: no limit)."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def cancel_and_wait(*tasks: "asyncio.Future[Any]", retry_after: float = 1.0) -> None:
    """Cancel tasks and wait until all have ended. Cancel again every retry_after seconds: some libraries swallow it."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=retry_after)
