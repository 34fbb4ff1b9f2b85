"""Entries of a journal, read and encoded once and sent to every reader: the bytes of a resume without any service."""

import os
from typing import Any

from journal.sqlite import SqliteJournal
from streams.event import Chunk

PART = 500  # entries a write
HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
chunks: list[Chunk] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Send every entry, then wait until the client leaves."""
    if scope["type"] == "lifespan":
        await read_chunks()
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send(HEAD)
    for chunk in chunks:
        await send(chunk.message)
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_chunks() -> None:
    """Read and encode the whole journal."""
    journal = SqliteJournal(os.environ["JOURNAL_FILE"])
    await journal.open()
    for after in range(0, await journal.head(), PART):
        chunks.append(Chunk.of_entries(await journal.read(after, PART), journal.epoch))
    await journal.close()
