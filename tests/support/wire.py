"""A real uvicorn in this loop that serves the streams, and readers on raw sockets, so that they can misbehave."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self, cast

import uvicorn

from journal.base import Journal
from streams.hub import Hub
from streams.sse import EventStream, Receive, StreamLimits, event_streams
from streams.subscriber import AsgiSend
from tests.support.eventsource import Message, Parser
from tests.support.eventually import eventually
from tests.support.pages import EPOCH, Pages, trades


class Wire:
    """One reader's connection: what it was sent, parsed as a browser would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._parser = Parser()
        self.head = b""
        self.body = b""
        self.messages: list[Message] = []
        self.ended = False  # by a clean last chunk

    @classmethod
    async def open(cls, port: int, path: str, method: str = "GET", cursor: str | None = None, buffer: int = 0) -> Self:
        """Ask for a stream. buffer: bytes that our side of the socket takes, small for one that will stall."""
        sock = socket.socket()
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=1024 if buffer else 1 << 20)
        header = "" if cursor is None else f"Last-Event-ID: {cursor}\r\n"
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n".encode("latin-1"))
        wire = cls(reader, writer)
        wire.head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        return wire

    async def read(self) -> bool:
        """The next chunk; False at the end."""
        try:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            data = (await self._reader.readexactly(size + 2))[:-2]
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        self.ended = size == 0
        self.body += data
        self.messages += self._parser.feed(data)
        return size > 0

    async def until(self, fact: Callable[["Wire"], object], within: float = 5.0) -> "Wire":
        """Read until the fact holds; AssertionError when the stream ends or the time is over before."""
        async with asyncio.timeout(within):
            while not fact(self):
                assert await self.read(), f"the stream ended: {self.body[-300:]!r}"
        return self

    async def all(self, within: float = 5.0) -> "Wire":
        """Read to the end."""
        async with asyncio.timeout(within):
            while await self.read():
                pass
        return self

    @property
    def seqs(self) -> list[int]:
        """The seqs of all entries that came, in the order they came."""
        return [int(part.split(b",")[0]) for part in self.body.split(b'"seq":')[1:]]

    def named(self, name: str) -> list[str]:
        """The data of all events of that name."""
        return [message.data for message in self.messages if message.name == name]

    @property
    def cursor(self) -> str:
        """The last id, as a browser would send it back."""
        return self._parser.last_id

    def close(self) -> None:
        """Leave, without a word."""
        self._writer.transport.abort()


class Served:
    """The streams of a hub behind a real server."""

    def __init__(self, hub: Hub, pages: Pages, limits: StreamLimits) -> None:
        self.hub = hub
        self.pages = pages
        self.limits = limits
        self.port = 0
        self.wires: list[Wire] = []
        self._streams: dict[str, EventStream] = event_streams(hub, cast(Journal, pages), limits)

    async def app(self, scope: dict[str, Any], receive: Receive, send: AsgiSend) -> None:
        """/trading, /trades, /portfolio, /status."""
        await self._streams[scope["path"].strip("/")](scope, receive, send)

    async def open(self, name: str, **options: Any) -> Wire:
        """A reader of that stream."""
        wire = await Wire.open(self.port, f"/{name}", **options)
        self.wires.append(wire)
        return wire

    def publish(self, count: int = 1) -> None:
        """Write so many further trades and announce them."""
        new = trades(self.hub.position + 1, self.hub.position + count)
        self.pages.entries += new
        self.hub.publish(new)

    async def empty(self) -> None:
        """Until no stream is left."""
        await eventually(lambda: not list(self.hub.subscribers), every=0.002)


@contextlib.asynccontextmanager
async def served(
    limits: StreamLimits, kept: int = 0, max_streams: int = 1000, http: str = "httptools"
) -> AsyncIterator[Served]:
    """A server whose journal holds so many trades; all is closed at the end."""
    pages = Pages(trades(1, kept))
    one = Served(Hub(EPOCH, kept, max_streams), pages, limits)
    config = uvicorn.Config(one.app, port=0, log_level="warning", lifespan="off", interface="asgi3", http=http)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    listener = server.servers[0].sockets[0]
    # Accepted sockets inherit it: a reader that does not read is felt after some KB instead of some MB.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    one.port = listener.getsockname()[1]
    try:
        yield one
    finally:
        for wire in one.wires:
            wire.close()
        await one.empty()
        await eventually(lambda: not server.server_state.connections, every=0.002)
        for listening in server.servers:  # server.shutdown() would sleep a tenth of a second first
            listening.close()
            await listening.wait_closed()


Serve = Callable[..., Awaitable[Served]]


def has(last: int) -> Callable[[Wire], bool]:
    """Return True if the entry with this seq has arrived."""
    return lambda wire: bool(wire.seqs) and wire.seqs[-1] >= last
