"""Workers on one journal, and the entries and statuses that they publish."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp

from cache.decimal_json import loads
from cache.memory import MemoryCache
from ingest.bot_client import PollSettings
from ingest.supervisor import Supervisor, Upstreams
from journal.entries import Entry
from journal.sqlite import SqliteJournal
from streams.hub import Hub
from tests.support.bot import ScriptedBot


class RecordingHub:
    """A hub that records; it refuses entries that do not follow, as the real one does."""

    def __init__(self, position: int) -> None:
        self.first = self.position = position
        self.entries: list[Entry] = []
        self.status_events: list[dict[str, Any]] = []
        self.stored_status: dict[str, Any] = {}
        self.resets: list[tuple[str, int]] = []

    def publish(self, entries: Sequence[Entry]) -> None:
        """Store entries that follow the last one."""
        for entry in entries:
            assert entry.seq == self.position + 1, f"{entry.seq} after {self.position}"
            self.position = entry.seq
            self.entries.append(entry)

    def status(self, data: str) -> None:
        """Store a bot_status event."""
        self.status_events.append(loads(data))

    def remember(self, data: str) -> None:
        """Store a bot_status for streams opened later."""
        self.stored_status = loads(data)

    def reset(self, epoch: str, position: int, check: str = "") -> None:
        """Continue after position in another history of the journal."""
        self.resets.append((epoch, position))
        self.position = position

    @property
    def statuses(self) -> list[str]:
        """Return the status of each event."""
        return [each["status"] for each in self.status_events]

    def bodies(self, kind: str = "trade") -> list[dict[str, Any]]:
        """Return the bodies of received entries of this kind."""
        return [loads(entry.body) for entry in self.entries if entry.kind == kind]

    def newest_is(self, name: str) -> Callable[[], bool]:
        """Return a check that the newest received trade has that id."""
        return lambda: self.ids[-1:] == [name]

    @property
    def ids(self) -> list[str]:
        """Return trade ids in the order of seq."""
        return [body["trade_id"] for body in self.bodies()]


def counted_more(watch: Supervisor, part: str, counter: str, count: int) -> Callable[[], bool]:
    """Return a check that a counter of a part's health has grown by count."""

    def current() -> int:
        value = watch.health()[part].get(counter, 0)
        assert isinstance(value, int)
        return value

    before = current()
    return lambda: current() >= before + count


@asynccontextmanager
async def worker(
    path: Path, bot: ScriptedBot, interval: float = 0.1, exchange: Any = None, push: Any = None,
    **more: Any,
) -> AsyncIterator[tuple[Supervisor, RecordingHub, SqliteJournal]]:  # fmt: skip
    """Run one worker on the journal in this file."""
    journal = SqliteJournal(path)
    await journal.open()
    polling = PollSettings(f"{bot.url}/status", f"{bot.url}/trades", interval, timeout=1.0, fallback=0.3, quiet=0.3)
    async with aiohttp.ClientSession() as session:
        hub = RecordingHub(await journal.head())
        watch = Supervisor(Upstreams(session, polling, exchange, push), journal, cast(Hub, hub), MemoryCache(), **more)
        await watch.start()
        try:
            yield watch, hub, journal
        finally:
            await watch.stop()
            await journal.close()
