"""The workers beside this one: with Redis each hears of news at once, without it each follows the journal."""

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cache.address import RedisAddress
from journal.entry import Entry
from streams.errors import TwoJournals
from streams.vital import Vital

if TYPE_CHECKING:
    from streams.relay import Relay
    from streams.roll import Roll


@dataclass(frozen=True, slots=True)
class Link:
    """Where workers meet: a Redis, under a prefix. snapshot: what this one tells of itself, JSON-ready."""

    redis: RedisAddress
    prefix: str = "python:"
    snapshot: Callable[[], Mapping[str, Any]] = dict


class Workers:
    """All but this one. name: how they know us."""

    def __init__(self, vital: Vital) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.vital = vital
        self._relay: Relay | None = None  # both with a link, neither without
        self._roll: Roll | None = None

    def connect(
        self, link: Link, epoch: str, offer: Callable[[Sequence[Entry]], None], heard: Callable[[str], None]
    ) -> None:
        """Meet them there. offer and heard are called with the entries and with the bot's pulse that they tell of."""
        from cache.redis import connect  # these load redis, which a service without one does not need
        from streams.relay import BLOCK, Relay
        from streams.roll import Roll

        writer, reader = connect(link.redis, connections=4), connect(link.redis, BLOCK + 3, 1)
        self._relay = Relay(writer, reader, f"{link.prefix}relay:{epoch}", self.name, offer, heard, self.vital)
        self._roll = Roll(writer, link.prefix, epoch, self.name, link.snapshot, self.vital, self.vital.clock)

    @property
    def reach_us(self) -> bool:
        """Whether their news comes by itself."""
        return self._relay is not None and self._relay.reading

    async def join(self) -> None:
        """Be one of them. Raises TwoJournals for a prefix that is another journal's."""
        if self._relay is None or self._roll is None:
            self.vital.idle("no Redis: other workers follow the journal")
            return
        try:
            await self._roll.claim()
        except TwoJournals:
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
