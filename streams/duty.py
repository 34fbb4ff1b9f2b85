"""What the one worker that holds the lease does: it polls the bot, heals holes and listens to the exchange's push."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

from journal.base import Journal
from journal.errors import JournalError
from streams.bot import BotClient
from streams.holes import Holes
from streams.intake import Intake
from streams.origin import Origins
from streams.poller import Poller
from streams.recorder import Recorder
from streams.status import BotStatus, Pulse
from streams.vital import Vital, supervised
from streams.window import Window


@dataclass(frozen=True, slots=True)
class BotSettings:
    """Where the bot answers and how often it is asked (seconds)."""

    status_url: str
    trades_url: str
    interval: float = 3.0
    timeout: float = 2.5
    fallback: float = 10.0  # between two readings of the exchange's fills while the bot is offline
    quiet: float = 30.0  # and while it is online


@dataclass(frozen=True, slots=True)
class Means:
    """What a duty works with; made once for the life of the worker."""

    session: aiohttp.ClientSession
    journal: Journal
    recorder: Recorder
    settings: BotSettings
    vitals: Mapping[str, Vital]
    told: Callable[["Duty", bool], None]  # after each poll: whether the bot's status changed
    clock: Callable[[], float] = time.time


class Duty:
    """One term of polling. It begins where the journal's marks say that the last one ended."""

    def __init__(self, means: Means, marks: Mapping[str, str], left: Pulse | None) -> None:
        """left: what the last holder of the lease told before it ended."""
        settings, clock = means.settings, means.clock
        self._means = means
        self.bot = BotStatus(since=clock())
        self.window = Window(marks.get("bot", ""), left.polled if left else None)
        self.bot.seen = self.window.at is not None
        if left is not None:
            self.bot.resume(left.status)
        self.holes = Holes(marks.get("holes", ""))
        self.origins = Origins(self.bot, self.holes, settings.interval)
        self.intake = Intake(self.window, self.holes, self.origins, means.recorder, clock)
        client = BotClient(means.session, settings.status_url, settings.trades_url, settings.timeout, clock)
        self.poller = Poller(
            client, self.intake, self.bot, self.origins, lambda changed: means.told(self, changed),
            means.vitals["poller"], settings.interval, clock,
        )  # fmt: skip

    @classmethod
    async def begin(cls, means: Means, left: Pulse | None) -> "Duty":
        """Read where the last one ended; a journal that is away is waited for."""
        while True:
            try:
                return cls(means, await means.journal.marks(), left)
            except JournalError as wrong:
                means.vitals["poller"].bad(str(wrong))
                await asyncio.sleep(1.0)

    @property
    def swept(self) -> float:
        """As of when the exchange's fills are all known (Unix seconds)."""
        return 0.0

    async def run(self) -> None:
        """Until cancelled, or until another worker has the lease (an exception group with LeaseLost)."""
        self._means.told(self, True)
        async with asyncio.TaskGroup() as parts:
            vital = self._means.vitals["poller"]
            parts.create_task(supervised(self.poller.run, vital))
            parts.create_task(supervised(self.poller.listen, vital))

    async def sweep(self) -> None:
        """Read the exchange's fills now, where that is possible."""
