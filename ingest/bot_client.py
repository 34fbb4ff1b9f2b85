"""The bot over HTTP: one poll of its status and its trades, or the trades after a number."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from ingest.bot_payload import BotReport, BotResponseError, read_trades
from ingest.bot_status import BotStatusReading, read_status
from kalshi.transport import connection_failure, read_body

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
        self._session, self._clock, self._timeout = session, clock, settings.timeout
        self._status_url, self._trades_url = URL(settings.status_url), URL(settings.trades_url)
        self._health_url: URL | None = None  # known once /status has answered 404
        self._last: tuple[bytes, BotReport] | None = None  # the same body is not parsed twice

    async def poll(self) -> PollResult:
        """Request status and trades at once. Never raises: a failure stands in the result."""
        asked = self._clock()
        (reading, no_status), (report, no_trades) = await asyncio.gather(_tried(self._status), _tried(self._trades))
        trouble = "; ".join(f"{name}: {why}" for name, why in (("status", no_status), ("trades", no_trades)) if why)
        if no_status and str(no_status) == str(no_trades):
            trouble = str(no_status)
        too_large, has_no_status = isinstance(no_trades, BotResponseTooLarge), isinstance(no_status, BotUrlNotFound)
        return PollResult(asked, reading, report, trouble, too_large, has_no_status)

    async def after(self, seq: int, wait: float) -> BotReport:
        """Return the trades after the bot's number seq; it may wait for them (seconds). Raises BotResponseError."""
        query = {"after": str(seq), "limit": "1000", "wait": f"{wait:g}"}
        body = await self._body(self._trades_url.update_query(query), self._timeout + wait)
        return read_trades(_parse_json(body), self._clock())

    async def _status(self) -> BotStatusReading:
        known, self._health_url = self._health_url, None
        # After any failure /status is requested first again: the bot may come back as another version.
        if known is None:
            try:
                return read_status(_parse_json(await self._body(self._status_url, self._timeout)))
            except BotUrlNotFound:
                url = self._status_url
                known = url.with_name("health") if url.name else url.with_path(f"{url.path.rstrip('/')}/health")
        reading = read_status(_parse_json(await self._body(known, self._timeout)))
        self._health_url = known
        return reading

    async def _trades(self) -> BotReport:
        body = await self._body(self._trades_url, self._timeout)
        if self._last is None or self._last[0] != body:
            self._last = body, read_trades(_parse_json(body), self._clock())
        return self._last[1]

    async def _body(self, url: URL, seconds: float) -> bytes:
        """Return the whole body of a 200 response, decompressed. Raises BotResponseError for any other."""
        try:
            # One limit over everything: aiohttp's own read limit starts anew with each byte of a slow response.
            async with (
                asyncio.timeout(seconds),
                self._session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
            ):
                if response.status == 404:
                    raise BotUrlNotFound("HTTP 404")
                if response.status != 200:
                    redirect = ": redirects are not followed" if 300 <= response.status < 400 else ""
                    raise BotResponseError(f"HTTP {response.status}{redirect}")
                body = await read_body(response, MAX_BYTES)
        except TimeoutError:
            raise BotResponseError(f"no whole answer within {seconds:g} s") from None
        except aiohttp.ClientError as error:
            # Without the bot's address, which readers of bot_status need not see.
            raise BotResponseError(connection_failure(error, with_place=False)) from None
        if body is None:
            raise BotResponseTooLarge(f"larger than {MAX_BYTES // 1000} kB")
        return body


def _parse_json(body: bytes) -> Any:
    """Return the JSON value of a body, its numbers exact. Raises BotResponseError."""
    try:
        # Python writes NaN for a missing number: only the field that holds it is unreadable.
        return json.loads(body, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise BotResponseError("HTML instead of JSON" if body.lstrip()[:1] == b"<" else "not whole JSON") from None


async def _tried(request: Callable[[], Awaitable[T]]) -> tuple[T | None, BotResponseError | None]:
    try:
        return await request(), None
    except BotResponseError as error:
        return None, error
