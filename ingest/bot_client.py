"""HTTP client of the bot: its status and its trades, each within its own time limit, with stable texts for failures."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from ingest.bot_payload import BotReport, read_trades
from ingest.bot_status import BotStatusReading, read_status
from ingest.payload_fields import BotResponseError

T = TypeVar("T")
MAX_BYTES: Final = 1_000_000  # of one body, decompressed


class BotUrlNotFound(BotResponseError):
    """The bot answers 404 for this URL."""


class BotResponseTooLarge(BotResponseError):
    """A response was over the size limit; its content was not read."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """URLs of the bot, and how often bot and exchange are read (seconds)."""

    status_url: str
    trades_url: str
    interval: float = 3.0
    timeout: float = 2.5  # for each response, from connect to last byte
    fallback: float = 10.0  # between two readings of the exchange's fills while the bot is offline
    quiet: float = 30.0  # and while it is online


@dataclass(frozen=True, slots=True)
class PollResult:
    """One poll of the bot. Trades that were read count even if its status could not be read."""

    asked: float  # Unix seconds before the first byte was sent
    reading: BotStatusReading | None = None
    report: BotReport | None = None
    trouble: str = ""  # why reading or report is missing
    too_large: bool = False
    has_no_status: bool = False  # 404 on the status URL and on its /health

    @property
    def good(self) -> bool:
        """Return True if both responses were read."""
        return self.reading is not None and self.report is not None


class BotClient:
    """The bot's two URLs over the shared session."""

    def __init__(
        self, session: aiohttp.ClientSession, settings: PollSettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._session = session
        self._status_url, self._trades_url = URL(settings.status_url), URL(settings.trades_url)
        self._timeout = settings.timeout
        self._clock = clock
        self._health_url: URL | None = None  # known once /status has answered 404
        self._last: tuple[bytes, BotReport] | None = None  # the same body is not parsed twice

    async def poll(self) -> PollResult:
        """Request status and trades at once. Never raises: a failure stands in the result."""
        asked = self._clock()
        reading, report = await asyncio.gather(_result_or_error(self._status), _result_or_error(self._trades))
        troubles = {
            name: str(error)
            for name, error in (("status", reading), ("trades", report))
            if isinstance(error, BotResponseError)
        }
        return PollResult(
            asked,
            None if isinstance(reading, BotResponseError) else reading,
            None if isinstance(report, BotResponseError) else report,
            _summary(troubles),
            isinstance(report, BotResponseTooLarge),
            isinstance(reading, BotUrlNotFound),
        )

    async def after(self, seq: int, wait: float) -> BotReport:
        """Return the trades after the bot's number seq; it may hold its response back for `wait` seconds.

        Raises BotResponseError.
        """
        query = {"after": str(seq), "limit": "1000", "wait": f"{wait:g}"}
        body = await self._body(self._trades_url.update_query(query), self._timeout + wait)
        return read_trades(parse_json(body), self._clock())

    async def _status(self) -> BotStatusReading:
        known, self._health_url = self._health_url, None
        # After any failure /status is requested first again: the bot may come back as another version.
        if known is None:
            try:
                return read_status(parse_json(await self._body(self._status_url)))
            except BotUrlNotFound:
                known = _beside(self._status_url, "health")
        reading = read_status(parse_json(await self._body(known)))
        self._health_url = known
        return reading

    async def _trades(self) -> BotReport:
        body = await self._body(self._trades_url)
        if self._last is None or self._last[0] != body:
            self._last = body, read_trades(parse_json(body), self._clock())
        return self._last[1]

    async def _body(self, url: URL, timeout: float | None = None) -> bytes:
        seconds = self._timeout if timeout is None else timeout
        try:
            # One limit over everything: aiohttp's own read limit starts anew with each byte of a slow response.
            async with (
                asyncio.timeout(seconds),
                self._session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
            ):
                return await _read_body(response)
        except TimeoutError:
            raise BotResponseError(f"no whole answer within {seconds:g} s") from None
        except aiohttp.ClientError as error:
            raise BotResponseError(failure_text(error)) from None


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body of a 200 response, decompressed. Raises BotResponseError for any other."""
    if response.status == 404:
        raise BotUrlNotFound("HTTP 404")
    if response.status != 200:
        redirect = ": redirects are not followed" if 300 <= response.status < 400 else ""
        raise BotResponseError(f"HTTP {response.status}{redirect}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > MAX_BYTES:
            raise BotResponseTooLarge(f"larger than {MAX_BYTES // 1000} kB")
    return bytes(body)


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body, its numbers exact. Raises BotResponseError."""
    try:
        # Python writes NaN for a missing number: only the field that holds it is unreadable.
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise BotResponseError("HTML instead of JSON" if body.lstrip()[:1] == b"<" else "not whole JSON") from None


def failure_text(error: aiohttp.ClientError) -> str:
    """Return the same text for the same failure: without object addresses, lengths and counters."""
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or type(cause).__name__
        return f"TLS failed ({reason})"
    if isinstance(error, aiohttp.ClientConnectorError):
        # asyncio's own text names the address, which readers of bot_status need not see.
        number = error.os_error.errno
        return f"no connection ({os.strerror(number) if number else type(error.os_error).__name__})"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off or could not be unpacked"
    return f"no HTTP answer ({type(error).__name__})"


def _beside(url: URL, name: str) -> URL:
    """Return url with its last path segment replaced by name."""
    return url.with_name(name) if url.name else url.with_path(f"{url.path.rstrip('/')}/{name}")


def _summary(troubles: Mapping[str, str]) -> str:
    """Return each response's failure, once if both have the same."""
    if len(troubles) == 2 and len(set(troubles.values())) == 1:
        return next(iter(troubles.values()))
    return "; ".join(f"{name}: {why}" for name, why in troubles.items())


async def _result_or_error(request: Callable[[], Awaitable[T]]) -> T | BotResponseError:
    try:
        return await request()
    except BotResponseError as error:
        return error
