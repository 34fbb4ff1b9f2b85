"""What the one worker that holds the lease does: it polls the bot, heals holes and listens to the exchange's push."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cluster.component_health import ComponentHealth, run_forever
from cluster.journal_writer import JournalWriter
from ingest.attribution import Attribution
from ingest.backfill import Backfiller
from ingest.bot_client import BotClient
from ingest.bot_status import BotSnapshot, BotStatus
from ingest.fill_listener import FillListener
from ingest.open_gaps import OpenGaps
from ingest.poll_overlap import PollOverlap
from ingest.poller import Poller
from ingest.trade_intake import TradeIntake
from ingest.upstreams import Upstreams
from journal.base import Journal
from journal.errors import JournalError


@dataclass(frozen=True, slots=True)
class LeaderContext:
    """What a duty works with; made once for the life of the worker."""

    neighbours: Upstreams
    journal: Journal
    recorder: JournalWriter
    components: Mapping[str, ComponentHealth]
    told: Callable[["LeaderTerm"], None]  # after each poll
    happened: Callable[[float], None] = lambda at: None  # the account traded then, which may be news to the journal yet
    clock: Callable[[], float] = time.time


class LeaderTerm:
    """One term of polling. It begins where the journal's marks say that the last one ended."""

    def __init__(self, means: LeaderContext, marks: Mapping[str, str], left: BotSnapshot) -> None:
        """left: what the last holder of the lease told before it ended."""
        neighbours, polling, clock = means.neighbours, means.neighbours.bot, means.clock
        self._means = means
        self.bot = BotStatus(since=clock())
        self.window = PollOverlap(marks.get("bot", ""), left.polled)
        self.bot.seen = self.window.at is not None
        self.bot.resume(left.status)
        self.holes = OpenGaps(marks.get("holes", ""))
        self._holes_seen = len(self.holes)
        self.origins = Attribution(self.bot, self.holes, polling.interval)
        self.intake = TradeIntake(self.window, self.origins, means.recorder, clock)
        client = BotClient(neighbours.session, polling.status_url, polling.trades_url, polling.timeout, clock)
        self.poller = Poller(client, self.intake, self._told, means.components["poller"], polling.interval, clock)
        self.healer = Backfiller(
            neighbours.exchange,
            self.origins,
            means.recorder,
            self._fresh,
            polling,
            means.components["healer"],
            marks,
            clock,
        )

    @classmethod
    async def begin(cls, means: LeaderContext, left: BotSnapshot) -> "LeaderTerm":
        """Read where the last one ended; a journal that is away is waited for."""
        while True:
            try:
                return cls(means, await means.journal.marks(), left)
            except JournalError as wrong:
                means.components["poller"].fail(str(wrong))
                await asyncio.sleep(1.0)

    async def run(self) -> None:
        """Until cancelled, or until another worker has the lease (an exception group with LeaseLost)."""
        means, components = self._means, self._means.components
        means.told(self)
        works = [(self.poller.run, "poller"), (self.poller.listen, "poller"), (self.healer.run, "healer")]
        if (push := means.neighbours.push) is not None:
            listener = FillListener(
                push, self.origins, self.poller, means.recorder, self.healer.poke, means.happened,
                components["push"], means.clock,
            )  # fmt: skip
            works.append((listener.run, "push"))
        else:
            components["push"].set_idle("there are no exchange keys to listen with")
        async with asyncio.TaskGroup() as parts:
            for work, part in works:
                parts.create_task(run_forever(work, components[part]))

    def _told(self, changed: bool) -> None:
        """After each poll: a change of the bot or a new hole is the healer's business at once."""
        if changed or len(self.holes) > self._holes_seen:
            self.healer.poke()
        self._holes_seen = len(self.holes)
        self._means.told(self)

    async def _fresh(self) -> None:
        """Poll the bot now, and wait for what it says."""
        over = self.poller.poke()
        try:
            async with asyncio.timeout(2 * self._means.neighbours.bot.timeout + 1):
                await over.wait()
        except TimeoutError:
            return  # its status says why
