"""Polls the bot on an interval, without drift, one poll at a time; and listens, where the bot can tell at once."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cluster.component_health import ComponentHealth
from ingest.bot_client import BotClient, PollResult
from ingest.bot_payload import BotReport, BotStatusReading, joined
from ingest.errors import BotRequestError
from ingest.trade_intake import TradeIntake
from journal.errors import JournalError, LeaseLost

WAIT: Final = 20.0  # seconds that a long poll asks the bot to hold on
TRIES: Final = 4  # polls after which a bot whose status could never be asked trades live, as one that has none
MOST_PAGES: Final = 20  # of a jump in the bot's numbers, a thousand trades each; beyond that the exchange must help


class Poller:
    """Keeps the intake and the bot's status up to date. told is called with each poll: whether the status changed."""

    def __init__(
        self, client: BotClient, intake: TradeIntake, told: Callable[[bool], None], health: ComponentHealth,
        interval: float,
        clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._client = client
        self._intake = intake
        self._origins = intake.origins
        self._bot = intake.origins.bot
        self._told = told
        self._interval = interval
        self._clock = clock
        self._monotonic = monotonic
        self._poke = asyncio.Event()
        self._next = asyncio.Event()  # a new one with each poll that begins; set when the poll after that is over
        self._unheard = 0  # polls in a row in which its status could not be asked
        self._too_large = False  # one hole for a whole episode of answers over the limit
        self._offered = asyncio.Event()  # the bot numbers its trades, so it can be asked for what comes after one
        self._boot = ""  # which life of the bot those numbers belong to
        self.health = health
        self.polled_at = 0.0  # Unix seconds: when the last good poll was asked of which all is kept
        self.skipped: Counter[str] = Counter()  # records that could not be read, by reason, each counted once
        self._unread: Counter[tuple[str, str]] = Counter()  # those of the last window

    async def run(self) -> None:
        """Poll at start and then every interval; a poll that took longer skips the turns that it missed."""
        due = self._monotonic()
        while True:
            self._poke.clear()
            await self.once()
            now = self._monotonic()
            due += self._interval * max(1, -(-(now - due) // self._interval))
            try:
                async with asyncio.timeout(due - now):
                    await self._poke.wait()
            except TimeoutError:
                continue
            due = self._monotonic()

    def poke(self) -> asyncio.Event:
        """Poll now. The event is set when the next poll to begin is over."""
        self._poke.set()
        return self._next

    async def once(self) -> None:
        """One poll, one commit. Raises LeaseLost."""
        over, self._next = self._next, asyncio.Event()
        try:
            poll = await self._completed(await self._client.poll(self._bot.mode))
            known = self.polled_at
            self._take(poll)
            if not await self._flush() and self.polled_at != known:
                # What nobody can be told yet does not make what they have been told any younger.
                self.polled_at = known
                self._told(False)
        finally:
            over.set()

    async def listen(self) -> None:
        """The long poll, while the bot offers one: we hear of a trade as it is made. The poll remains the truth."""
        while True:
            await self._offered.wait()
            began, seq = self._monotonic(), self._intake.window.seq
            try:
                report = await self._client.after(seq or 0, self._bot.mode, WAIT)
            except BotRequestError:
                self._offered.clear()  # the next good poll offers it again; a bad one says why in the bot's status
                continue
            if report.trades and self._intake.take_news(report, self._boot):
                self.health.counters["heard"] += len(report.trades)
                await self._flush()
            elif self._monotonic() - began < 1.0:
                # It does not hold its answers back, or what it told does not join: the poll will do.
                self._offered.clear()

    async def _completed(self, poll: PollResult) -> PollResult:
        """A bot that keeps more than one window shows fills a jump in its numbers by itself."""
        window, report = self._intake.window, poll.report
        for _ in range(MOST_PAGES):
            if report is None or not (seq := window.jumped(report, poll.reading)):
                break
            try:
                more = await self._client.after(seq, self._bot.mode, 0)
            except BotRequestError:
                break
            if not more.trades:
                break
            report = joined(report, more)
        return replace(poll, report=report)

    def _take(self, poll: PollResult) -> None:
        self.health.counters["polls"] += 1
        self._unheard = 0 if poll.reading is not None or poll.mute else self._unheard + 1
        if poll.report is not None and (self._bot.seen or not 0 < self._unheard < TRIES):
            # Of a bot whose status could not be asked yet nobody knows whether it is on paper: so it waits a little.
            self._count(poll.report)
            self._intake.take(poll.report, poll.reading, poll.asked)
        if poll.too_large and not self._too_large:
            self._intake.mistrust("the bot's answer was too large to be read")
        self._too_large = poll.too_large
        if poll.reading is not None and poll.report is not None:
            self.polled_at = poll.asked
            self._origins.prefix = poll.reading.order_prefix
            self._offer(poll.reading)
            self.health.succeed(log_change=False)  # by what is said of the bot
        else:
            self.health.fail(poll.trouble, log_change=False)
        count = len(poll.report.trades) if poll.report is not None else 0
        self._told(self._bot.note(poll.reading if poll.good else None, poll.trouble, count, self._clock()))

    def _count(self, report: BotReport) -> None:
        unread = Counter(report.unread)
        for (_, reason), times in (unread - self._unread).items():
            self.skipped[reason] += times
        self._unread = unread

    def _offer(self, reading: BotStatusReading) -> None:
        if reading.boot_id is not None and reading.seq is not None:
            self._boot = reading.boot_id
            self._offered.set()
        else:
            self._offered.clear()

    async def _flush(self) -> bool:
        try:
            await self._intake.flush()
        except LeaseLost:
            raise
        except JournalError:
            self.health.counters["unkept"] += 1  # the recorder's health says why; what was read waits for the next turn
            return False
        return True
