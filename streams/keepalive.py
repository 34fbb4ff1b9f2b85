"""The times at which a stream sends something of its own: heartbeats, comment pings, and its maximum age."""

import random
from dataclasses import dataclass

from streams.event import PING, heartbeat

PING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class KeepaliveSettings:
    """Intervals in seconds between two heartbeats and two pings. max_age: then a stream ends; None for never."""

    heartbeat: float = 30.0
    ping: float = PING_SECONDS
    max_age: float | None = None


class Keepalive:
    """The due times of one stream, by the clock that is given to each call."""

    __slots__ = ("_heartbeat_due", "_ping_due", "_settings", "_until", "next")

    def __init__(self, settings: KeepaliveSettings, now: float) -> None:
        self._settings = settings
        self._heartbeat_due = now + settings.heartbeat
        # The first ping comes early at random, so that streams opened together do not ping together.
        self._ping_due = now + settings.ping * random.uniform(0.5, 0.95)
        self._until = None if settings.max_age is None else now + settings.max_age * random.uniform(0.8, 1.0)
        self._schedule()

    def is_over(self, now: float) -> bool:
        """Return True if the stream has reached its maximum age."""
        return self._until is not None and now >= self._until

    def seconds(self, now: float) -> float:
        """Return the seconds until anything is due."""
        return max(self.next - now, 0.0)

    def due(self, now: float, timestamp: float, head: str | None) -> bytes:
        """Return what is due now, empty for nothing. head: the last cursor put on the connection, None for none."""
        due = b""
        if now >= self._ping_due:
            self._ping_due = _next_time(self._ping_due, self._settings.ping * 0.95, now)
            due = PING
        if now >= self._heartbeat_due:
            self._heartbeat_due = _next_time(self._heartbeat_due, self._settings.heartbeat, now)
            due += heartbeat(timestamp, head, head)
        self._schedule()
        return due

    def _schedule(self) -> None:
        due = min(self._heartbeat_due, self._ping_due)
        self.next = due if self._until is None else min(due, self._until)


def _next_time(due: float, interval: float, now: float) -> float:
    """Return the first time after now on the same schedule; times missed in a suspended machine are skipped."""
    return due + interval * (int((now - due) / interval) + 1)
