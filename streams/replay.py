"""Pages of the journal for returning readers: a few reads at a time, networks in turn, equal pages read once."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from journal.base import Journal
from journal.errors import JournalDamaged
from streams.event import Chunk
from streams.stats import Stats

CONCURRENT_READS: Final = 4
PAGE: Final = 500  # entries, about 115 KB of events: larger ones delay the live fan-out for longer than they save
PAGES_PER_TURN: Final = 8  # given to readers in one turn of the loop: each is encoded bytes to write, about 0.1 ms
RECENT_PAGES: Final = 16  # full pages kept encoded, for readers that return together

PageFuture = asyncio.Future[Chunk | None]
Outcome = Chunk | Exception | None
PageKey = tuple[int, int]  # the seq before the page, and its greatest number of entries


@dataclass(slots=True, eq=False)
class ReplayQueue:
    """Reads pages of the journal for replays.

    A place among the concurrent reads is held while a page is read, never while it is sent: a slow reader keeps no
    other one waiting. Places go to the networks in turn. Pages end at multiples of the page size, so that readers
    with different cursors share all but their first page.
    """

    journal: Journal
    stats: Stats
    concurrent: int = CONCURRENT_READS
    page_size: int = PAGE
    _waiting: dict[str, deque[PageKey]] = field(default_factory=dict)  # by network; the first network is the next one
    _futures: dict[PageKey, list[PageFuture]] = field(default_factory=dict)  # of the pages that wait to be read
    _reads: set["asyncio.Task[None]"] = field(default_factory=set)
    _ready: deque[tuple[PageFuture, Outcome]] = field(default_factory=deque)  # pages that their readers get next
    _recent: OrderedDict[tuple[str, int], Chunk] = field(default_factory=OrderedDict)  # by epoch and the seq before it

    def page(self, after: int, network: str) -> PageFuture:
        """Return a future page: the entries that follow seq after, None when there are none.

        It fails with JournalError. Cancel it when it is not needed any more.
        """
        return self._request(after, self.page_size - after % self.page_size, network)

    def entry(self, seq: int, network: str) -> PageFuture:
        """Return a future chunk of one entry, None when the journal does not have it."""
        return self._request(seq - 1, 1, network)

    def _request(self, after: int, limit: int, network: str) -> PageFuture:
        future: PageFuture = asyncio.get_running_loop().create_future()
        self._futures.setdefault((after, limit), []).append(future)
        self._waiting.setdefault(network, deque()).append((after, limit))
        self._start_reads()
        return future

    def _start_reads(self) -> None:
        while len(self._reads) < self.concurrent and (key := self._next_key()) is not None:
            # One read answers every reader that waits for this page now. Who asks later may know of newer entries.
            futures = self._futures.pop(key)
            if (chunk := self._recent.get((self.journal.epoch, key[0]))) is not None and key[1] > 1:
                self._resolve(futures, chunk)
                continue
            task = asyncio.create_task(self._read(*key, futures))
            self._reads.add(task)
            task.add_done_callback(self._finish)
            for future in futures:
                future.add_done_callback(partial(_cancel_unwanted, task, futures))
        self.stats.replays_running = len(self._reads)
        self.stats.replays_waiting = sum(len(futures) for futures in self._futures.values())

    def _next_key(self) -> PageKey | None:
        """Return the next page of the network whose turn it is, and move that network to the end."""
        while self._waiting:
            network = next(iter(self._waiting))
            keys = self._waiting.pop(network)
            key = keys.popleft()
            if keys:
                self._waiting[network] = keys
            if key in self._futures:
                if not all(future.done() for future in self._futures[key]):
                    return key
                del self._futures[key]  # its readers have left
        return None

    async def _read(self, after: int, limit: int, futures: list[PageFuture]) -> None:
        try:
            self._resolve(futures, await self._chunk(after, limit))
        except Exception as error:  # noqa: BLE001  the readers that wait for the page decide
            self._resolve(futures, error)

    async def _chunk(self, after: int, limit: int) -> Chunk | None:
        epoch = self.journal.epoch
        entries = await self.journal.read(after, limit)
        if not entries:
            return None
        if entries[0].seq != after + 1 or entries[-1].seq != after + len(entries):
            raise JournalDamaged(f"entry {after + 1} was published and is not in the journal now; verify the journal")
        chunk = Chunk.of_entries(entries, epoch)
        if len(entries) == limit > 1:
            self._recent[epoch, after] = chunk
            if len(self._recent) > RECENT_PAGES:
                self._recent.popitem(last=False)
        return chunk

    def _resolve(self, futures: list[PageFuture], outcome: Outcome) -> None:
        """Give an outcome to the readers that wait for it, in turns: a thousand at once would block the loop."""
        begins = not self._ready
        self._ready.extend((future, outcome) for future in futures)
        if begins:
            self._resolve_some()

    def _resolve_some(self) -> None:
        for _ in range(min(PAGES_PER_TURN, len(self._ready))):
            future, outcome = self._ready.popleft()
            if future.done():
                continue  # its reader has left
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self._ready:
            asyncio.get_running_loop().call_soon(self._resolve_some)

    def _finish(self, task: "asyncio.Task[None]") -> None:
        self._reads.discard(task)
        self._start_reads()


def _cancel_unwanted(task: "asyncio.Task[None]", futures: list[PageFuture], _: PageFuture) -> None:
    """Cancel a read when every reader that waits for it has left."""
    if all(future.done() for future in futures):
        task.cancel()
