"""From the bot's responses to the journal: new trades get their mode, wait, and are written or become a gap."""

import asyncio
from collections.abc import Callable

from cluster.leader import JournalWriter
from ingest.attribution import Attribution
from ingest.bot_payload import BotReport, ReportedTrade
from ingest.bot_status_payload import BotStatusReading
from ingest.open_gaps import MARK as GAPS_MARK
from ingest.pending_entries import PendingEntries
from ingest.poll_overlap import GapSpan, PollOverlap, seconds
from ingest.trade_mode import TradeModes
from journal.entries import Mode, Trade


class TradeIntake:
    """Takes whole windows from the poll and single trades from the long poll, in whatever order they come."""

    def __init__(
        self, window: PollOverlap, attribution: Attribution, writer: JournalWriter, clock: Callable[[], float]
    ) -> None:
        self.window = window
        self.attribution = attribution
        self.gaps = attribution.gaps
        self.modes = TradeModes(attribution.bot.mode)
        self._writer = writer
        self._clock = clock
        self._pending = PendingEntries(attribution.gaps)
        self._marks_changed = False  # without a trade: a gap, or the first window
        self._turn = asyncio.Lock()

    @property
    def pending(self) -> int:
        """Return the number of trades that wait for the journal or for their mode."""
        return len(self._pending) + len(self.modes)

    def take(self, report: BotReport, reading: BotStatusReading | None, asked: float, mode: Mode | None) -> None:
        """Take a whole window, requested at `asked`. mode: the bot's, None for unknown."""
        self._marks_changed |= self.window.at is None
        result = self.window.check(report, reading, asked, self._clock())
        self._add(result.new, mode, result.gap)
        self.attribution.complete_to = asked

    def take_news(self, report: BotReport, boot: str, mode: Mode | None) -> bool:
        """Take what the bot sent after our last number. Return False if a whole window must be read instead."""
        result = self.window.extend(report, boot, self._clock())
        if result is not None:
            self._add(result.new, mode, result.gap)
        return result is not None

    def add_gap(self, why: str, since: float | None = None) -> None:
        """Add a gap from `since` (Unix seconds; default: the last good window) to now."""
        now = self._clock()
        start = since if since is not None else self.window.at if self.window.at is not None else now
        self._add([], None, GapSpan(seconds(min(start, now)), seconds(max(start, now)), why))

    async def flush(self) -> None:
        """Write what waits now, in commits of a bounded size. Raises JournalError; then the rest still waits."""
        async with self._turn:
            for _ in range(max(self._pending.batches, self._marks_changed)):
                await self._write(self._pending.begin())

    async def _write(self, batch: list[Trade]) -> None:
        # The window is saved only with the last of the trades that it has seen: any other mark would claim trades
        # that a crash before their own commit would lose.
        window = self.window.dump() if len(batch) == len(self._pending) and not len(self.modes) else None
        changed, self._marks_changed = self._marks_changed, False
        try:
            await self._writer.record(batch, lambda: self._marks(window))
        except BaseException:
            self._marks_changed |= changed
            self._pending.failed()
            raise
        self._pending.committed()

    def _marks(self, window: str | None) -> dict[str, str]:
        gaps = {GAPS_MARK: self.gaps.dump()}
        return gaps if window is None else gaps | {"bot": window}

    def _add(self, new: list[ReportedTrade], mode: Mode | None, gap: GapSpan | None) -> None:
        trades, unknown = self.modes.resolve(new, mode, self._clock())
        for each in (gap, unknown):
            if each is not None:
                self.gaps.add(each)
                self._marks_changed = True
        self.attribution.add_reported(trades)
        self._marks_changed |= self._pending.add(trades, seconds(self._clock()))
