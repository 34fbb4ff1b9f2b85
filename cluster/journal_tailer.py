"""Reads the journal for this worker: passes on its new entries, each once and in order, and verifies the old ones."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cluster.component_health import ComponentHealth, wait_for
from journal.base import Journal
from journal.entries import Entry, Head
from journal.errors import JournalError, JournalReverted

log = logging.getLogger(__name__)

Listener = Callable[[Sequence[Entry]], None]
PAGE: Final = 500
REVERTED_FOR: Final = 3600.0  # seconds for which health shows that the journal lost entries
VERIFIED: Final = 1000  # entries in a page of the check
INTERVAL: Final = 2.0  # seconds between two pages of the check until all are verified once
SLOWER: Final = 5  # times that interval from then on


@dataclass(eq=False)
class JournalTailer:
    """Pass on entries of this worker's own writer or read from the journal; those of other workers are read."""

    journal: Journal
    position: int  # seq of the last entry that the listeners have
    health: ComponentHealth
    interval: Callable[[], float]  # returns the seconds between two reads without news
    # Called instead of the listeners when the journal went back in time or got a new epoch; they go on after its head.
    on_new_epoch: Callable[[Head], None] = lambda head: None
    monotonic: Callable[[], float] = time.monotonic
    _listeners: list[Listener] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _reverted_until: float = 0.0

    def listen(self, listener: Listener) -> None:
        """Call listener with each batch from now on; it must be quick and not wait."""
        self._listeners.append(listener)

    def offer(self, entries: Sequence[Entry]) -> None:
        """Pass on entries, ascending. Known ones are dropped; if one is missing, the journal is read."""
        fresh = [entry for entry in entries if entry.seq > self.position]
        joined = [entry for place, entry in enumerate(fresh, self.position + 1) if entry.seq == place]
        if len(joined) < len(fresh):
            self._wake.set()
        if joined:
            self.position = joined[-1].seq
            for listener in self._listeners:
                listener(joined)

    def announce(self, seq: int) -> None:
        """Read the journal now if another worker has written beyond position."""
        if seq > self.position:
            self._wake.set()

    async def run(self) -> None:
        """Read the journal's end after each interval and each announcement."""
        while True:
            await wait_for(self._wake, self.interval())
            self._wake.clear()
            await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            await self._read_news()
        except JournalError as error:
            self.health.fail(str(error))

    async def _read_news(self) -> None:
        try:
            while entries := await self.journal.follow(self.position, PAGE):
                before = self.position
                self.offer(entries)
                self.health.counters["tailed"] += self.position - before
                if len(entries) < PAGE:
                    break
        except JournalReverted as error:
            await self._restart(error)
            return
        if self.monotonic() >= self._reverted_until:
            self.health.succeed()

    async def _restart(self, error: JournalReverted) -> None:
        head = await self.journal.recover()
        self.health.counters["resets"] += 1
        if error.lost:
            self._reverted_until = self.monotonic() + REVERTED_FOR
            self.health.fail(str(error))
        log.warning("%s (head now %s)", error, head)
        self.position = head.seq
        self.on_new_epoch(head)


@dataclass(eq=False)
class JournalCheck:
    """Verify the journal page by page while it is used. Damage stays in health until the same page is whole again."""

    journal: Journal
    health: ComponentHealth
    _after: int = 0
    _complete: bool = False  # every page was verified once

    async def run(self) -> None:
        while True:
            await self.verify_page()
            await asyncio.sleep(INTERVAL * (SLOWER if self._complete else 1))

    async def verify_page(self) -> None:
        """Verify the marks and the next page of entries; after the last page begin at the first."""
        try:
            await self.journal.marks()
            last = await self.journal.verify(self._after, VERIFIED)
        except JournalError as error:
            self.health.fail(str(error))
            return
        self.health.counters["verified"] += last - self._after
        at_end = last - self._after < VERIFIED
        self._after = 0 if at_end else last
        self._complete = self._complete or at_end
        self.health.succeed()
