"""Poll the bot over HTTP on an interval, one poll at a time, and keep a long poll open where the bot offers one."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from cluster.component_health import ComponentHealth, wait_for
from ingest.bot_client import BotClient, PollResult
from ingest.bot_payload import BotResponseError
from ingest.trade_intake import TradeIntake, UnreadRecords
from journal.errors import JournalError, LeaseLost

LONG_POLL: Final = 20.0  # seconds that the bot is asked to hold a long poll
MAX_PAGES: Final = 20  # of a jump in the bot's numbers, 1 000 trades each; beyond that the exchange must fill the gap


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
