"""Fair replays: an honest reader is live soon, whatever a hundred others do."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest

from journal.sqlite import SqliteJournal
from tests.support import drafts
from tests.support.apache import apache
from tests.support.fakebot import FakeBot
from tests.support.pages import EPOCH
from tests.support.server import running_server
from tests.support.wire import Serve, Wire, has

ENTRIES = 20_000
HOSTILE = 100
SOON = 1.0  # seconds; about 0.1 on an idle machine, and 81 where a place is held while a page is sent
ALONE = 10  # times as long as a reader without others takes, on a machine that is too busy for a second
LATEST = 5.0  # seconds of the one that comes in the very moment in which all the hostile ones open

Open = Callable[..., Awaitable[Wire]]


async def read_slowly(wire: Wire) -> None:
    """Read one piece of at most 64 KiB now and then, as a bad connection does."""
    while await wire.read():  # noqa: ASYNC110  its slowness is the point
        await asyncio.sleep(2)


@contextlib.asynccontextmanager
async def hostile_readers(open_reader: Open, epoch: str) -> AsyncIterator[None]:
    """A hundred readers that ask for the whole journal: most never read, four read slowly."""
    wires = await asyncio.gather(*(open_reader(cursor=f"{epoch}-0", buffer=4096) for _ in range(HOSTILE)))
    slow = [asyncio.create_task(read_slowly(wire)) for wire in wires[:4]]
    try:
        yield
    finally:
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        for wire in wires:
            wire.close()


async def honest(open_reader: Open, epoch: str, head: int) -> float:
    """Return the seconds until a reader ten entries behind has them all."""
    begun = time.monotonic()
    wire = await open_reader(cursor=f"{epoch}-{head - 10}")
    try:
        await wire.until(has(head), within=60)
        assert wire.seqs == list(range(head - 9, head + 1))
    finally:
        wire.close()
    return time.monotonic() - begun


@dataclass(slots=True)
class Delays:
    """Seconds until an honest reader was live, without other readers and beside hostile ones."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    def assert_soon(self) -> None:
        """Allow a second, or more on a machine that is busy with something else."""
        assert median(self.beside) < max(SOON, ALONE * max(self.alone)), self
        assert max(self.beside) < LATEST, self


async def delays(open_reader: Open, epoch: str, head: int) -> Delays:
    """Measure three honest readers beside the hostile ones, and two alone before and two after them."""
    found = Delays()
    found.alone += [await honest(open_reader, epoch, head) for _ in range(2)]
    async with hostile_readers(open_reader, epoch):
        found.beside += [await honest(open_reader, epoch, head) for _ in range(3)]
    found.alone += [await honest(open_reader, epoch, head) for _ in range(2)]
    return found


async def test_an_honest_reader_is_live_soon(serve: Serve) -> None:
    """Ten entries behind, beside a hundred readers that ask for everything and take nothing."""
    server = await serve(kept=ENTRIES)

    async def open_reader(**options: str | int) -> Wire:
        return await server.open("trades", **options)

    found = await delays(open_reader, EPOCH, ENTRIES)
    found.assert_soon()


async def fill(file: Path) -> tuple[str, int]:
    """Write a journal of many trades; return its epoch and head."""
    journal = SqliteJournal(file)
    await journal.open()
    for start in range(0, ENTRIES, 2000):
        await journal.append([drafts.trade(at=number, trade_id=f"t{number}") for number in range(start, start + 2000)])
    place = journal.epoch, await journal.head()
    await journal.close()
    return place


@pytest.mark.slow
@pytest.mark.apache
@pytest.mark.parametrize("through", ["directly", "Apache"])
async def test_an_honest_reader_of_the_service_is_live_soon(tmp_path: Path, through: str) -> None:
    """The same with the whole service and SQLite; through Apache all readers are of one network."""
    epoch, head = await fill(tmp_path / "journal.db")
    with FakeBot() as bot, running_server(tmp_path, **bot.settings) as server:
        async with contextlib.AsyncExitStack() as stack:
            port = server.port
            if through == "Apache":
                port = (await stack.enter_async_context(apache({"PI_BACKEND": f"127.0.0.1:{port}"}))).port

            async def open_reader(cursor: str | None = None, buffer: int = 0) -> Wire:
                return await Wire.open(port, "/api/python/sse/trades", cursor=cursor, buffer=buffer)

            found = await delays(open_reader, epoch, head)
            replays = (await asyncio.to_thread(server.get, "/sse/stats")).json()["replays"]
    found.assert_soon()
    assert set(replays) == {"running", "waiting"}
