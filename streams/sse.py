"""The stream endpoints: ASGI applications that send one reader its events until it leaves or its stream must end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from logging import getLogger
from typing import Final

from journal.base import Journal
from streams.event import find_cursor
from streams.hub import Hub
from streams.keepalive import Keepalive, KeepaliveSettings
from streams.replay import ReplayQueue
from streams.stats import client_network
from streams.stream_body import StreamBody
from streams.subscriber import EAGER_TASKS, AsgiSend, Message, ReaderStalled, SendQueue, Subscriber, Wants, start

log = getLogger(__name__)

Receive = Callable[[], Awaitable[Message]]

HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]
# Options of the listening socket, which connections inherit: without them the kernel holds 3.7 MB for a reader that
# does not read, and such a connection lasts until TCP gives up after 15 minutes.
SEND_BUFFER: Final = 128 * 1024  # bytes
UNACKNOWLEDGED_SECONDS: Final = 15  # after which the kernel ends a connection that takes nothing
CUT_SECONDS: Final = 5.0  # that a stalled connection gets to be closed by the kernel before we give it up
LAST: Final = {"type": "http.response.body", "body": b"", "more_body": False}


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Intervals and bounds of a stream.

    queue_events, queue_bytes: what may wait for one reader. stall: seconds that one write may take.
    """

    keepalive: KeepaliveSettings = KeepaliveSettings()
    queue_events: int = 1000
    queue_bytes: int = 4 * 1024 * 1024
    stall: float = 20.0
    headers: Sequence[tuple[bytes, bytes]] = ()  # sent besides HEADERS
    eager: bool = EAGER_TASKS


def event_streams(hub: Hub, journal: Journal, limits: StreamLimits | None = None) -> dict[str, "EventStream"]:
    """Return the four streams by name: trading, trades, portfolio, status. They share one queue of replays."""
    replays = ReplayQueue(journal, hub.stats)
    kinds = {
        "trading": Wants(entries=True, status=True), "trades": Wants(entries=True, status=False),
        "portfolio": Wants(entries=True, status=False), "status": Wants(entries=False, status=True),
    }  # fmt: skip
    return {name: EventStream(hub, replays, name, wants, limits or StreamLimits()) for name, wants in kinds.items()}


@dataclass(frozen=True, slots=True)
class EventStream:
    """An ASGI application that serves one kind of stream. Route it for GET and HEAD."""

    hub: Hub
    replays: ReplayQueue
    name: str
    wants: Wants
    limits: StreamLimits

    async def __call__(self, scope: Message, receive: Receive, send: AsgiSend) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *self.limits.headers]})
        if scope["method"] == "HEAD":
            await send(LAST)
            return
        limits, queue = self.limits, SendQueue(self.limits.queue_events, self.limits.queue_bytes)
        reader = Subscriber(
            self.name, self.wants, client_network(scope), self.hub.clock(), queue, send, limits.stall, limits.eager
        )
        cursor = find_cursor(scope["headers"], scope["query_string"]) if self.wants.entries else None
        body = StreamBody(self.hub, self.replays, reader, Keepalive(limits.keepalive, self.hub.clock()), cursor)
        listener = start(_leave_on_disconnect(receive, reader))
        try:
            finished = await self._send_all(body, reader)
            if not finished and reader.ended == "slow":  # a process that stops does not wait
                await asyncio.wait([listener], timeout=CUT_SECONDS)
        finally:
            listener.cancel()
            await asyncio.wait([listener])

    async def _send_all(self, body: StreamBody, reader: Subscriber) -> bool:
        """Send the chunks of a stream, of which nothing is left in the hub afterwards.

        Return False if the connection stopped taking bytes.
        """
        chunks = body.chunks()
        try:
            async for chunk in chunks:
                await reader.write(chunk.message)
                self.hub.stats.record(chunk, self.hub.clock())
            if not reader.left:
                await reader.write(LAST)
        except ReaderStalled:
            self.hub.stats.stalled += 1
            return False
        except OSError:  # the reader has left (ASGI 2.4)
            reader.leave()
        finally:
            await chunks.aclose()
            reader.close()
        return True


async def _leave_on_disconnect(receive: Receive, reader: Subscriber) -> None:
    """Read from the connection until its client has left."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except Exception as error:  # noqa: BLE001  then the next write fails
        log.warning("stream %s: its connection cannot be watched: %r", reader.name, error)
        return
    reader.leave()
