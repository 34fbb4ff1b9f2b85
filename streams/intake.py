"""From the bot's answers to the journal: what is new waits here until it is kept, however long the journal is away."""

import asyncio
from collections.abc import Callable

from journal.entry import Trade
from streams.holes import Holes
from streams.origin import Origins
from streams.recorder import Recorder
from streams.report import BotReading, Report
from streams.window import Checked, Hole, Window, seconds

MOST_PENDING = 20_000  # trades held in memory while the journal cannot be written


class Intake:
    """Takes whole windows from the poll and single news from the long poll, in whatever order they come."""

    def __init__(
        self, window: Window, holes: Holes, origins: Origins, recorder: Recorder, clock: Callable[[], float]
    ) -> None:
        self.window = window
        self.holes = holes
        self._origins = origins
        self._recorder = recorder
        self._clock = clock
        self._pending: list[Trade] = []  # read, checked, not yet kept
        self._dirty = False  # the marks changed without a trade: a hole, or the first window
        self._turn = asyncio.Lock()

    @property
    def pending(self) -> int:
        """How many trades wait for the journal."""
        return len(self._pending)

    def take(self, report: Report, reading: BotReading | None, asked: float) -> None:
        """A whole window, asked for at `asked`."""
        self._dirty |= self.window.at is None
        self._add(self.window.check(report, reading, asked, self._clock()))
        self._origins.complete_to = asked

    def take_news(self, report: Report, boot: str) -> bool:
        """What the bot told after our last seq. False when it does not join and a whole window must be read."""
        checked = self.window.extend(report, boot, self._clock())
        if checked is not None:
            self._add(checked)
        return checked is not None

    def mistrust(self, why: str) -> None:
        """An answer came that could not be read as a whole: what it held may be gone from the next one."""
        if self.window.at is not None:
            self._add(Checked([], Hole(seconds(self.window.at), seconds(self._clock()), why)))

    async def flush(self) -> None:
        """Keep what waits, in one commit. Raises JournalError; then it still waits."""
        async with self._turn:
            batch = list(self._pending)
            if not batch and not self._dirty:
                return
            # The window is written as it is now, with exactly the trades that it has seen: a later one could
            # promise trades that a crash before their own commit would lose.
            window = self.window.dump()
            dirty, self._dirty = self._dirty, False
            try:
                await self._recorder.record(batch, lambda: {"bot": window, "holes": self.holes.dump()})
            except BaseException:
                self._dirty |= dirty
                raise
            del self._pending[: len(batch)]

    def _add(self, checked: Checked) -> None:
        if checked.hole is not None:
            self.holes.add(checked.hole)
            self._dirty = True
        self._origins.claim(checked.new)
        self._pending.extend(checked.new)
        if len(self._pending) > MOST_PENDING:
            lost = self._pending[: len(self._pending) - MOST_PENDING]
            del self._pending[: len(lost)]
            moments = [trade.timestamp for trade in lost]
            why = f"the journal was away and more than {MOST_PENDING} trades came"
            self.holes.add(Hole(min(moments), max(moments), why))
