"""A browser's EventSource: what the WHATWG rules make of a stream, and nothing kinder."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import re
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from tests.support.eventually import eventually

LINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Message:
    """One event as a page would see it; `at` is time.monotonic() when its blank line came."""

    name: str
    data: str
    last_id: str
    at: float

    def json(self) -> Any:
        """The data, parsed."""
        return json.loads(self.data)


class Parser:
    """The stream's grammar, without a socket: text in, messages out."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry: float | None = None  # seconds
        self.comments = 0
        self.restart()

    def restart(self) -> None:
        """Drop a half-received event, as the end of a connection does; the last id and retry stay."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._first = True
        self._name, self._data, self._id = "", list[str](), self.last_id

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that these bytes completed."""
        text = self._decoder.decode(chunk)
        if self._first and text:
            self._first = False
            text = text.removeprefix("\ufeff")
        text = self._rest + text
        # a CR at the very end may be half of a CRLF: it waits for the next bytes
        kept = text.endswith("\r")
        *lines, self._rest = LINE.split(text[:-1] if kept else text)
        self._rest += "\r" if kept else ""
        return [message for line in lines if (message := self._line(line)) is not None]

    def _line(self, line: str) -> Message | None:
        if not line:
            return self._dispatch()
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not key:
            self.comments += 1
        elif key == "data":
            self._data.append(value)
        elif key == "event":
            self._name = value
        elif key == "id" and "\0" not in value:
            self._id = value
        elif key == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value) / 1000
        return None

    def _dispatch(self) -> Message | None:
        # the id counts even when no data came with it: that is what an id-only frame relies on
        self.last_id = self._id
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        return Message(name, "\n".join(data), self.last_id, time.monotonic()) if data else None


@dataclass
class EventSource:
    """`async with EventSource(session, url) as page:` reads until left; only a 200 event stream is ever tried again."""

    session: aiohttp.ClientSession
    url: str
    retry: float = 3.0  # what browsers wait when the server never said
    headers: dict[str, str] = field(default_factory=dict)
    state: Literal["connecting", "open", "closed"] = "connecting"
    why: str = ""  # why it closed
    messages: list[Message] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)  # time.monotonic() of each good answer
    cut: list[float] = field(default_factory=list)  # and of each end

    def __post_init__(self) -> None:
        self.parser = Parser()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.state, self.why = "closed", self.why or "left"

    def named(self, name: str) -> list[Message]:
        """The messages of one event name, in order."""
        return [message for message in self.messages if message.name == name]

    async def saw(self, name: str, count: int = 1, limit: float = 10.0) -> list[Message]:
        """Wait until `count` messages of that name have come; AssertionError after `limit` seconds."""
        await eventually(lambda: len(self.named(name)) >= count, limit)
        return self.named(name)

    def _is_closed(self) -> bool:
        return self.state == "closed"

    async def _run(self) -> None:
        while not self._is_closed():
            self.state = "connecting"
            # a network error is what a browser tries again after
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._connect()
            if not self._is_closed():
                self.cut.append(time.monotonic())
                self.parser.restart()
                self.state = "connecting"
                await asyncio.sleep(self.parser.retry if self.parser.retry is not None else self.retry)

    async def _connect(self) -> None:
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"} | self.headers
        if self.parser.last_id:
            headers["Last-Event-ID"] = self.parser.last_id
        limit = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with self.session.get(self.url, headers=headers, timeout=limit) as answer:
            if answer.status != 200 or answer.content_type != "text/event-stream":
                self.state, self.why = "closed", f"{answer.status} {answer.content_type}"
                return
            self.state = "open"
            self.opened.append(time.monotonic())
            async for chunk in answer.content.iter_any():
                self.messages += self.parser.feed(chunk)
