"""The workers beside this one: with Redis each hears of news at once, without it each follows the journal."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cache.redis_address import RedisAddress
from cluster.component_health import ComponentHealth
from cluster.errors import PrefixInUse
from journal.entries import Entry

if TYPE_CHECKING:
    from cluster.relay import Relay
    from cluster.worker_registry import WorkerRegistry


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where workers meet: a Redis, under a prefix. snapshot: what this one tells of itself, JSON-ready."""

    redis: RedisAddress
    prefix: str = "python:"
    snapshot: Callable[[], Mapping[str, Any]] = dict


class Workers:
    """All but this one. name: how they know us."""

    def __init__(self, health: ComponentHealth) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.health = health
        self._relay: Relay | None = None  # both with a link, neither without
        self._roll: WorkerRegistry | None = None

    def connect(
        self, link: RelaySettings, epoch: str, offer: Callable[[Sequence[Entry]], None], heard: Callable[[str], None]
    ) -> None:
        """Meet them there. offer and heard are called with the entries and with the bot's pulse that they tell of."""
        from cache.redis import connect  # these load redis, which a service without one does not need
        from cluster.relay import BLOCK, Relay
        from cluster.worker_registry import WorkerRegistry

        writer, reader = connect(link.redis, connections=4), connect(link.redis, BLOCK + 3, 1)
        self._relay = Relay(writer, reader, f"{link.prefix}relay:{epoch}", self.name, offer, heard, self.health)
        self._roll = WorkerRegistry(
            writer, link.prefix, epoch, self.name, link.snapshot, self.health, self.health.clock
        )

    @property
    def reach_us(self) -> bool:
        """Whether their news comes by itself."""
        return self._relay is not None and self._relay.reading

    async def join(self) -> None:
        """Be one of them. Raises PrefixInUse for a prefix that is another journal's."""
        if self._relay is None or self._roll is None:
            self.health.set_idle("no Redis: other workers follow the journal")
            return
        try:
            await self._roll.claim()
        except PrefixInUse:
            await self._relay.close()
            raise

    def works(self) -> list[Callable[[], Awaitable[None]]]:
        """What must run for it."""
        if self._relay is None or self._roll is None:
            return []
        return [self._relay.send, self._relay.listen, self._roll.run]

    def tell(self, entries: Sequence[Entry]) -> None:
        """There are new entries; returns at once, as the next does."""
        if self._relay is not None:
            self._relay.entries(entries)

    def tell_pulse(self, text: str) -> None:
        """How the bot is."""
        if self._relay is not None:
            self._relay.pulse(text)

    async def gather(self) -> list[dict[str, Any]]:
        """Their snapshots, for numbers that add up over all; none without Redis."""
        return await self._roll.gather() if self._roll is not None else []

    async def leave(self) -> None:
        """Take our name away and give the connections back."""
        if self._relay is not None and self._roll is not None:
            await self._roll.leave()
            await self._relay.close()
