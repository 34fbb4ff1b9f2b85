"""Requests to a running service as a browser makes them: answers with their times, and streams read for a while."""

import asyncio
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from yarl import URL

from streams.event import GREETING

NOTHING: Final[Mapping[str, str]] = {}
LARGEST: Final = 4 * 1024 * 1024  # bytes of a body that are read
BYE: Final = re.compile(rb'^event: bye\ndata: .*"reason": ?"(\w+)"', re.M)


@dataclass(frozen=True, slots=True)
class ProbedPage:
    """One answer: status, headers (names in small letters), body, and seconds until it was complete.

    status 0: no answer; the body has the reason.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        """Return the body, or its beginning."""
        return self.body[:300].decode("utf-8", "replace").strip()

    @property
    def shown(self) -> str:
        """Return a short description."""
        return f"HTTP {self.status}" if self.status else self.text

    @property
    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body; empty for anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def kind(self) -> str:
        """Return the media type."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def proxy(self) -> str:
        """Return the name of the proxy in front, from its own headers; our server sends none."""
        server = self.headers.get("server", "")
        return self.headers.get("via", "") if server.lower() in ("", "uvicorn") else server


@dataclass(slots=True)
class ProbedStream:
    """One stream: pieces with the seconds at which they came, and the second of its end (None: we closed it)."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    ended: float | None = None
    why: str = ""  # it could not be opened, or broke

    @property
    def text(self) -> bytes:
        """Return all bytes."""
        return b"".join(piece for _, piece in self.pieces)

    @property
    def limited(self) -> bool:
        """Return True if a rate limit refused it: with 429, or with a bye on the stream."""
        return self.status == 429 or self.bye == "busy"

    @property
    def greeted(self) -> bool:
        """Return True if our service itself answered."""
        return GREETING.encode() in self.text

    @property
    def bye(self) -> str:
        """Return the reason of the service's bye; empty without one."""
        found = BYE.search(self.text)
        return found[1].decode() if found else ""


class Probe:
    """All requests of one examination. base: the URL of the API; keys: headers that identify us."""

    def __init__(self, session: aiohttp.ClientSession, base: URL, keys: Mapping[str, str] = NOTHING) -> None:
        self.base = base
        self.keys = keys
        self.limited = 0  # requests that a rate limit refused
        self.proxy = ""  # name of the proxy in front, once an answer has come
        self._session = session

    async def get(
        self, path: str, headers: Mapping[str, str] = NOTHING, limit: float = 5.0, anonymous: bool = False
    ) -> ProbedPage:
        """Send a GET for a path below the base; every wait has a limit."""
        begun = time.monotonic()
        requested = {**({} if anonymous else self.keys), **headers}
        try:
            async with asyncio.timeout(limit), self._open(path, requested) as answer:
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > LARGEST:
                        break
                self.limited += answer.status == 429
                return ProbedPage(answer.status, _small(answer), bytes(body), time.monotonic() - begun)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            why = f"no answer within {limit:g} s" if isinstance(error, TimeoutError) else reason(error)
            return ProbedPage(0, {}, why.encode(), time.monotonic() - begun)

    async def listen(self, path: str, seconds: float, headers: Mapping[str, str] = NOTHING) -> ProbedStream:
        """Read a stream for so many seconds."""
        begun, received = time.monotonic(), ProbedStream()
        requested = {**self.keys, "Accept": "text/event-stream", **headers}
        try:
            async with asyncio.timeout(seconds), self._open(path, requested) as answer:
                received.status, received.headers = answer.status, _small(answer)
                async for piece in answer.content.iter_any():
                    received.pieces.append((time.monotonic() - begun, piece))
                received.ended = time.monotonic() - begun
        except TimeoutError:
            pass  # this is how a stream is left
        except (aiohttp.ClientError, OSError) as error:
            received.ended, received.why = time.monotonic() - begun, reason(error)
        self.limited += received.limited
        return received

    def _open(self, path: str, headers: Mapping[str, str]) -> Any:
        return self._session.get(f"{self.base}{path}", headers=headers, allow_redirects=False)


def _small(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}


def reason(error: Exception) -> str:
    """Return the reason of a failed connection."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate is not good: {error.certificate_error}; --insecure looks past it"
        case aiohttp.ClientConnectorDNSError():
            return f"no host is named {error.host}"
        case aiohttp.ClientSSLError():
            return f"port {error.port} of {error.host} does not speak TLS as it should: {error.strerror or error}"
        case aiohttp.ClientConnectorError():
            return f"nothing answers at {error.host} port {error.port}: {error.strerror or error}"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without an answer"
        case aiohttp.ClientResponseError():
            return f"what came is not HTTP: {error.message.splitlines()[0] if error.message else error}"
    return str(error) or type(error).__name__
