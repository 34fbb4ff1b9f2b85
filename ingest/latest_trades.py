"""Answer of trades/live: the newest trades of the journal, and how recently a source confirmed that none is newer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cache.base import Answer, Cache
from cache.decimal_json import dumps, loads
from journal.entries import Entry

MAX_TRADES: Final = 1000  # in memory, and the most that one answer may ask for
CACHE_KEY: Final = "live:swept"
CORRECTED_FIELDS: Final = ("timestamp", "ticker", "side", "quantity", "price", "outcome", "fee", "order_id")


@dataclass(frozen=True, slots=True)
class SourceTimes:
    """Unix seconds at which bot and exchange last confirmed the trades (0: never), and how old each may be."""

    polled: float  # the last good poll of the bot
    read_at: float  # the last reading of the exchange by a worker
    interval: float  # seconds between two polls
    fallback: float  # seconds between two readings of the exchange

    def choose(self, now: float, cache: str = "", cached: float = 0.0) -> tuple[str, float, bool]:
        """Return source, as_of, stale. cached: Unix seconds of the exchange's last reading in this cache."""
        if now - self.polled < 2 * self.interval:
            return "bot_live", self.polled, False
        if now - cached < self.fallback:
            return cache, cached, False
        if now - self.read_at < self.fallback:
            return "kalshi_api", self.read_at, False
        return "journal", max(self.polled, cached, self.read_at), True


@dataclass(slots=True, eq=False)
class LatestTrades:
    """The journal's newest trades, corrections applied; answers trades/live in every worker."""

    position: int  # seq of the last entry received; 0 from restart() to load()
    sources: Callable[[], SourceTimes]  # returns the times as they are now
    read_exchange: Callable[[], Awaitable[None]]  # reads the exchange if this worker is the leader
    store: Cache
    clock: Callable[[], float]
    _trades: list[Entry] = field(default_factory=list)  # oldest first by (timestamp, seq)
    _later: list[Entry] | None = None  # entries received from restart() to load()

    def publish(self, entries: Sequence[Entry]) -> None:
        """Take entries in the order of the journal, as a listener of the journal tailer."""
        if self._later is not None:
            self._later += entries
            return
        self.position = max(self.position, entries[-1].seq)
        self._keep([*self._trades, *(entry for entry in entries if entry.kind == "trade")])
        for entry in entries:
            if entry.kind == "correction":
                self._correct(loads(entry.body))

    def _correct(self, body: dict[str, object]) -> None:
        """Give a trade the values of its correction; one that is voided (quantity 0) is dropped."""
        found = next((each for each in self._trades if each.seq == body["corrects"]), None)
        if found is not None:
            self._trades.remove(found)
            if body["quantity"]:
                changed = {name: body[name] for name in CORRECTED_FIELDS if name in body}
                found = replace(found, ticker=str(body["ticker"]), body=dumps(loads(found.body) | changed))
                self._keep([*self._trades, found])

    def _keep(self, trades: list[Entry]) -> None:
        self._trades = sorted(trades, key=lambda entry: (entry.timestamp, entry.seq))[-MAX_TRADES:]

    def restart(self) -> None:
        """Drop every trade of a journal that went back in time; load() follows."""
        self._trades, self.position, self._later = [], 0, []

    def load(self, position: int, entries: Sequence[Entry]) -> None:
        """Take the journal's newest entries up to position, ascending."""
        later, self._later, self.position = self._later or [], None, position
        if found := [*entries, *later]:
            self.publish(found)

    def newest(self, limit: int) -> list[str]:
        """Return the bodies of the newest trades, newest first."""
        return [entry.body for entry in self._trades[-limit:][::-1]] if limit > 0 else []

    async def answer(self, limit: int) -> tuple[Answer, int]:
        """Return at most limit trades (JSON texts), and the journal's head then. Never raises or calls the bot."""
        source, as_of, stale = self.sources().choose(self.clock())
        if source != "bot_live":
            source, as_of, stale = await self._fallback()
        return Answer(self.newest(limit), source, as_of, stale), self.position

    def polled(self) -> tuple[float, bool]:
        """Return the Unix seconds of the last good poll (0: never), and True if it is too old to count as live."""
        sources = self.sources()
        return sources.polled, sources.choose(self.clock())[0] != "bot_live"

    async def _fallback(self) -> tuple[str, float, bool]:
        try:
            cached = float(await self.store.get(CACHE_KEY) or 0)
        except ValueError:
            cached = 0.0  # another program's bytes under our key
        if not 0 <= cached <= self.clock():  # nor a time in the future
            cached = 0.0
        found = self.sources().choose(self.clock(), self.store.name, cached)
        if found[2]:
            await self.read_exchange()
            found = self.sources().choose(self.clock(), self.store.name, cached)
        if found[0] == "kalshi_api":
            await self.store.set(CACHE_KEY, str(found[1]).encode(), self.sources().fallback)
        return found
