"""What a returning reader missed, read from the journal in pages, a few readers at a time."""

import asyncio
from collections import deque
from collections.abc import Callable

from journal.base import Journal
from journal.entries import Entry

AT_ONCE = 4
PAGE = 500  # entries, about 115 KB of events: larger ones hold the live fan-out up for longer than they save


class Replays:
    """The journal's door for returning readers: at most so many read at once, the rest wait their turn."""

    def __init__(self, journal: Journal, at_once: int = AT_ONCE, page: int = PAGE) -> None:
        self._journal = journal
        self._free = at_once
        self._page = page
        self._waiting: deque[Replay] = deque()

    def start(self, after: int, wake: Callable[[], None]) -> "Replay":
        """A replay of the entries that follow seq after; wake is called when it is worth asking for a page."""
        replay = Replay(self, after, wake)
        if self._free:
            self._free -= 1
            replay.admit()
        else:
            self._waiting.append(replay)
        return replay

    def read(self, after: int) -> "asyncio.Task[list[Entry]]":
        """One page, read in a task of its own, so that its reader can be told other things meanwhile."""
        return asyncio.create_task(self._journal.read(after, self._page))

    def full(self, page: list[Entry]) -> bool:
        """Whether more may follow."""
        return len(page) == self._page

    def done(self, replay: "Replay", admitted: bool) -> None:
        """A replay has ended; the next one may begin."""
        if not admitted:
            self._waiting.remove(replay)
        elif self._waiting:
            self._waiting.popleft().admit()
        else:
            self._free += 1


class Replay:
    """One reader's way through the journal. It owns at most one task; close() ends it."""

    def __init__(self, door: Replays, after: int, wake: Callable[[], None]) -> None:
        self._door = door
        self._after = after  # where the read that runs began
        self._wake = wake
        self._admitted = False
        self._closed = False
        self._task: asyncio.Task[list[Entry]] | None = None

    def admit(self) -> None:
        """It is our turn."""
        self._admitted = True
        self._read(self._after)

    def page(self, after: int) -> list[Entry] | None:
        """The entries that follow seq after, None while they are not there yet. Raises JournalError.

        The next page is read while this one is being written. An empty page: the journal has no more.
        """
        if not self._admitted:
            return None
        if self._task is None or self._after != after:
            self._read(after)
        if self._task is None or not self._task.done():
            return None
        task, self._task = self._task, None
        page = task.result()
        if self._door.full(page):
            self._read(page[-1].seq)
        return page

    def close(self) -> None:
        """Give back the turn and the task; it may be called twice."""
        if not self._closed:
            self._closed = True
            self._cancel()
            self._door.done(self, self._admitted)

    def _read(self, after: int) -> None:
        self._cancel()
        self._after = after
        self._task = self._door.read(after)
        self._task.add_done_callback(self._told)

    def _told(self, task: "asyncio.Task[list[Entry]]") -> None:
        if not task.cancelled():
            task.exception()  # seen: nobody may ask for this page any more
        self._wake()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
