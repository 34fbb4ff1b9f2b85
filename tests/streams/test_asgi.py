"""The streams by public ASGI alone, as any server may call them."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from streams.hub import Hub
from streams.keepalive import KeepaliveSettings
from streams.sse import StreamLimits, event_streams
from tests.support.eventually import eventually
from tests.support.pages import EPOCH, Pages, trades

SCOPE = {"type": "http", "method": "GET", "headers": [], "query_string": b"", "client": ("192.0.2.9", 1)}


class Server:
    """A scripted ASGI server: records what is sent; may block, and may raise OSError as for a client that has left."""

    def __init__(self) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.gone = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.broken = False
        self._asked = False

    async def receive(self) -> MutableMapping[str, Any]:
        """The request, then the disconnect."""
        if self._asked:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self._asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """As ASGI's."""
        await self.open.wait()
        if self.broken:
            raise OSError("the client has left")
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        """All that was sent."""
        return b"".join([message.get("body", b"") for message in self.sent])


class Stand:
    """A hub, a stream and a server, running."""

    def __init__(self, **limits: Any) -> None:
        self.hub = Hub(EPOCH, 0)
        self.server = Server()
        streams = event_streams(self.hub, Pages(), StreamLimits(**limits))  # type: ignore[arg-type]
        self.task = asyncio.create_task(streams["trading"](dict(SCOPE), self.server.receive, self.server.send))

    async def live(self) -> None:
        """Wait until the stream has sent its first events."""
        await eventually(lambda: self.server.body)


async def test_entries_are_sent_by_public_asgi() -> None:
    """Any server with receive() and send() will do."""
    stand = Stand()
    await stand.live()
    stand.hub.publish(trades(1, 3))
    await eventually(lambda: b'"seq":3' in stand.server.body)
    stand.server.gone.set()
    await asyncio.wait_for(stand.task, 1)
    assert not list(stand.hub.subscribers)


async def test_a_send_that_raises_ends_the_stream_quietly() -> None:
    """ASGI 2.4 reports a client that has left this way."""
    stand = Stand()
    await stand.live()
    stand.server.broken = True
    stand.hub.publish(trades(1, 1))
    await asyncio.wait_for(stand.task, 1)
    assert stand.hub.stats.ends == {"gone": 1}


async def test_a_send_that_never_returns_is_given_up() -> None:
    """Its slot is free at once; the application returns when the server has closed the connection."""
    stand = Stand(stall=0.05)
    await stand.live()
    stand.server.open.clear()
    stand.hub.publish(trades(1, 1))
    await eventually(lambda: not list(stand.hub.subscribers))
    assert (stand.hub.stats.stalled, stand.hub.stats.ends["slow"]) == (1, 1)
    stand.server.gone.set()
    await asyncio.wait_for(stand.task, 2)


async def test_a_full_queue_that_drains_in_time_still_gets_its_bye() -> None:
    """The reader was slow, not dead: it gets bye, and returns with its cursor."""
    stand = Stand(queue_events=2)
    await stand.live()
    stand.server.open.clear()
    for seq in range(1, 6):
        stand.hub.publish(trades(seq, seq))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    stand.server.open.set()
    await asyncio.wait_for(stand.task, 2)
    assert b'event: bye\ndata: {"reason":"slow"}' in stand.server.body
    assert stand.server.sent[-1]["more_body"] is False
    assert stand.hub.stats.stalled == 0


async def test_shutdown_does_not_wait_for_a_write_that_hangs() -> None:
    """Half a second after the bye even a stalled stream has ended, for any limit of its own."""
    stand = Stand(stall=60)
    await stand.live()
    stand.server.open.clear()
    stand.hub.publish(trades(1, 1))
    await asyncio.sleep(0.01)
    stand.hub.close("shutdown")
    await asyncio.wait_for(stand.task, 0.6)


async def test_a_cancelled_stream_cleans_up() -> None:
    """uvicorn's backstop cancels what does not end."""
    stand = Stand(keepalive=KeepaliveSettings(heartbeat=0.01))
    await stand.live()
    stand.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stand.task
    assert not list(stand.hub.subscribers)
