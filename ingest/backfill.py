"""Missed executions for the journal: read from the exchange's fills; a gap that stays is announced."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from cluster.component_health import ComponentHealth, wait_for
from cluster.leader import JournalWriter
from ingest.bot_client import PollSettings
from ingest.exchange_fills import Attribution, FillBatch, FillReader, Watermarks, read_baseline
from ingest.gaps import exact_seconds
from journal.entries import Gap, Mode, Trade
from journal.errors import JournalError, LeaseLost
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError, KeyUnusable, NotAllowed, NotConfigured

BATCH: Final = 200  # drafts in one commit; 1000 took six seconds on a busy MariaDB, and a call may take ten
MAX_RETRY_PAUSE: Final = 30.0  # seconds between two tries while something fails
SAVE_WATERMARK_EVERY: Final = 60.0  # seconds that the saved watermark may lag if a reading brings nothing
COALESCE: Final = 0.1  # seconds in which several wake-ups count as one
NO_KEYS: Final = "no exchange keys are set to fill it with"
PAPER: Final = "a bot in paper mode has no fills on the exchange"


class Backfiller:
    """Reads the exchange at start, on a gap, when woken, often while the bot is offline and seldom otherwise.

    A gap that no reading can fill (no keys, paper mode, keys refused) becomes a gap entry at once; while the exchange
    is merely away it stays open, and health shows it. poll_bot: polls the bot now and returns when that is over.
    """

    def __init__(
        self, exchange: KalshiClient | None, attribution: Attribution, writer: JournalWriter,
        poll_bot: Callable[[], Awaitable[None]], poll_settings: PollSettings, health: ComponentHealth,
        marks: Mapping[str, str], exchange_mode: Mode = "live",
    ) -> None:  # fmt: skip
        self._exchange, self._exchange_mode = exchange, exchange_mode
        self._reader = FillReader(exchange, attribution, health.clock) if exchange is not None else None
        self._gaps, self._bot = attribution.gaps, attribution.bot
        self._writer, self._poll_bot, self._poll_settings = writer, poll_bot, poll_settings
        self._turn, self._wake = asyncio.Lock(), asyncio.Event()
        self._known = Watermarks.load(marks)
        self._saved_at = 0.0  # the watermark that the journal has
        self._failures = 0  # readings in a row that failed or left a gap open
        self._unsaved = False  # the journal refused what the last reading brought
        self._undecided = 0.0  # seconds until a fill that waits for the bot's report can be judged
        self.health = health
        self.read_at = 0.0  # Unix seconds at which the last good reading began

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Read, wait, and read again until cancelled."""
        await self._poll_bot()  # the bot's mode decides whether its fills stand on the exchange at all
        while True:
            self._wake.clear()
            await self.read_once()
            await asyncio.sleep(COALESCE)
            await wait_for(self._wake, self._pause())

    async def read_once(self) -> None:
        """Make one reading, or note in health why there is none. Raises LeaseLost."""
        async with self._turn:
            try:
                try:
                    await self._read()
                except (NotConfigured, KeyUnusable, NotAllowed) as error:
                    self._fail(str(error))
                    if not error.transient:
                        await self._announce_gaps(f"the exchange refused to be read: {error}")
            except LeaseLost:
                raise
            except (KalshiError, JournalError) as error:
                self._unsaved |= isinstance(error, JournalError)
                self._fail(str(error))

    async def _read(self) -> None:
        if not self._bot.seen:
            await self._poll_bot()  # a bot that has just come up names its mode
        if self._exchange is None or self._reader is None or self._bot.mode == "paper":
            await self._skip_reading(PAPER if self._exchange is not None else NO_KEYS)
            return
        mode = self._bot.mode or self._exchange_mode
        if self._known is None:
            # The account's positions at the first start; fills before it are never read. It begins now, or at a gap
            # that is open since. Trades older than the baseline are contained in it.
            baseline = await read_baseline(self._exchange, mode, self.health.clock)
            now = float(baseline.timestamp)
            begun = min([now, *(float(gap.start) for gap in self._gaps)])
            known = Watermarks(begun, begun, now)
            await self._writer.record([baseline], known.marks)
            self._known = known
        if self._unsaved:  # before the exchange is read for nothing, and more of it each time
            await self._writer.record([], self._known.marks)
            self._unsaved = False
        asked = self.health.clock()
        batch = await self._reader.read(self._known, mode)
        await self._save(batch)
        self._reader.saved(batch.ids)
        self.read_at, self._undecided = asked, batch.undecided
        self._failures = self._failures + 1 if len(self._gaps) else 0
        self.health.counters["sweeps"] += 1
        self.health.succeed()

    async def _save(self, batch: FillBatch) -> None:
        drafts = list(batch.drafts)
        while len(drafts) > BATCH:
            await self._writer.record(drafts[:BATCH])
            del drafts[:BATCH]
        if drafts or batch.filled or batch.known.fills - self._saved_at > SAVE_WATERMARK_EVERY:
            await self._writer.record(drafts, lambda: batch.known.marks() | self._gaps.mark(without=batch.filled))
            self._saved_at = batch.known.fills
        self._known = batch.known
        self._gaps.remove(batch.filled)
        self.health.counters["healed"] += len(batch.filled)
        self.health.counters["fills"] += sum(isinstance(draft, Trade) for draft in batch.drafts)

    async def _skip_reading(self, why: str) -> None:
        """Announce the gaps that cannot be filled. In paper mode, fills of the account meanwhile are not read later."""
        await self._announce_gaps(why)
        now = self.health.clock()
        if self._bot.mode == "paper" and self._known is not None and now - self._saved_at > SAVE_WATERMARK_EVERY:
            known = Watermarks(self._known.begun, now, now)
            await self._writer.record([], known.marks)
            self._known, self._saved_at = known, now
        self._failures, self._undecided = 0, 0.0
        self.health.set_idle(why)

    async def _announce_gaps(self, why: str) -> None:
        """Turn every open gap into a gap entry."""
        if open_gaps := list(self._gaps):
            now = exact_seconds(self.health.clock())
            entries = [Gap(now, gap.start, gap.end, f"{gap.why}; {why}") for gap in open_gaps]
            await self._writer.record(entries, lambda: self._gaps.mark(without=open_gaps))
            self._gaps.remove(open_gaps)

    def _fail(self, reason: str) -> None:
        self._failures += 1
        self.health.fail(reason)

    def _pause(self) -> float:
        """Return the seconds until the next reading."""
        settings = self._poll_settings
        pause = settings.fallback if self._bot.status == "offline" else settings.quiet
        if self._failures:
            pause = min(pause, MAX_RETRY_PAUSE, 0.5 * 2.0 ** min(self._failures, 6))
        return min(pause, self._undecided) if self._undecided else pause
