"""This worker among the others on its journal: with Redis they announce what they wrote, without it each reads it."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cache.base import RedisAddress
from cluster.component_health import ComponentHealth
from journal.base import Journal
from journal.entries import Entry


class PrefixInUse(Exception):
    """Another journal's workers use this Redis prefix, so cursors of one journal would be read as the other's."""

    def __init__(self, key: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"Redis key {key} says that journal {theirs} uses this prefix, ours is {ours}: two services share a Redis, "
            f"or a journal was replaced under running workers. Give each its own REDIS_KEY_PREFIX, or stop the other "
            f"and wait 15 s"
        )


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The Redis and the prefix that the workers share. snapshot: returns this worker's numbers, JSON-ready."""

    redis: RedisAddress
    prefix: str = "python:"
    snapshot: Callable[[], Mapping[str, Any]] = dict


class Workers:
    """The other workers without a Redis: all of them follow the journal without a list of the others."""

    receiving = False  # True while announcements of the others arrive

    def __init__(self, health: ComponentHealth) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"  # unique over hosts and restarts
        self.health = health

    async def join(self) -> None:
        """Become one of the workers. Raises PrefixInUse for a prefix that is another journal's."""
        self.health.set_idle("no Redis: other workers follow the journal")

    def tasks(self) -> list[Callable[[], Awaitable[None]]]:
        """Return the coroutine functions that must run meanwhile."""
        return []

    def announce(self, entries: Sequence[Entry]) -> None:
        """Announce entries that this worker wrote; returns at once."""

    def send_snapshot(self, text: str) -> None:
        """Send the bot's snapshot to the others; returns at once."""

    async def gather(self) -> list[dict[str, Any]]:
        """Return the latest numbers of the other living workers; none while Redis is unavailable."""
        return []

    async def leave(self) -> None:
        """Be no worker any more, and close the connections."""


def open_workers(
    health: ComponentHealth, settings: RelaySettings | None, journal: Journal, on_entries: Callable[[int], None],
    on_snapshot: Callable[[str], None],
) -> Workers:  # fmt: skip
    """Return the workers, over Redis where settings name one. on_entries: called with another one's last seq."""
    if settings is None:
        return Workers(health)
    from cluster.relay import Relay  # loads redis, which a service without one does not need

    return Relay(health, settings, journal, on_entries, on_snapshot)
