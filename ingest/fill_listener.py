"""Listens to the exchange's push: an execution is on the stream within milliseconds, even when the bot is dead."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, Protocol

from cluster.component_health import ComponentHealth
from cluster.journal_writer import JournalWriter
from ingest.attribution import Attribution, Wait
from ingest.exchange_entries import trade_of
from ingest.poller import Poller
from journal.entries import Draft, Origin
from journal.errors import JournalError, LeaseLost
from kalshi.account_models import Fill
from kalshi.fill_socket import Connected, Disconnected, Event

PATIENCE: Final = 0.25  # seconds that a fill waits for a bot that was never heard of, and until the first look at it
LONGEST: Final = 0.8  # seconds that it waits for a bot that answers: it is to be on the stream within one


class FillSource(Protocol):
    """What tells of fills as they happen (kalshi.push.FillPush)."""

    def events(self) -> AsyncGenerator[Event, None]:
        """Connected, fills, Disconnected, Connected …"""
        ...


class FillListener:
    """From pushed fills to the journal. What is lost here, a sweep finds: so nothing is retried.

    sweep: asks for a sweep, which every Connected needs, since nothing that happened before it is told again.
    happened: is told at once when the account traded (Unix seconds), whoever made it.
    """

    def __init__(
        self, push: FillSource, origins: Attribution, poller: Poller, recorder: JournalWriter,
        sweep: Callable[[], None], happened: Callable[[float], None], health: ComponentHealth,
        clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._push = push
        self._origins = origins
        self._bot = origins.bot
        self._poller = poller
        self._recorder = recorder
        self._sweep = sweep
        self._happened = happened
        self._clock = clock
        self._monotonic = monotonic
        self._held: list[tuple[float, Fill]] = []  # fills that wait for evidence, with the moment when they came
        self._news = asyncio.Event()
        self.health = health

    async def run(self) -> None:
        """Listen and write, for ever."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._listen())
            both.create_task(self._write())

    async def _listen(self) -> None:
        async with aclosing(self._push.events()) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Connected():
                self.health.succeed(log_change=False)
                self._sweep()
            case Disconnected():
                self.health.fail(event.reason, log_change=False)
            case Fill() if self._bot.mode == "paper":
                self.health.counters["ignored"] += 1
            case Fill():
                self.health.counters["fills"] += 1
                self._happened(float(event.timestamp))
                self._held.append((self._monotonic(), event))
                self._news.set()

    async def _write(self) -> None:
        wait: float | None = None
        while True:
            try:
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                pass  # time for another look at what is held
            self._news.clear()
            drafts, wait = self._judge()
            if wait is not None:
                self._poller.poke()  # the bot may have it by now, and then says so itself
            if drafts:
                await self._record(drafts)

    def _verdict(self, fill: Fill) -> Origin | Wait:
        # A bot that was never asked has not said its mode either, and a fill is of that mode.
        if not self._bot.seen:
            return Wait(PATIENCE)
        return self._origins.judge(fill.timestamp, fill.order_id, fill.client_order_id, self._clock())

    def _judge(self) -> tuple[list[Draft], float | None]:
        """What can be written now, and how long until another look at the rest (None: nothing waits)."""
        now, drafts, held = self._monotonic(), list[Draft](), list[tuple[float, Fill]]()
        patience = LONGEST if self._bot.seen else PATIENCE
        for came, fill in self._held:
            verdict = self._verdict(fill)
            if isinstance(verdict, Wait) and now < came + patience:
                held.append((came, fill))
            elif self._bot.mode != "paper":
                drafts.append(trade_of(fill, "account" if isinstance(verdict, Wait) else verdict, self._bot.mode))
        self._held = held
        looks = [min(max(PATIENCE, now - came), max(0.0, came + patience - now)) for came, _ in held]
        return drafts, min(looks, default=None)

    async def _record(self, drafts: list[Draft]) -> None:
        try:
            await self._recorder.record(drafts)
        except LeaseLost:
            raise
        except JournalError:
            self.health.counters["left"] += len(drafts)  # to the sweep: its watermark has not passed them
            self._sweep()
