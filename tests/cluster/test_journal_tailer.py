"""Entries in order, each once, whoever brings them; what is missing is read from the journal."""

import asyncio
from contextlib import suppress
from decimal import Decimal

from cluster.component_health import ComponentHealth
from cluster.journal_tailer import JournalTailer
from journal.entries import Entry
from journal.errors import JournalUnavailable
from tests.support.eventually import eventually


def entry(seq: int) -> Entry:
    """One place in the journal."""
    return Entry(seq, "trade", Decimal(seq), "T", "bot_live", str(seq))


class Shelf:
    """As much of a journal as a feed reads."""

    def __init__(self) -> None:
        self.head = 0
        self.reads = 0
        self.away = False

    async def read(self, after: int, limit: int) -> list[Entry]:
        """Entries after a seq."""
        self.reads += 1
        if self.away:
            raise JournalUnavailable("away")
        return [entry(seq) for seq in range(after + 1, min(self.head, after + limit) + 1)]


def feed(shelf: Shelf, tail: float = 60.0) -> tuple[JournalTailer, list[int]]:
    """With a listener that notes seqs."""
    heard: list[int] = []
    found = JournalTailer(shelf, 0, ComponentHealth("feed"), lambda: tail)  # type: ignore[arg-type]
    found.listen(lambda entries: heard.extend(each.seq for each in entries))
    return found, heard


def test_what_joins_is_handed_on_at_once() -> None:
    """Without a loop; what is known is dropped, what does not join waits for the journal."""
    it, heard = feed(Shelf())
    it.offer([entry(1), entry(2)])
    it.offer([entry(2), entry(3)])
    it.offer([entry(5)])
    it.offer([entry(1)])
    assert heard == [1, 2, 3]


async def test_a_hole_is_read_from_the_journal() -> None:
    """At once, in pages; meanwhile offers go on."""
    shelf = Shelf()
    it, heard = feed(shelf)
    task = asyncio.create_task(it.run())
    shelf.head = 1203
    it.offer([entry(1203)])
    await eventually(lambda: len(heard) == 1203)
    it.offer([entry(1204)])
    assert heard == list(range(1, 1205))
    assert shelf.reads <= 4
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_the_tail_is_followed_and_an_outage_survived() -> None:
    """Nobody brings news: the journal's end is looked at; while it is away health says so."""
    shelf = Shelf()
    it, heard = feed(shelf, tail=0.02)
    task = asyncio.create_task(it.run())
    shelf.head = 2
    await eventually(lambda: heard == [1, 2])
    shelf.away = True
    await eventually(lambda: it.health.state == "degraded")
    shelf.away, shelf.head = False, 3
    await eventually(lambda: heard == [1, 2, 3])
    assert it.health.state == "ok"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
