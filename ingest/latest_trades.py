"""The answer of trades/live: the newest trades of the journal, and how sure we are that there are no newer ones."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from cache.base import Cache
from journal.entries import Entry

HELD: Final = 1000  # trades in memory, the most that one answer may ask for
CACHE_KEY: Final = "live:swept"


@dataclass(frozen=True, slots=True)
class LatestTradesAnswer:
    """trades: JSON texts, newest first. cursor_seq: the journal's place when they were read."""

    trades: list[str]
    source: str
    as_of: float
    stale: bool
    cursor_seq: int


@dataclass(frozen=True, slots=True)
class SourceTimes:
    """When each source last confirmed the trades (Unix seconds, 0 for never), and how old each may be."""

    polled: float  # a good poll of the bot was asked
    cached: tuple[str, float]  # a sweep of the exchange's fills that a cache remembers: its name, and as of when
    swept: float  # a sweep just made
    told: float  # the newest confirmation of any kind, for an answer that none covers
    interval: float  # of the poller
    pace: float  # of the fallback

    def choose(self, now: float) -> tuple[str, float, bool]:
        """source, as_of, stale. The bot first, then what a cache remembers, then the exchange, then our own journal."""
        if now - self.polled < 2 * self.interval:
            return "bot_live", self.polled, False
        name, cached = self.cached
        if now - cached < self.pace:
            return name, cached, False
        if now - self.swept < self.pace:
            return "kalshi_api", self.swept, False
        return "journal", self.told, True


class TradeWindow:
    """The journal's newest trades in memory, and the choice of source. A listener of the feed."""

    def __init__(self, position: int) -> None:
        self._trades: list[Entry] = []  # oldest first by (timestamp, seq)
        self.position = position

    def publish(self, entries: Sequence[Entry]) -> None:
        """Take entries in order, as the feed hands them out."""
        self.position = max(self.position, entries[-1].seq)
        trades = [entry for entry in entries if entry.kind == "trade"]
        if trades:
            self._trades = sorted([*self._trades, *trades], key=lambda entry: (entry.timestamp, entry.seq))[-HELD:]

    def newest(self, limit: int) -> list[str]:
        """The bodies of the newest trades, newest first."""
        return [entry.body for entry in islice(reversed(self._trades), limit)]


class LatestTrades:
    """Answers trades/live in every worker. sources: what is known now; sweep: asks the exchange, if this worker may."""

    def __init__(
        self, live: TradeWindow, sources: Callable[[str, float], SourceTimes], sweep: Callable[[], Awaitable[None]],
        cache: Cache, clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self._live = live
        self._sources = sources
        self._sweep = sweep
        self._cache = cache
        self._clock = clock

    async def answer(self, limit: int) -> LatestTradesAnswer:
        """At most limit trades. Never raises and never asks the bot."""
        source, as_of, stale = self._sources("", 0.0).choose(self._clock())
        if source != "bot_live":
            source, as_of, stale = await self._fallback()
        return LatestTradesAnswer(self._live.newest(limit), source, as_of, stale, self._live.position)

    def polled(self) -> tuple[float, bool]:
        """When the bot last answered (Unix seconds, 0: never), and whether that is older than live."""
        sources = self._sources("", 0.0)
        return sources.polled, sources.choose(self._clock())[0] != "bot_live"

    async def _fallback(self) -> tuple[str, float, bool]:
        kept = await self._cache.get(CACHE_KEY)
        try:
            cached = float(kept or 0)
        except ValueError:
            cached = 0.0  # foreign bytes under our key are no answer
        if not 0 <= cached <= self._clock():
            cached = 0.0  # nor is what has yet to come
        sources = self._sources(self._cache.name, cached)
        found = sources.choose(self._clock())
        if found[2]:
            await self._sweep()
            found = self._sources(self._cache.name, cached).choose(self._clock())
        if found[0] == "kalshi_api":
            await self._cache.set(CACHE_KEY, str(found[1]).encode(), sources.pace)
        return found
