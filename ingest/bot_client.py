"""Asks the bot: its status and its trades, each in its own time, neither trusted."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from yarl import URL

from ingest.bot_payload import BotReport, BotStatusReading, read_status, read_trades
from ingest.bot_response import read, value, words
from ingest.errors import BotRequestError, BotResponseTooLarge, BotStatusUnreadable, BotUrlNotFound, UnreadableRecord
from journal.entries import Mode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Where the bot answers and how often it is asked (seconds)."""

    status_url: str
    trades_url: str
    interval: float = 3.0
    timeout: float = 2.5
    fallback: float = 10.0  # between two readings of the exchange's fills while the bot is offline
    quiet: float = 30.0  # and while it is online


@dataclass(frozen=True, slots=True)
class PollResult:
    """One look at the bot. Trades that were read count even when its status could not be asked."""

    asked: float  # Unix seconds before the first byte was sent
    reading: BotStatusReading | None = None
    report: BotReport | None = None
    trouble: str = ""  # why reading or report is missing
    too_large: bool = False
    mute: bool = False  # it has no status, or one that says nothing: then it trades live, as far as anybody can know

    @property
    def good(self) -> bool:
        """Both answers were read."""
        return self.reading is not None and self.report is not None


class BotClient:
    """The bot's two URLs over the shared session. timeout: seconds for each answer, from connect to last byte."""

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
        self._last: tuple[bytes, Mode, BotReport] | None = None  # a quiet bot's answer is not read twice

    async def poll(self, mode: Mode) -> PollResult:
        """Ask both at once; mode is what the bot last said it was, for the case that only trades are answered."""
        asked = self._clock()
        reading, trades = await asyncio.gather(_try(self._status), _try(lambda: self._body(self._trades_url)))
        known = None if isinstance(reading, BotRequestError) else reading
        report = trades if isinstance(trades, BotRequestError) else self._report(trades, known.mode if known else mode)
        answers = (("status", reading), ("trades", report))
        troubles = {name: str(why) for name, why in answers if isinstance(why, BotRequestError)}
        window = None if isinstance(report, BotRequestError) else report
        mute = isinstance(reading, BotUrlNotFound | BotStatusUnreadable)
        return PollResult(asked, known, window, _told(troubles), isinstance(report, BotResponseTooLarge), mute)

    async def after(self, seq: int, mode: Mode, wait: float) -> BotReport:
        """What the bot has after this seq; it may hold its answer back for so many seconds. Raises BotRequestError."""
        asked = {"after": str(seq), "limit": "1000", "wait": f"{wait:g}"}
        url = self._trades_url.update_query(asked)
        body = await self._body(url, self._timeout + wait)
        try:
            return read_trades(value(body), mode)
        except UnreadableRecord as wrong:
            raise BotRequestError(str(wrong)) from None

    async def _status(self) -> BotStatusReading:
        known, self._health_url = self._health_url, None
        if known is not None:
            # After any failure /status is asked first again: the bot may come back as another version.
            reading = self._reading(await self._body(known))
            self._health_url = known
            return reading
        try:
            return self._reading(await self._body(self._status_url))
        except BotUrlNotFound:
            health = self._status_url.with_path("/health")
            reading = self._reading(await self._body(health))
            self._health_url = health
            return reading

    def _reading(self, body: bytes) -> BotStatusReading:
        try:
            return read_status(value(body), self._clock())
        except (UnreadableRecord, BotRequestError) as wrong:
            raise BotStatusUnreadable(str(wrong)) from None

    def _report(self, body: bytes, mode: Mode) -> BotReport | BotRequestError:
        if self._last is not None and self._last[:2] == (body, mode):
            return self._last[2]
        try:
            report = read_trades(value(body), mode)
        except UnreadableRecord as wrong:
            return BotRequestError(str(wrong))
        except BotRequestError as wrong:
            return wrong
        self._last = (body, mode, report)
        return report

    async def _body(self, url: URL, timeout: float | None = None) -> bytes:
        seconds = self._timeout if timeout is None else timeout
        try:
            # One limit over everything: aiohttp's own read limit starts anew with each byte of a slow drip.
            async with (
                asyncio.timeout(seconds),
                self._session.get(url, allow_redirects=False, headers={"Accept": "application/json"}) as response,
            ):
                return await read(response)
        except TimeoutError:
            raise BotRequestError(f"no whole answer within {seconds:g} s") from None
        except aiohttp.ClientError as wrong:
            raise BotRequestError(words(wrong)) from None


def _told(troubles: Mapping[str, str]) -> str:
    """What is wrong, by answer; said once when both have the same."""
    if len(troubles) == 2 and len(set(troubles.values())) == 1:
        return next(iter(troubles.values()))
    return "; ".join(f"{name}: {why}" for name, why in troubles.items())


async def _try(ask: Callable[[], Coroutine[Any, Any, T]]) -> T | BotRequestError:
    try:
        return await ask()
    except BotRequestError as trouble:
        return trouble
