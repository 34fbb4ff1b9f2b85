"""From the bot's responses to the journal: new trades get their mode, wait, and are written or become a gap."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cluster.leader import JournalWriter
from ingest.bot_payload import BotReport, ReportedTrade
from ingest.bot_status import BotStatusReading
from ingest.exchange_fills import Attribution
from ingest.gaps import GapSpan, OpenGaps, PollOverlap, exact_seconds
from journal.entries import Mode, Trade

MAX_PENDING: Final = 20_000  # trades in memory, some 10 MB
BATCH: Final = 200  # trades in one commit, so that a commit stays within the journal's time limit
DROPPED: Final = "the journal was away and more trades came than can wait for it"
ANNOUNCE_AFTER: Final = 60.0  # seconds that trades may wait for their mode before a gap is announced
UNREAD_GAP_EVERY: Final = 60.0  # seconds between two gaps for unread records of one run
MAX_WAITING: Final = 20_000  # trades without a mode


class TradeIntake:
    """Takes whole windows from the poll and single trades from the long poll, in whatever order they come."""

    def __init__(
        self, window: PollOverlap, attribution: Attribution, writer: JournalWriter, clock: Callable[[], float]
    ) -> None:
        self.window, self.attribution = window, attribution
        self._gaps, self._writer, self._clock = attribution.gaps, writer, clock
        self._modes = TradeModes(attribution.bot.mode)
        self._pending = PendingEntries(attribution.gaps)
        self._marks_changed = False  # without a trade: a gap, or the first window
        self._turn = asyncio.Lock()

    @property
    def pending(self) -> int:
        """Return the number of trades that wait for the journal or for their mode."""
        return len(self._pending) + len(self._modes)

    def take(self, report: BotReport, reading: BotStatusReading | None, asked: float, mode: Mode | None) -> None:
        """Process a whole window, requested at `asked`. mode: the bot's, None for unknown."""
        self._marks_changed |= self.window.run.at is None
        result = self.window.check(report, reading, asked, self._clock())
        self._add(result.new, mode, result.gap)
        self.attribution.complete_to = asked

    def take_news(self, report: BotReport, boot: str, mode: Mode | None) -> bool:
        """Take what the bot sent after our last number. Return False if a whole window must be read instead."""
        new = self.window.extend(report, boot, self._clock())
        if new is not None:
            self._add(new, mode)
        return new is not None

    def add_gap(self, why: str, since: float) -> None:
        """Add a gap from `since` (Unix seconds) to now, also after a step of our clock."""
        self._add([], None, GapSpan.between(since, self._clock(), why))

    async def flush(self) -> None:
        """Write what waits now, in commits of a bounded size. Raises JournalError; then the rest still waits."""
        async with self._turn:
            for _ in range(max(-(-len(self._pending) // BATCH), self._marks_changed)):
                await self._write(self._pending.begin())

    async def _write(self, batch: list[Trade]) -> None:
        # The window is saved only with the last of the trades that it has seen: any other mark would claim trades
        # that a crash before their own commit would lose.
        window = self.window.mark() if len(batch) == len(self._pending) and not len(self._modes) else {}
        changed, self._marks_changed = self._marks_changed, False
        try:
            await self._writer.record(batch, lambda: self._gaps.mark() | window)
        except BaseException:
            self._marks_changed |= changed
            self._pending.failed()
            raise
        self._pending.committed()

    def _add(self, new: list[ReportedTrade], mode: Mode | None, gap: GapSpan | None = None) -> None:
        trades, unknown = self._modes.resolve(new, mode, self._clock())
        for each in filter(None, (gap, unknown)):
            self._gaps.add(each)
            self._marks_changed = True
        self.attribution.add_reported(trades)
        self._marks_changed |= self._pending.add(trades, exact_seconds(self._clock()))


class TradeModes:
    """Trades without a known mode wait here; a change of the bot's mode between two polls makes a gap."""

    def __init__(self, mode: Mode | None = None) -> None:
        """Begin with the mode that the bot last named, None if it never did."""
        self._mode = mode
        self._boot: str | None = None  # of the newest trade
        self._waiting: list[ReportedTrade] = []
        self._waiting_since: float | None = None  # Unix seconds
        self._announced = False

    def __len__(self) -> int:
        return len(self._waiting)

    def resolve(
        self, new: Sequence[ReportedTrade], mode: Mode | None, now: float
    ) -> tuple[list[Trade], GapSpan | None]:
        """Return trades with a known mode, in order, and a gap for those whose mode stays unknown. mode: the bot's."""
        if mode is None:
            return self._wait(new, now)
        before, self._mode = self._mode, mode
        ambiguous: list[ReportedTrade] = []
        if before is not None and before != mode:  # a trade of another run of the bot is of the new mode
            runs = (None, self._boot)
            ambiguous = [each for each in new if each.own_mode is None and each.trade.boot_id in runs]
        if new:
            self._boot = new[-1].trade.boot_id
        ready = [*self._waiting, *(each for each in new if each not in ambiguous)]
        self._waiting, self._waiting_since, self._announced = [], None, False
        trades = [replace(each.trade, mode=each.own_mode or mode) for each in ready]
        why = f"the bot changed from {before} to {mode} and its trades name no mode"
        return trades, _span(ambiguous, why) if ambiguous else None

    def _wait(self, new: Sequence[ReportedTrade], now: float) -> tuple[list[Trade], GapSpan | None]:
        ready = [each.trade for each in new if each.own_mode is not None]
        self._waiting += [each for each in new if each.own_mode is None]
        dropped, self._waiting = self._waiting[:-MAX_WAITING], self._waiting[-MAX_WAITING:]
        if dropped:
            return ready, _span(dropped, "more trades than can wait for the bot's mode")
        if self._waiting and self._waiting_since is None:
            self._waiting_since = now
        if self._waiting_since is None or now - self._waiting_since < ANNOUNCE_AFTER or self._announced:
            return ready, None
        self._announced = True
        gap = _span(self._waiting, "the bot's status cannot be read, so the mode of its trades is unknown")
        return ready, replace(gap, end=max(gap.end, exact_seconds(now)))


def _span(trades: Sequence[ReportedTrade], why: str) -> GapSpan:
    moments = [each.trade.timestamp for each in trades]
    return GapSpan(min(moments), max(moments), f"{len(trades)} trades: {why}")


class PendingEntries:
    """Trades as they were read; the oldest are written first and dropped first, into one gap that grows."""

    def __init__(self, gaps: OpenGaps) -> None:
        self._gaps = gaps
        self._waiting: list[Trade] = []
        self._writing = 0  # number of the oldest that a write in progress may commit, so they are not dropped
        self._dropped: GapSpan | None = None  # what was dropped since the journal last wrote a batch

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, trades: Sequence[Trade], now: Decimal) -> bool:
        """Add trades that were read at now (Unix seconds). Return True if some were dropped and a gap must be saved."""
        self._waiting.extend(trades)
        excess = len(self._waiting) - MAX_PENDING
        if excess <= 0:
            return False
        surplus = slice(self._writing, self._writing + excess)
        # A bot's clock that is ahead must not keep the gap open: no trade was executed after we read it.
        moments = [min(trade.timestamp, now) for trade in self._waiting[surplus]]
        del self._waiting[surplus]
        lost = GapSpan(min(moments), max(moments), DROPPED)
        grown = lost if self._dropped is None else self._dropped.joined(lost)
        self._gaps.add(grown, instead_of=self._dropped)
        self._dropped = grown
        return True

    def begin(self) -> list[Trade]:
        """Return the next batch to write; committed() or failed() ends it."""
        batch = self._waiting[:BATCH]
        self._writing = len(batch)
        return batch

    def committed(self) -> None:
        """Remove the batch: the journal has it."""
        del self._waiting[: self._writing]
        self._writing, self._dropped = 0, None

    def failed(self) -> None:
        self._writing = 0


class UnreadRecords:
    """Records of the bot that could not be read: counted once each, and one gap for a run of them."""

    def __init__(self) -> None:
        self.by_reason: Counter[str] = Counter()
        self.in_window = ""  # reasons within the last window, "" for none
        self._last: Counter[tuple[str, str]] = Counter()  # those of the last window
        self._unannounced = 0
        self._announced_at: float | None = None  # monotonic seconds, None between two runs

    def take(self, report: BotReport, now: float) -> str:
        """Process a window and return the reason of a gap to announce, "" for none. now: monotonic seconds."""
        unread = Counter(report.unread)
        new = unread - self._last
        self._last = unread
        for (_, reason), times in new.items():
            self.by_reason[reason] += times
        self._unannounced += new.total()
        self.in_window = "; ".join(sorted(report.unread_by_reason))
        if not unread:
            self._announced_at = None
        is_due = self._announced_at is None or now - self._announced_at >= UNREAD_GAP_EVERY
        if not self._unannounced or not is_due:
            return ""
        count, self._unannounced = self._unannounced, 0
        self._announced_at = now if unread else None
        reasons = self.in_window or "see the log"
        return f"{count} record{'s' if count > 1 else ''} of the bot could not be read: {reasons}"
