"""The stream endpoints: raw ASGI apps that write what a reader is told, and notice when it leaves or stalls."""

from dataclasses import dataclass
from typing import Final

from journal.base import Journal
from streams import fast
from streams.cursor import asked
from streams.disconnect import DisconnectListener
from streams.errors import ReaderStalled
from streams.hub import Hub
from streams.keepalive import KeepaliveSettings
from streams.replay import Replays
from streams.send_queue import SendQueue
from streams.step import Message, Receive
from streams.stream_body import StreamBody
from streams.subscriber import AsgiSend, Subscriber, Wants, Way

HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]
SEND_BUFFER: Final = 128 * 1024  # bytes of kernel memory that one reader who does not read may hold
LAST: Final = {"type": "http.response.body", "body": b"", "more_body": False}


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How a stream paces itself and what it may take.

    queue_size, queue_bytes: what may wait for one reader. stall: seconds that one write may take.
    """

    pace: KeepaliveSettings = KeepaliveSettings()
    queue_size: int = 1000
    queue_bytes: int = 4 * 1024 * 1024
    stall: float = 20.0
    way: Way = "auto"


def event_streams(hub: Hub, journal: Journal, limits: StreamLimits | None = None) -> dict[str, "EventStream"]:
    """The four streams by name: trading, trades, portfolio, status. They share the journal's door for replays."""
    replays = Replays(journal)
    kinds = {
        "trading": Wants(entries=True, status=True), "trades": Wants(entries=True, status=False),
        "portfolio": Wants(entries=True, status=False), "status": Wants(entries=False, status=True),
    }  # fmt: skip
    return {name: EventStream(hub, replays, name, wants, limits or StreamLimits()) for name, wants in kinds.items()}


class EventStream:
    """An ASGI app that serves one kind of stream. Route it for GET and HEAD."""

    def __init__(self, hub: Hub, replays: Replays, name: str, wants: Wants, limits: StreamLimits) -> None:
        self._hub = hub
        self._replays = replays
        self._name = name
        self._wants = wants
        self._limits = limits

    async def __call__(self, scope: Message, receive: Receive, send: AsgiSend) -> None:
        """Serve one reader until it leaves or must leave; then nothing of it is left here."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "HEAD":
            await send(LAST)
            return
        # A layer that has done its part with the first message may say so: each is a coroutine in every delivery.
        send = getattr(send, "bare", send)
        fast.bound(receive, SEND_BUFFER)
        reader = self._reader(scope, receive, send)
        cursor = asked(scope["headers"], scope["query_string"]) if self._wants.entries else None
        chunks = StreamBody(self._hub, self._replays, reader, cursor, self._limits.pace).chunks()
        departure = DisconnectListener(receive, reader.gone)
        try:
            departure.step()
            async for chunk in chunks:
                await reader.write(chunk.message)
                self._hub.stats.wrote(chunk, self._hub.clock())
            await reader.write(LAST)
        except ReaderStalled:
            await self._cut(reader, receive)
        except OSError:  # ASGI 2.4: how send() says that the reader has left
            reader.gone()
        finally:
            # A generator that is left at a yield keeps its slot until somebody closes it: here, whatever happened.
            await chunks.aclose()
            departure.close()
            reader.close()

    def _reader(self, scope: Message, receive: Receive, send: AsgiSend) -> Subscriber:
        limits = self._limits
        reader = Subscriber(
            self._name, self._wants, (scope.get("client") or ("",))[0], self._hub.clock(),
            SendQueue(limits.queue_size, limits.queue_bytes), send, limits.stall,
        )  # fmt: skip
        if limits.way in ("auto", "write"):
            reader.direct = fast.pipe(receive)
        if limits.way != "queue" and reader.direct is None and fast.is_uvicorn(receive):
            reader.direct = reader.step
        return reader

    async def _cut(self, reader: Subscriber, receive: Receive) -> None:
        """The reader takes nothing: what its transport holds must go too."""
        self._hub.stats.stalled += 1
        if fast.abort(receive):
            await reader.lost()
