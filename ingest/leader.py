"""The leader's work: poll the bot, fill gaps from the exchange, and listen to the exchange's fill socket."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cluster.component_health import ComponentHealth, run_forever
from cluster.leader import JournalWriter
from ingest.attribution import Attribution
from ingest.backfill import Backfiller
from ingest.bot_client import BotClient
from ingest.bot_status import BotSnapshot, BotStatus
from ingest.fill_listener import FillListener
from ingest.open_gaps import MARK as GAPS_MARK
from ingest.open_gaps import OpenGaps
from ingest.poll_overlap import PollOverlap
from ingest.poller import Poller
from ingest.trade_intake import TradeIntake
from ingest.upstreams import Upstreams
from journal.base import Journal
from journal.errors import JournalError


@dataclass(frozen=True, slots=True)
class LeaderContext:
    """Everything that a term of leadership works with; made once for the life of the worker."""

    upstreams: Upstreams
    journal: Journal
    writer: JournalWriter
    components: Mapping[str, ComponentHealth]
    on_poll: Callable[["LeaderTerm"], None]
    on_account_trade: Callable[[float], None] = lambda at: None  # Unix seconds; the journal may not have it yet
    clock: Callable[[], float] = time.time


class LeaderTerm:
    """One term of leadership. It begins where the journal's marks say that the last one ended."""

    def __init__(self, context: LeaderContext, marks: Mapping[str, str], last: BotSnapshot) -> None:
        """last: the snapshot of the leader before."""
        upstreams, settings, clock = context.upstreams, context.upstreams.bot, context.clock
        self._context = context
        self.bot = BotStatus(since=clock())
        window = PollOverlap(marks.get("bot", ""), last.polled)
        self.bot.seen = window.at is not None
        self.bot.resume(last.status)
        self.gaps = OpenGaps(marks.get(GAPS_MARK, ""))
        self._gaps_before = len(self.gaps)
        attribution = Attribution(self.bot, self.gaps, settings.interval)
        self._attribution = attribution
        self.intake = TradeIntake(window, attribution, context.writer, clock)
        client = BotClient(upstreams.session, settings.status_url, settings.trades_url, settings.timeout, clock)
        self.poller = Poller(
            client, self.intake, self._on_poll, context.components["poller"], settings.interval, clock
        )  # fmt: skip
        self.backfiller = Backfiller(
            upstreams.exchange, attribution, context.writer, self.poll_bot, settings, context.components["healer"],
            marks, upstreams.exchange_mode, clock,
        )  # fmt: skip

    @classmethod
    async def begin(cls, context: LeaderContext, last: BotSnapshot) -> "LeaderTerm":
        """Read the marks of the last term; retry while the journal is away."""
        while True:
            try:
                return cls(context, await context.journal.marks(), last)
            except JournalError as error:
                context.components["poller"].fail(str(error))
                await asyncio.sleep(1.0)

    async def run(self) -> None:
        """Work until cancelled. Raises an exception group with LeaseLost: another worker is the leader."""
        context, components = self._context, self._context.components
        context.on_poll(self)
        works = [
            (self.poller.run, "poller"), (self.poller.long_poll, "poller"), (self.backfiller.run, "healer"),
        ]  # fmt: skip
        if (source := context.upstreams.fill_source) is not None:
            listener = FillListener(
                source, self._attribution, self.poller, context.writer, self.backfiller.wake,
                context.on_account_trade, components["push"], context.upstreams.exchange_mode, context.clock,
            )  # fmt: skip
            works.append((listener.run, "push"))
        else:
            components["push"].set_idle("no exchange keys are set to listen with")
        async with asyncio.TaskGroup() as group:
            for work, component in works:
                group.create_task(run_forever(work, components[component]))

    async def poll_bot(self) -> None:
        """Poll the bot now and wait until that is over, within a limit."""
        over = self.poller.wake()
        try:
            async with asyncio.timeout(2 * self._context.upstreams.bot.timeout + 1):
                await over.wait()
        except TimeoutError:
            return  # the bot's status names the reason

    def _on_poll(self, changed: bool) -> None:
        """Wake the backfill at once after a change of the bot or a new gap."""
        if changed or len(self.gaps) > self._gaps_before:
            self.backfiller.wake()
        self._gaps_before = len(self.gaps)
        self._context.on_poll(self)
