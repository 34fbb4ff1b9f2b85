"""The other workers on this journal: with Redis each announces what it wrote, without it each follows the journal."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cache.redis_address import RedisAddress
from cluster.component_health import ComponentHealth
from cluster.errors import PrefixInUse
from journal.base import Journal
from journal.entries import Entry

if TYPE_CHECKING:
    from cluster.relay import Relay
    from cluster.worker_registry import WorkerRegistry


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """The Redis and the prefix that the workers share. snapshot: returns this worker's numbers, JSON-ready."""

    redis: RedisAddress
    prefix: str = "python:"
    snapshot: Callable[[], Mapping[str, Any]] = dict


class Workers:
    """name: of this worker, unique over hosts and restarts."""

    def __init__(self, health: ComponentHealth) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.health = health
        self._relay: Relay | None = None  # both with Redis, neither without
        self._registry: WorkerRegistry | None = None

    def connect(
        self, settings: RelaySettings, journal: Journal, on_entries: Callable[[int], None],
        on_snapshot: Callable[[str], None],
    ) -> None:  # fmt: skip
        """Use Redis. on_entries is called with the last seq that another worker wrote, on_snapshot with the bot's."""
        from cache.redis import connect  # these load redis, which a service without one does not need
        from cluster.relay import BLOCK, Relay
        from cluster.worker_registry import WorkerRegistry

        writer, reader = connect(settings.redis, connections=4), connect(settings.redis, BLOCK + 3, 1)
        self._relay = Relay(
            writer, reader, lambda: f"{settings.prefix}relay:{journal.identity}", self.name, on_entries, on_snapshot,
            self.health,
        )  # fmt: skip
        self._registry = WorkerRegistry(
            writer, settings.prefix, journal, self.name, settings.snapshot, self.health, self.health.clock
        )

    @property
    def receiving(self) -> bool:
        """True while announcements of the others arrive."""
        return self._relay is not None and self._relay.reading

    async def join(self) -> None:
        """Claim the prefix. Raises PrefixInUse for one that is another journal's."""
        if self._relay is None or self._registry is None:
            self.health.set_idle("no Redis: other workers follow the journal")
            return
        try:
            await self._registry.claim()
        except PrefixInUse:
            await self._relay.close()
            raise

    def tasks(self) -> list[Callable[[], Awaitable[None]]]:
        """Return the coroutine functions that must run meanwhile."""
        if self._relay is None or self._registry is None:
            return []
        return [self._relay.send, self._relay.receive, self._registry.run]

    def announce(self, entries: Sequence[Entry]) -> None:
        """Announce entries that this worker wrote; returns at once, as send_snapshot does."""
        if self._relay is not None and entries:
            self._relay.announce(entries[-1].seq)

    def send_snapshot(self, text: str) -> None:
        """Send the bot's snapshot to the others."""
        if self._relay is not None:
            self._relay.send_snapshot(text)

    async def gather(self) -> list[dict[str, Any]]:
        """Return the other workers' numbers; none without Redis."""
        return await self._registry.gather() if self._registry is not None else []

    async def leave(self) -> None:
        """Remove this worker from the registry and close the connections."""
        if self._relay is not None and self._registry is not None:
            await self._registry.leave()
            await self._relay.close()
