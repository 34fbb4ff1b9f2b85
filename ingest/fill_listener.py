"""Pushed fills for the journal: an execution is in it within a second, even while the bot is down."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from cluster.component_health import ComponentHealth, wait_for
from cluster.leader import JournalWriter
from ingest.exchange_fills import Attribution, trade_of
from ingest.poller import Poller
from journal.entries import Draft, Mode
from journal.errors import JournalError, LeaseLost
from kalshi.account_models import Fill
from kalshi.fill_socket import Connected, Disconnected, Event, FillSocket, MarketPaid

FIRST_LOOK: Final = 0.25  # seconds until the bot is polled for a fill; longest wait for a bot that never answered
MAX_WAIT: Final = 0.8  # seconds that a fill waits for the report of a bot that answers


@dataclass(slots=True, eq=False)
class FillListener:
    """From pushed fills to the journal. Nothing is retried here: a later reading of the exchange finds what is lost."""

    source: FillSocket
    attribution: Attribution
    poller: Poller
    writer: JournalWriter
    wake_backfill: Callable[[], None]  # for a payout and for every Connected: earlier fills are not sent again
    on_account_trade: Callable[[float], None]  # called at once with the Unix seconds of each fill, whoever made it
    health: ComponentHealth
    exchange_mode: Mode = "live"
    _waiting: list[tuple[float, Fill]] = field(default_factory=list)  # undecided, and when they came (monotonic)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._receive())
            both.create_task(self._write())

    async def _receive(self) -> None:
        async with aclosing(self.source.events()) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Connected():
                self.health.succeed(log_change=False)
                self.wake_backfill()
            case MarketPaid():
                self.health.counters["payouts"] += 1
                self.wake_backfill()
            case Disconnected():
                self.health.fail(event.reason, log_change=False)
            case Fill() if self.attribution.bot.mode == "paper":
                self.health.counters["ignored"] += 1
            case Fill():
                self.health.counters["fills"] += 1
                self.on_account_trade(float(event.timestamp))
                self._waiting.append((time.monotonic(), event))
                self._arrived.set()

    async def _write(self) -> None:
        wait: float | None = None
        while True:
            await wait_for(self._arrived, wait)  # then it is time to judge the waiting fills again
            self._arrived.clear()
            drafts, wait = self._attribute_waiting()
            if wait is not None:
                self.poller.wake()  # the bot may report the fill by now
            try:
                if drafts:
                    await self.writer.record(drafts)
            except LeaseLost:
                raise
            except JournalError:
                self.health.counters["left"] += len(drafts)  # for the next reading: its watermark has not passed them
                self.wake_backfill()

    def _attribute_waiting(self) -> tuple[list[Draft], float | None]:
        """Return the fills to write now, and the seconds until the rest is tried again (None: none waits)."""
        now, drafts, waiting = time.monotonic(), list[Draft](), list[tuple[float, Fill]]()
        bot = self.attribution.bot
        # A bot that was never polled has not named its mode either, and a fill gets that mode.
        longest, mode = MAX_WAIT if bot.seen else FIRST_LOOK, bot.mode or self.exchange_mode
        for came, fill in self._waiting:
            origin = self.attribution.judge(fill, self.health.clock()) if bot.seen else FIRST_LOOK
            if isinstance(origin, float) and now < came + longest:
                waiting.append((came, fill))
            elif mode != "paper":
                drafts.append(trade_of(fill, "account" if isinstance(origin, float) else origin, mode))
        self._waiting = waiting
        looks = [min(max(FIRST_LOOK, now - came), max(0.0, came + longest - now)) for came, _ in waiting]
        return drafts, min(looks, default=None)
