"""Poll the bot over HTTP on an interval, one poll at a time, and keep a long poll open where the bot offers one."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final, TypeVar

import aiohttp
from yarl import URL

from cluster.component_health import ComponentHealth, wait_for
from ingest.bot_payload import BotReport, BotResponseError, read_trades
from ingest.bot_status import BotStatusReading, read_status
from ingest.trade_intake import TradeIntake, UnreadRecords
from journal.errors import JournalError, LeaseLost
from kalshi.transport import connection_failure, read_body

T = TypeVar("T")
MAX_BYTES: Final = 1_000_000  # of one body, decompressed
LONG_POLL: Final = 20.0  # seconds that the bot is asked to hold a long poll
MAX_PAGES: Final = 20  # of a jump in the bot's numbers, 1 000 trades each; beyond that the exchange must fill the gap


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


class Poller:
    """Updates the intake and the bot's status. on_poll(True): the status changed; on_poll(False): a poll is over."""

    def __init__(
        self, client: BotClient, intake: TradeIntake, on_poll: Callable[[bool], None], health: ComponentHealth,
        interval: float,
    ) -> None:  # fmt: skip
        self._client, self._intake, self._bot = client, intake, intake.attribution.bot
        self._on_poll, self._interval = on_poll, interval
        self._wake = asyncio.Event()
        self._next = asyncio.Event()  # a new one with each poll that begins; set when the poll after that is over
        self._was_too_large = False  # one gap for a whole run of responses over the limit
        self._offers_long_poll = asyncio.Event()  # the bot numbers its trades, so it can be asked for later ones
        self._boot = ""  # the life of the bot that those numbers belong to
        self.health = health
        self.polled_at = 0.0  # Unix seconds at which the last good poll began whose trades are all written
        self.unread = UnreadRecords()

    async def run(self) -> None:
        """Poll at start and then every interval; a poll that took longer skips the turns that it missed."""
        due = time.monotonic()
        while True:
            self._wake.clear()
            await self.poll_once()
            now = time.monotonic()
            due += self._interval * max(1, -(-(now - due) // self._interval))
            await wait_for(self._wake, due - now)
            due = time.monotonic() if self._wake.is_set() else due

    def wake(self) -> asyncio.Event:
        """Poll now. The returned event is set when the next poll to begin is over."""
        self._wake.set()
        return self._next

    async def poll_once(self) -> None:
        """Make one poll and one commit. Raises LeaseLost."""
        over, self._next = self._next, asyncio.Event()
        try:
            poll = await self._with_missing_pages(await self._client.poll())
            if self._take(poll):
                self._on_poll(True)  # a change of status does not wait for the journal
            # What is not written cannot be shown, so it does not make what is shown any younger.
            if await self._flush() and poll.good:
                self.polled_at = poll.asked
            self._on_poll(False)
        finally:
            over.set()

    async def long_poll(self) -> None:
        """Receive each trade as the bot makes it, while the bot offers a long poll. The interval polls go on."""
        while True:
            await self._offers_long_poll.wait()
            began, seq = time.monotonic(), self._intake.window.run.seq
            try:
                report = await self._client.after(seq or 0, LONG_POLL)
            except BotResponseError:
                self._offers_long_poll.clear()  # the next good poll sets it again
                continue
            if report.trades and self._intake.take_news(report, self._boot, self._bot.mode):
                self.health.counters["heard"] += len(report.trades)
                await self._flush()
            elif time.monotonic() - began < 1.0:
                # The bot does not hold its responses back, or its trades do not join: the interval polls remain.
                self._offers_long_poll.clear()

    async def _with_missing_pages(self, poll: PollResult) -> PollResult:
        """Request from a numbered bot the trades that its numbers show to be missing."""
        window, report = self._intake.window, poll.report
        with suppress(BotResponseError):
            for _ in range(MAX_PAGES):
                if report is None or not (seq := window.missing_after(report, poll.reading)):
                    break
                more = await self._client.after(seq, 0)
                if not more.trades:
                    break
                report = report.with_more(more)
        return replace(poll, report=report)

    def _take(self, poll: PollResult) -> bool:
        """Process a poll and return True if the bot's status changed."""
        self.health.counters["polls"] += 1
        last_window = self._intake.window.run.at
        gap_begins = poll.asked if last_window is None else last_window
        if poll.has_no_status and self._bot.mode is None:
            self._bot.mode = "live"  # it names no other mode
        if poll.report is not None:
            mode = self._bot.mode if poll.reading is None else poll.reading.mode or "live"
            self._intake.take(poll.report, poll.reading, poll.asked, mode)
            if why := self.unread.take(poll.report, time.monotonic()):
                self._intake.add_gap(why, gap_begins)
        if poll.too_large and not self._was_too_large:
            self._intake.add_gap("the bot's answer was too large to be read", gap_begins)
        self._was_too_large = poll.too_large
        if poll.reading is not None and poll.report is not None:
            self._intake.attribution.prefix = poll.reading.order_prefix
            self._boot = poll.reading.boot_id or ""
            if self._boot and poll.reading.seq is not None:
                self._offers_long_poll.set()
            else:
                self._offers_long_poll.clear()
        self._note_health(poll)
        count = len(poll.report.trades) if poll.report is not None else 0
        return self._bot.note(poll.reading if poll.good else None, poll.trouble, count, self.health.clock())

    def _note_health(self, poll: PollResult) -> None:
        if not poll.good:
            self.health.fail(poll.trouble, log_change=False)  # the line on the bot's status names it
        elif self._intake.window.two_bots:
            self.health.fail("two bots answer in turn at BOT_TRADES_ENDPOINT; give each bot a URL of its own")
        elif self.unread.in_window:
            self.health.fail(f"records of the bot cannot be read: {self.unread.in_window}")
        else:
            self.health.succeed(log_change=False)

    async def _flush(self) -> bool:
        try:
            await self._intake.flush()
        except LeaseLost:
            raise
        except JournalError:
            self.health.counters["unkept"] += 1  # the writer's health names the reason; the trades wait
            return False
        return True
