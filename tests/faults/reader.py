"""A reader of a stream that reconnects after every cut and checks each message by the rules of the API."""

import asyncio
import time
from typing import Any

import aiohttp

from tests.support.eventsource import EventSource, Message

ENTRIES = ("correction", "settlement", "transfer", "gap", "baseline")


class Reader(EventSource):
    """Store (seq, id) of all entries received, the last status, and each broken rule."""

    def __init__(self, session: aiohttp.ClientSession, url: str, name: str, silence: float | None = None) -> None:
        super().__init__(session, url)
        self.name = name
        self._silence = silence  # seconds after which it connects again: a host that is cut off ends no connection
        self.history: list[tuple[int, str]] = []
        self.first: int | None = None  # seq of the first cursor: entries before it are not expected
        self.position: int | None = None  # seq of the last cursor
        self.status = ""
        self.trades = 0  # trades received
        self.heartbeats = 0
        self.findings: list[tuple[str, str]] = []
        self.resets_due = 0  # restored backups whose reset event has not been received yet
        self._reading = asyncio.Event()
        self._reading.set()
        self._line: aiohttp.ClientResponse | None = None

    def lose(self) -> None:
        """Cut the connection, even within a message."""
        if self._line is not None:
            self._line.close()

    @property
    def slow(self) -> bool:
        """Return True while reading is stopped."""
        return not self._reading.is_set()

    def expect_reset(self) -> None:
        """Expect a `reset` event because a backup was restored: a new history begins with it."""
        self.resets_due += 1

    def stop_reading(self) -> None:
        """Read nothing more until resume_reading()."""
        self._reading.clear()

    def resume_reading(self) -> None:
        """Read on."""
        self._reading.set()

    async def _connect(self) -> None:
        headers = {"Accept": "text/event-stream"}
        if self.parser.last_id:
            headers["Last-Event-ID"] = self.parser.last_id
        limit = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=self._silence)
        async with self.session.get(self.url, headers=headers, timeout=limit) as answer:
            if answer.status != 200 or answer.content_type != "text/event-stream":
                self.state, self.why = "closed", f"{answer.status} {answer.content_type}"
                self._find("closed for ever", self.why)
                return
            self.state, self._line = "open", answer
            self.opened.append(time.monotonic())
            while chunk := await answer.content.readany():
                for message in self.parser.feed(chunk):
                    self._take(message)
                await self._reading.wait()

    def _find(self, kind: str, what: str) -> None:
        self.findings.append((kind, what))

    def _take(self, message: Message) -> None:
        name = message.name
        if name == "new_trades":
            body = message.json()
            if body["count"] != len(body["trades"]):
                self._find("wrong count", message.data[:80])
            self._entries(body["trades"], message.last_id)
            self.trades += len(body["trades"])
        elif name in ENTRIES:
            self._entries([message.json()], message.last_id)
        elif name == "heartbeat":
            self.heartbeats += 1
            if self.position is None and message.last_id:
                self._cursor(message.last_id)
            if self.position is not None and message.json()["head"] != message.last_id:
                self._find("wrong cursor", f"heartbeat {message.json()['head']} after {message.last_id}")
        elif name == "bot_status":
            self.status = message.json()["status"]
        elif name == "reset":
            if message.json()["reason"] == "epoch" and self.resets_due:
                self.resets_due, self.first = 0, None
                self.history.clear()
            else:
                self._find("wrong cursor", f"reset: {message.data}")
            self._cursor(message.last_id)

    def _cursor(self, cursor: str) -> None:
        self.position = int(cursor.split("-")[1])
        if self.first is None:
            self.first = self.position

    def _entries(self, entries: list[dict[str, Any]], cursor: str) -> None:
        for entry in entries:
            seq, due = entry["seq"], (self.position or 0) + 1
            if self.position is None:
                self._find("wrong cursor", f"entry {seq} before any cursor")
                self.first, due = seq - 1, seq
            if seq != due:
                kind = "silent gap" if seq > due else "doubled"
                self._find(kind, f"entry {seq} received, expected {due}")
            self.position = max(seq, self.position or 0)
            self.history.append((seq, str(entry.get("trade_id", ""))))
        if int(cursor.split("-")[1]) != entries[-1]["seq"]:
            self._find("wrong cursor", f"{cursor} on entry {entries[-1]['seq']}")
