"""Heals what the bot did not tell: reads the exchange's fills and settlements, as fast as the trouble asks for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from cluster.component_health import ComponentHealth
from cluster.journal_writer import JournalWriter
from ingest.attribution import Attribution
from ingest.bot_client import PollSettings
from ingest.exchange_entries import baseline_of
from ingest.fill_reader import ExchangeReads, FillBatch, FillReader, Watermarks
from ingest.poll_overlap import seconds
from journal.entries import Draft, Gap, Trade
from journal.errors import JournalError, LeaseLost
from kalshi.errors import KalshiError, KeyUnusable, NotAllowed, NotConfigured

BATCH: Final = 1000  # drafts in one commit
LONGEST: Final = 30.0  # seconds between two tries while something is wrong
ADVANCE: Final = 60.0  # seconds that the kept watermark may lag when a sweep brings nothing
NO_KEYS: Final = "there are no exchange keys to heal it with"
PAPER: Final = "a bot in paper mode has no fills on the exchange"


class Backfiller:
    """Reads the exchange at start, on a hole, when asked, quickly while the bot is offline and slowly otherwise.

    A hole that no reading can ever heal (no keys, paper mode, keys refused) becomes a gap entry at once; while the
    exchange is merely away it stays open, and health shows it. fresh: polls the bot now and returns when it is over.
    """

    def __init__(
        self, exchange: ExchangeReads | None, origins: Attribution, recorder: JournalWriter,
        fresh: Callable[[], Awaitable[None]],
        polling: PollSettings, health: ComponentHealth, marks: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._exchange = exchange
        self._sweeper = FillReader(exchange, origins, clock) if exchange is not None else None
        self._holes = origins.holes
        self._bot = origins.bot
        self._recorder = recorder
        self._fresh = fresh
        self._polling = polling
        self._clock = clock
        self._turn = asyncio.Lock()
        self._poke = asyncio.Event()
        self._known = Watermarks.load(marks)
        self._kept_at = 0.0  # the watermark that the journal has
        self._tries = 0  # in a row that left something open
        self._unkept = False  # the journal refused what the last sweep brought
        self._waiting = 0.0  # seconds until a fill that waits for the bot's claim can be judged
        self.health = health
        self.swept = 0.0  # when the last good sweep began (Unix seconds)

    def poke(self) -> None:
        """Sweep now."""
        self._poke.set()

    async def run(self) -> None:
        """Sweep, wait, sweep … for ever."""
        await self._fresh()  # the bot's mode decides whether the exchange may be read at all
        while True:
            self._poke.clear()
            await self.sweep()
            await asyncio.sleep(0.1)  # pokes come in crowds
            try:
                async with asyncio.timeout(self._pause()):
                    await self._poke.wait()
            except TimeoutError:
                pass  # the pace itself

    async def sweep(self) -> None:
        """One reading, or the reason why there is none. Raises LeaseLost."""
        async with self._turn:
            try:
                await self._read()
            except LeaseLost:
                raise
            except JournalError as wrong:
                self._unkept = True
                self._failed(str(wrong))

    async def _read(self) -> None:
        """One reading, or what the exchange has against it. Raises JournalError."""
        try:
            await self._sweep()
        except (NotConfigured, KeyUnusable, NotAllowed) as wrong:
            self._failed(str(wrong))
            if not wrong.transient:
                await self._announce(f"the exchange refused to be read: {wrong}")
        except KalshiError as wrong:
            self._failed(str(wrong))

    async def _sweep(self) -> None:
        if not self._bot.seen:
            await self._fresh()  # a bot that has just come up says by its mode what its fills are
        if self._exchange is None or self._sweeper is None or self._bot.mode == "paper":
            await self._stand_by(PAPER if self._exchange is not None else NO_KEYS)
            return
        if self._known is None:
            self._known = await self._begin(self._exchange)
        if self._unkept:  # the exchange is not read for nothing, and more of it each time
            await self._recorder.record([], self._known.marks)
            self._unkept = False
        asked = self._clock()
        swept = await self._sweeper.sweep(self._known, self._bot.mode)
        await self._keep(swept)
        self.swept, self._waiting = asked, swept.waiting
        self._tries = self._tries + 1 if len(self._holes) else 0
        self.health.counters["sweeps"] += 1
        self.health.succeed()

    async def _begin(self, exchange: ExchangeReads) -> Watermarks:
        """The first start begins now, or with a hole that is open since: what the account holds is the baseline.

        Trades that are older than the baseline are in it already, whoever adds them up.
        """
        now = min(self._clock(), await exchange.user_data_timestamp())
        baseline = baseline_of(await exchange.positions(), seconds(now), self._bot.mode)
        begun = min([now, *(float(hole.start) for hole in self._holes)])
        known = Watermarks(begun, begun, now)
        await self._recorder.record([baseline], known.marks)
        return known

    async def _keep(self, swept: FillBatch) -> None:
        assert self._sweeper is not None
        drafts = list(swept.drafts)
        while len(drafts) > BATCH:
            await self._recorder.record(drafts[:BATCH])
            del drafts[:BATCH]
        if drafts or swept.healed or swept.known.fills - self._kept_at > ADVANCE:
            await self._recorder.record(drafts, lambda: self._marks(swept))
            self._kept_at = swept.known.fills
        self._known = swept.known
        self._sweeper.kept(swept.ids)
        self._holes.remove(swept.healed)
        self.health.counters["healed"] += len(swept.healed)
        self.health.counters["fills"] += sum(isinstance(draft, Trade) for draft in swept.drafts)

    def _marks(self, swept: FillBatch) -> dict[str, str]:
        return swept.known.marks() | {"holes": self._holes.dump(without=swept.healed)}

    async def _stand_by(self, why: str) -> None:
        """Nothing can be read. Holes are announced; in paper mode what the account does meanwhile is not ours."""
        await self._announce(why)
        now = self._clock()
        if self._bot.mode == "paper" and self._known is not None and now - self._kept_at > ADVANCE:
            known = Watermarks(self._known.begun, now, now)
            await self._recorder.record([], known.marks)
            self._known, self._kept_at = known, now
        self._tries, self._waiting = 0, 0.0
        self.health.set_idle(why)

    async def _announce(self, why: str) -> None:
        """Turn every open hole into a gap entry."""
        holes = list(self._holes)
        if not holes:
            return
        now = seconds(self._clock())
        gaps: list[Draft] = [Gap(now, hole.start, hole.end, f"{hole.why}; {why}") for hole in holes]
        await self._recorder.record(gaps, lambda: {"holes": self._holes.dump(without=holes)})
        self._holes.remove(holes)

    def _failed(self, reason: str) -> None:
        self._tries += 1
        self.health.fail(reason)

    def _pause(self) -> float:
        pace = self._polling.fallback if self._bot.status == "offline" else self._polling.quiet
        if self._tries:
            pace = min(pace, LONGEST, 0.5 * 2.0 ** min(self._tries, 6))
        return min(pace, self._waiting) if self._waiting else pace
