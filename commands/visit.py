"""One visit to a running service, as a browser makes it: answers with their times, and streams read for a while."""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: status, headers, body, and seconds until it was whole. status 0: none came, body says why."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


@dataclass(slots=True)
class Listened:
    """What a stream gave: lines with the seconds at which they came, and how it ended (None: we left)."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[float, str]] = field(default_factory=list)
    ended: float | None = None

    @property
    def first(self) -> float | None:
        """Seconds until the first line."""
        return self.lines[0][0] if self.lines else None

    @property
    def events(self) -> list[str]:
        """The names of the events that came."""
        return [line[7:] for _, line in self.lines if line.startswith("event: ")]


class Visit:
    """All requests of one examination. base: the URL with the prefix, without a trailing slash."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str = "") -> None:
        self.base = base
        self._session = session
        # bodies are read as they come, so nothing may be compressed but where a look asks for it
        self._headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})

    async def get(self, path: str, limit: float = 5.0, **headers: str) -> Page:
        """Ask for a path under the base; every wait has a limit."""
        begun = time.monotonic()
        asked = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            async with asyncio.timeout(limit):
                async with self._session.get(
                    self.base + path, headers=asked, allow_redirects=False, auto_decompress=False
                ) as answer:
                    body = await answer.read()
                    found = {name.lower(): value for name, value in answer.headers.items()}
                    return Page(answer.status, found, body, time.monotonic() - begun)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            why = str(error) or f"no answer within {limit:g} s"
            return Page(0, {}, why.encode(), time.monotonic() - begun)

    async def listen(self, path: str, seconds: float, **headers: str) -> Listened:
        """Read a stream for so long."""
        begun, heard = time.monotonic(), Listened()
        asked = {**self._headers, "Accept": "text/event-stream"}
        asked |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            async with asyncio.timeout(seconds):
                async with self._session.get(
                    self.base + path, headers=asked, allow_redirects=False, auto_decompress=False
                ) as answer:
                    heard.status = answer.status
                    heard.headers = {name.lower(): value for name, value in answer.headers.items()}
                    async for raw in answer.content:
                        heard.lines.append((time.monotonic() - begun, raw.decode("utf-8", "replace").rstrip("\n")))
                    heard.ended = time.monotonic() - begun
        except TimeoutError:
            return heard
        except (aiohttp.ClientError, OSError):
            heard.ended = time.monotonic() - begun
        return heard

    async def negotiated(self, limit: float = 5.0) -> str:
        """The HTTP version that a browser would get over TLS; empty for plain HTTP or when it cannot be told."""
        parts = urlsplit(self.base)
        if parts.scheme != "https":
            return ""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the version is asked, not the identity
        context.set_alpn_protocols(["h2", "http/1.1"])
        try:
            async with asyncio.timeout(limit):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=context)
        except OSError:
            return ""
        socket = writer.get_extra_info("ssl_object")
        writer.close()
        return socket.selected_alpn_protocol() or ""
