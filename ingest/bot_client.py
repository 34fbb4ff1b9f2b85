"""HTTP client of the bot: its status and its trades, each within its own time limit."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from yarl import URL

from ingest.bot_payload import BotReport, read_trades
from ingest.bot_response import failure_text, parse_json, read_body
from ingest.bot_status_payload import BotStatusReading, read_status
from ingest.errors import BotRequestError, BotResponseTooLarge, BotStatusUnreadable, BotUrlNotFound, UnreadableRecord

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PollSettings:
    """URLs of the bot, and how often bot and exchange are read (seconds)."""

    status_url: str
    trades_url: str
    interval: float = 3.0
    timeout: float = 2.5
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
    """The bot's two URLs over the shared session. timeout: seconds for each response, from connect to last byte."""

    def __init__(
        self, session: aiohttp.ClientSession, status_url: str, trades_url: str,
        timeout: float = 2.5, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._session = session
        self._status_url = URL(status_url)
        self._trades_url = URL(trades_url)
        self._timeout = timeout
        self._clock = clock
        self._health_url: URL | None = None  # known once /status has answered 404
        self._last: tuple[bytes, BotReport] | None = None  # the same body is not parsed twice

    async def poll(self) -> PollResult:
        """Request status and trades at once. Never raises: a failure stands in the result."""
        asked = self._clock()
        reading, body = await asyncio.gather(_try(self._status), _try(lambda: self._body(self._trades_url)))
        report = body if isinstance(body, BotRequestError) else self._report(body)
        answers = (("status", reading), ("trades", report))
        troubles = {name: str(error) for name, error in answers if isinstance(error, BotRequestError)}
        return PollResult(
            asked,
            None if isinstance(reading, BotRequestError) else reading,
            None if isinstance(report, BotRequestError) else report,
            _summary(troubles),
            isinstance(report, BotResponseTooLarge),
            isinstance(reading, BotUrlNotFound),
        )

    async def after(self, seq: int, wait: float) -> BotReport:
        """Return the trades after the bot's number seq; it may hold its response back for `wait` seconds.

        Raises BotRequestError.
        """
        query = {"after": str(seq), "limit": "1000", "wait": f"{wait:g}"}
        body = await self._body(self._trades_url.update_query(query), self._timeout + wait)
        try:
            return read_trades(parse_json(body), self._clock())
        except UnreadableRecord as error:
            raise BotRequestError(str(error)) from None

    async def _status(self) -> BotStatusReading:
        known, self._health_url = self._health_url, None
        if known is not None:
            # After any failure /status is requested first again: the bot may come back as another version.
            reading = _read_status(await self._body(known))
            self._health_url = known
            return reading
        try:
            return _read_status(await self._body(self._status_url))
        except BotUrlNotFound:
            health = _beside(self._status_url, "health")
            reading = _read_status(await self._body(health))
            self._health_url = health
            return reading

    def _report(self, body: bytes) -> BotReport | BotRequestError:
        if self._last is not None and self._last[0] == body:
            return self._last[1]
        try:
            report = read_trades(parse_json(body), self._clock())
        except UnreadableRecord as error:
            return BotRequestError(str(error))
        except BotRequestError as error:
            return error
        self._last = (body, report)
        return report

    async def _body(self, url: URL, timeout: float | None = None) -> bytes:
        seconds = self._timeout if timeout is None else timeout
        try:
            # One limit over everything: aiohttp's own read limit starts anew with each byte of a slow response.
            async with (
                asyncio.timeout(seconds),
                self._session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
            ):
                return await read_body(response)
        except TimeoutError:
            raise BotRequestError(f"no whole answer within {seconds:g} s") from None
        except aiohttp.ClientError as error:
            raise BotRequestError(failure_text(error)) from None


def _beside(url: URL, name: str) -> URL:
    """Return url with its last path segment replaced by name."""
    return url.with_name(name) if url.name else url.with_path(f"{url.path.rstrip('/')}/{name}")


def _read_status(body: bytes) -> BotStatusReading:
    try:
        return read_status(parse_json(body))
    except (UnreadableRecord, BotRequestError) as error:
        raise BotStatusUnreadable(str(error)) from None


def _summary(troubles: Mapping[str, str]) -> str:
    """Return each response's failure, once if both have the same."""
    if len(troubles) == 2 and len(set(troubles.values())) == 1:
        return next(iter(troubles.values()))
    return "; ".join(f"{name}: {why}" for name, why in troubles.items())


async def _try(request: Callable[[], Coroutine[Any, Any, T]]) -> T | BotRequestError:
    try:
        return await request()
    except BotRequestError as error:
        return error
