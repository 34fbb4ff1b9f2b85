"""Bounds of one HTTP connection that `python server.py` accepts: bytes, lines and seconds before a request is whole.

uvicorn bounds neither the size of a header block nor the time until it is complete.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from cache.decimal_json import dumps
from routes.problems import MEANINGS, MEDIA_TYPE, basic_members, phrase

END: Final = b"\r\n\r\n"
LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)

PIPELINED: Final = "too many requests at once"  # the detail of a 400 here; other statuses have their one meaning


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Bounds of a request. The seconds count from its first byte, or from the start of the connection."""

    head_bytes: int = 16 * 1024
    head_lines: int = 100
    body_bytes: int = 64 * 1024
    pipelined: int = 16  # requests in one packet
    head_seconds: float = 10.0
    body_seconds: float = 10.0


class RequestMeter:
    """Follow the bytes of one connection and decide which of them are too many."""

    __slots__ = ("_body_left", "_head", "limits", "requests")

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits
        self.requests = 0  # heads that were complete
        self._head = b""  # of the request that is not complete
        self._body_left = 0  # bytes

    @property
    def waits_for(self) -> str:
        """Return head or body while part of a request is missing; empty between requests."""
        return "body" if self._body_left else "head" if self._head else ""

    def feed(self, data: bytes) -> int:
        """Take the next bytes. Return 0, or the status with which the connection must end."""
        most = self.requests + self.limits.pipelined
        while data:
            if self._body_left:
                taken = min(self._body_left, len(data))
                self._body_left, data = self._body_left - taken, data[taken:]
                continue
            start = len(self._head)
            self._head = (self._head + data).lstrip(b"\r\n") if start == 0 else self._head + data
            end = self._head.find(END, max(0, start - 3))
            head = self._head if end < 0 else self._head[: end + 4]
            if len(head) > self.limits.head_bytes or head.count(b"\n") > self.limits.head_lines + 2:
                return 431
            if end < 0:
                return 0
            data, self._head = self._head[end + 4 :], b""
            self.requests += 1
            if status := self._begin_body(head):
                return status
            if self.requests > most:
                return 400
        return 0

    def _begin_body(self, head: bytes) -> int:
        if CHUNKED.search(head):
            return 411
        length = LENGTH.search(head)
        self._body_left = int(length[1]) if length else 0
        return 413 if self._body_left > self.limits.body_bytes else 0


class LimitedHttpProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's protocol, which ends a connection that sends too much, or too slowly; overrides asyncio's methods."""

    __slots__ = ("__meter", "__phase", "__timer", "__transport")  # in a dictionary: 1.5 KB a connection

    limits = RequestLimits()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.__transport, self.__meter = transport, RequestMeter(self.limits)
        self.__phase = "head"
        self.__timer = self.__start_timer(self.limits.head_seconds)

    def data_received(self, data: bytes) -> None:
        if self.__transport.is_closing():
            return
        fresh = self.__meter.requests == 0
        if status := self.__meter.feed(data):
            self.__refuse(status if fresh else 0)
            return
        if (phase := self.__meter.waits_for) != self.__phase:
            self.__stop_timer()
            self.__phase = phase
            if phase:
                seconds = self.limits.head_seconds if phase == "head" else self.limits.body_seconds
                self.__timer = self.__start_timer(seconds)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.__stop_timer()
        super().connection_lost(exc)

    def abort_unsent(self) -> None:
        """Close at once if the client has not taken what was written to it."""
        if self.__transport.get_write_buffer_size():
            self.__transport.abort()

    def __start_timer(self, seconds: float) -> asyncio.TimerHandle | None:
        return asyncio.get_running_loop().call_later(seconds, self.__time_out)

    def __stop_timer(self) -> None:
        if self.__timer is not None:
            self.__timer.cancel()
            self.__timer = None

    def __time_out(self) -> None:
        self.__refuse(408 if self.__meter.requests == 0 and self.__meter.waits_for else 0)

    def __refuse(self, status: int) -> None:
        """End the connection; status 0 where a response may have begun, which bytes of ours would spoil."""
        self.__stop_timer()
        if status:
            self.__transport.write(_problem(status))
        self.__transport.close()


def _problem(status: int) -> bytes:
    """Return the problem of a status as a whole response."""
    body = dumps(basic_members(status, PIPELINED if status == 400 else MEANINGS[status]))
    head = (
        f"HTTP/1.1 {status} {phrase(status)}\r\nconnection: close\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"cache-control: no-store\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return f"{head}{body}".encode()
