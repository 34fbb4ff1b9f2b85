"""What the one worker that holds the lease does: it polls the bot, heals holes and listens to the exchange's push."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from journal.base import Journal
from journal.errors import JournalError
from streams.account import AccountListener
from streams.bot import BotClient
from streams.healer import Healer
from streams.holes import Holes
from streams.intake import Intake
from streams.neighbours import Neighbours
from streams.origin import Origins
from streams.poller import Poller
from streams.recorder import Recorder
from streams.status import BotStatus, Pulse
from streams.vital import Vital, supervised
from streams.window import Window


@dataclass(frozen=True, slots=True)
class Means:
    """What a duty works with; made once for the life of the worker."""

    neighbours: Neighbours
    journal: Journal
    recorder: Recorder
    vitals: Mapping[str, Vital]
    told: Callable[["Duty"], None]  # after each poll
    happened: Callable[[float], None] = lambda at: None  # the account traded then, which may be news to the journal yet
    clock: Callable[[], float] = time.time


class Duty:
    """One term of polling. It begins where the journal's marks say that the last one ended."""

    def __init__(self, means: Means, marks: Mapping[str, str], left: Pulse) -> None:
        """left: what the last holder of the lease told before it ended."""
        neighbours, polling, clock = means.neighbours, means.neighbours.bot, means.clock
        self._means = means
        self.bot = BotStatus(since=clock())
        self.window = Window(marks.get("bot", ""), left.polled)
        self.bot.seen = self.window.at is not None
        self.bot.resume(left.status)
        self.holes = Holes(marks.get("holes", ""))
        self._holes_seen = len(self.holes)
        self.origins = Origins(self.bot, self.holes, polling.interval)
        self.intake = Intake(self.window, self.origins, means.recorder, clock)
        client = BotClient(neighbours.session, polling.status_url, polling.trades_url, polling.timeout, clock)
        self.poller = Poller(client, self.intake, self._told, means.vitals["poller"], polling.interval, clock)
        self.healer = Healer(
            neighbours.exchange,
            self.origins,
            means.recorder,
            self._fresh,
            polling,
            means.vitals["healer"],
            marks,
            clock,
        )

    @classmethod
    async def begin(cls, means: Means, left: Pulse) -> "Duty":
        """Read where the last one ended; a journal that is away is waited for."""
        while True:
            try:
                return cls(means, await means.journal.marks(), left)
            except JournalError as wrong:
                means.vitals["poller"].bad(str(wrong))
                await asyncio.sleep(1.0)

    async def run(self) -> None:
        """Until cancelled, or until another worker has the lease (an exception group with LeaseLost)."""
        means, vitals = self._means, self._means.vitals
        means.told(self)
        works = [(self.poller.run, "poller"), (self.poller.listen, "poller"), (self.healer.run, "healer")]
        if (push := means.neighbours.push) is not None:
            listener = AccountListener(
                push, self.origins, self.poller, means.recorder, self.healer.poke, means.happened,
                vitals["push"], means.clock,
            )  # fmt: skip
            works.append((listener.run, "push"))
        else:
            vitals["push"].idle("there are no exchange keys to listen with")
        async with asyncio.TaskGroup() as parts:
            for work, part in works:
                parts.create_task(supervised(work, vitals[part]))

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
