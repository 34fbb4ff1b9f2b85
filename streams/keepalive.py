"""When a stream must speak though nothing happens: heartbeats, comment pings, and its last hour."""

import random
from dataclasses import dataclass

from cache.decimal_json import dumps
from streams.event import PING, frame

PING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class KeepaliveSettings:
    """heartbeat: seconds from one to the next. max_age: after which a stream ends, None for never."""

    heartbeat: float = 30.0
    ping: float = PING_SECONDS
    max_age: float | None = None


class Keepalive:
    """The due times of one stream, by the clock that is given to each call; drift-free, never two at once."""

    __slots__ = ("_heartbeat", "_pace", "_ping", "_until", "next")

    def __init__(self, pace: KeepaliveSettings, now: float) -> None:
        self._pace = pace
        self._heartbeat = now + pace.heartbeat
        # The first ping comes early by chance, so that a thousand streams opened together do not ping together.
        self._ping = now + pace.ping * random.uniform(0.5, 0.95)
        self._until = None if pace.max_age is None else now + pace.max_age * random.uniform(0.8, 1.0)
        self._plan()

    def over(self, now: float) -> bool:
        """Whether the stream has reached its age."""
        return self._until is not None and now >= self._until

    def seconds(self, now: float) -> float:
        """How long the stream may sleep."""
        return max(self.next - now, 0.0)

    def due(self, now: float, timestamp: float, head: str | None) -> bytes:
        """What must be said now, b"" for nothing. head: the last cursor put on the connection."""
        said = b""
        if now >= self._ping:
            self._ping = _next(self._ping, self._pace.ping * 0.95, now)
            said = PING
        if now >= self._heartbeat:
            self._heartbeat = _next(self._heartbeat, self._pace.heartbeat, now)
            said += frame("heartbeat", dumps({"timestamp": round(timestamp, 3), "head": head}))
        self._plan()
        return said

    def _plan(self) -> None:
        due = min(self._heartbeat, self._ping)
        self.next = due if self._until is None else min(due, self._until)  # when anything is due at all


def _next(due: float, every: float, now: float) -> float:
    """The first time after now in the same beat; beats missed while the machine slept are not made up for."""
    return due + every * (int((now - due) / every) + 1)
