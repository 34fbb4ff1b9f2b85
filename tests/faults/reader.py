"""A page that reads a stream through every cut, and judges each message on the spot by the contract's rules."""

import asyncio
import time
from typing import Any

import aiohttp

from tests.support.eventsource import EventSource, Message

ENTRIES = ("correction", "settlement", "transfer", "gap", "baseline")


class Reader(EventSource):
    """Keeps (seq, id) of all that it was told, the last status, and what broke a rule."""

    def __init__(self, session: aiohttp.ClientSession, url: str, name: str, silence: float | None = None) -> None:
        super().__init__(session, url)
        self.name = name
        self._silence = silence  # seconds after which it connects again: a host that is cut off ends no connection
        self.history: list[tuple[int, str]] = []
        self.first: int | None = None  # seq of the first cursor: what came before is none of ours
        self.position: int | None = None  # seq of the last cursor
        self.status = ""
        self.trades = 0  # how many of all that were trades
        self.heartbeats = 0
        self.findings: list[tuple[str, str]] = []
        self.resets_due = 0  # older backups that were restored and not announced to us yet
        self._hurry = asyncio.Event()
        self._hurry.set()
        self._line: aiohttp.ClientResponse | None = None

    def lose(self) -> None:
        """Lose the network, in the middle of whatever is on the way."""
        if self._line is not None:
            self._line.close()

    @property
    def slow(self) -> bool:
        """Return True if it reads nothing."""
        return not self._hurry.is_set()

    def expect_reset(self) -> None:
        """Take the next `reset` for the announcement of a restored backup: what comes after it is a new history."""
        self.resets_due += 1

    def dawdle(self) -> None:
        """Take nothing more until hurry()."""
        self._hurry.clear()

    def hurry(self) -> None:
        """Read on."""
        self._hurry.set()

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
                await self._hurry.wait()

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
                self._find(kind, f"entry {seq} came where {due} was due")
            self.position = max(seq, self.position or 0)
            self.history.append((seq, str(entry.get("trade_id", ""))))
        if int(cursor.split("-")[1]) != entries[-1]["seq"]:
            self._find("wrong cursor", f"{cursor} on entry {entries[-1]['seq']}")
