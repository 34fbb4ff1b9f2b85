"""Hands the journal's entries to this worker's listeners: each once, in order, whoever brings the news."""

import asyncio
from collections.abc import Callable, Sequence

from cluster.component_health import ComponentHealth
from journal.base import Journal
from journal.entries import Entry
from journal.errors import JournalError

Listener = Callable[[Sequence[Entry]], None]
PAGE = 500


class JournalTailer:
    """Entries come from our own recorder, the relay, or the journal's tail. One that does not join is read from there.

    position: seq of the last entry that the listeners have. tail: says how many seconds may lie between two looks at
    the journal's end, the way on which nothing can be missed, however little the quicker ways bring.
    """

    def __init__(self, journal: Journal, position: int, health: ComponentHealth, tail: Callable[[], float]) -> None:
        self._journal = journal
        self._listeners: list[Listener] = []
        self._behind = asyncio.Event()
        self.position = position
        self.health = health
        self._tail = tail

    def listen(self, listener: Listener) -> None:
        """Call listener with each batch from now on; it must be quick and not wait."""
        self._listeners.append(listener)

    def offer(self, entries: Sequence[Entry]) -> None:
        """Take entries in ascending order; what is known is dropped, what does not join makes us read the journal."""
        fresh = [entry for entry in entries if entry.seq > self.position]
        joined = [entry for place, entry in enumerate(fresh, self.position + 1) if entry.seq == place]
        if len(joined) < len(fresh):
            self._behind.set()
        self._deliver(joined)

    async def run(self) -> None:
        """Follow the journal's end, for ever."""
        while True:
            try:
                async with asyncio.timeout(self._tail()):
                    await self._behind.wait()
            except TimeoutError:
                pass  # nobody called: time to look by ourselves
            self._behind.clear()
            await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            while entries := await self._journal.read(self.position, PAGE):
                before = self.position
                self.offer(entries)
                self.health.counters["tailed"] += self.position - before
                if len(entries) < PAGE:
                    break
        except JournalError as wrong:
            self.health.fail(str(wrong))
        else:
            self.health.succeed()

    def _deliver(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.position = entries[-1].seq
        for listener in self._listeners:
            listener(entries)
