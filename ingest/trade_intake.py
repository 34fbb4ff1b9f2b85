"""From the bot's answers to the journal: what is new is checked here and waits until it is kept, or becomes a hole."""

import asyncio
from collections.abc import Callable

from cluster.journal_writer import JournalWriter
from ingest.attribution import Attribution
from ingest.bot_payload import BotReport, BotStatusReading
from ingest.pending_entries import PendingEntries
from ingest.poll_overlap import GapSpan, OverlapResult, PollOverlap, seconds
from journal.entries import Trade


class TradeIntake:
    """Takes whole windows from the poll and single news from the long poll, in whatever order they come."""

    def __init__(
        self, window: PollOverlap, origins: Attribution, recorder: JournalWriter, clock: Callable[[], float]
    ) -> None:
        self.window = window
        self.origins = origins
        self.holes = origins.holes
        self._recorder = recorder
        self._clock = clock
        self._backlog = PendingEntries(origins.holes)  # read, checked, not yet kept
        self._dirty = False  # the marks changed without a trade: a hole, or the first window
        self._turn = asyncio.Lock()

    @property
    def pending(self) -> int:
        """How many trades wait for the journal."""
        return len(self._backlog)

    def take(self, report: BotReport, reading: BotStatusReading | None, asked: float) -> None:
        """A whole window, asked for at `asked`."""
        self._dirty |= self.window.at is None
        self._add(self.window.check(report, reading, asked, self._clock()))
        self.origins.complete_to = asked

    def take_news(self, report: BotReport, boot: str) -> bool:
        """What the bot told after our last seq. False when it does not join and a whole window must be read."""
        checked = self.window.extend(report, boot, self._clock())
        if checked is not None:
            self._add(checked)
        return checked is not None

    def mistrust(self, why: str) -> None:
        """An answer came that could not be read as a whole: what it held may be gone from the next one."""
        if self.window.at is not None:
            self._add(OverlapResult([], GapSpan(seconds(self.window.at), seconds(self._clock()), why)))

    async def flush(self) -> None:
        """Keep what waits now, in commits of a bounded size. Raises JournalError; then the rest still waits."""
        async with self._turn:
            for _ in range(max(self._backlog.batches, self._dirty)):
                await self._keep(self._backlog.begin())

    async def _keep(self, batch: list[Trade]) -> None:
        # The window is written as it is now, with the last of the trades that it has seen: any other could promise
        # trades that a crash before their own commit would lose.
        window = self.window.dump() if len(batch) == len(self._backlog) else None
        dirty, self._dirty = self._dirty, self._dirty and window is None
        try:
            await self._recorder.record(batch, lambda: {"bot": window, "holes": self.holes.dump()} if window else {})
        except BaseException:
            self._dirty |= dirty
            self._backlog.failed()
            raise
        self._backlog.kept()

    def _add(self, checked: OverlapResult) -> None:
        if checked.hole is not None:
            self.holes.add(checked.hole)
            self._dirty = True
        self.origins.claim(checked.new)
        self._dirty |= self._backlog.add(checked.new, seconds(self._clock()))
