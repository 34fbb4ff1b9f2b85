"""Which markets are traded, and what was seen of them: quotes, and the mids that a strategy remembers."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal

from bot.market_data import MarketData
from bot.strategy_types import Quote
from bot.throttle import Throttle

log = logging.getLogger(__name__)

_LOOKS = 120  # mids remembered per market
_WARM = 20  # public trades that a mean starts from
_CHOOSE_EVERY = 60.0  # seconds between looks for better markets
_REPLACE_EVERY = 5.0  # the same while one of ours has closed


class Watchlist:
    """fixed: tickers that a person named; empty: the `count` most traded ones, chosen anew as they close."""

    def __init__(self, prices: MarketData, fixed: Sequence[str], count: int, clock: Callable[[], float]) -> None:
        self._prices = prices
        self._fixed = bool(fixed)
        self._count = count
        self._pace = Throttle(clock)
        # all mutable state: the markets, their last quotes, their recent mids
        self.tickers: list[str] = list(fixed)
        self.quotes: dict[str, Quote] = {}
        self._mids: dict[str, deque[Decimal]] = {}

    def __repr__(self) -> str:
        return f"Watchlist({self.tickers})"

    @property
    def newest(self) -> float:
        """When the newest quote was read; 0 before the first."""
        return max((quote.as_of for quote in self.quotes.values()), default=0.0)

    def mids(self, ticker: str) -> tuple[Decimal, ...]:
        """Oldest first, the present one last."""
        return tuple(self._mids.get(ticker, ()))

    async def look(self, held: Collection[str], resting: Iterable[str]) -> None:
        """Read the markets that are traded, and those where something of ours is. Raises VenueUnavailable."""
        if not self._fixed and self._pace.due("choose", _CHOOSE_EVERY if self._all_open() else _REPLACE_EVERY):
            await self._choose(held)
        self.quotes |= await self._prices.quotes({*self.tickers, *held, *resting})
        unknown = [ticker for ticker in self.tickers if ticker not in self.quotes]
        if unknown and self._pace.due("unknown", _CHOOSE_EVERY):
            log.warning("the exchange does not know %s", ", ".join(unknown))
        for ticker in self.tickers:
            mid = self.quotes[ticker].mid if ticker in self.quotes else None
            if mid is not None:
                self._mids.setdefault(ticker, deque(maxlen=_LOOKS)).append(mid)

    async def _choose(self, held: Collection[str]) -> None:
        """Keep what still trades and is worth it or holds a position, fill up with the best, warm up their means."""
        best = await self._prices.choose(self._count * 2)
        kept = [name for name in self.tickers if name in best or (name in held and self.quotes[name].active)]
        new = [name for name in best if name not in kept][: max(0, self._count - len(kept))]
        # a market keeps its place, and with it its strategy
        places = [name if name in kept else new.pop(0) if new else "" for name in self.tickers]
        chosen = [name for name in [*places, *new] if name]
        for name in chosen:
            if name not in self._mids:
                self._mids[name] = deque(await self._prices.recent(name, _WARM), maxlen=_LOOKS)
        if chosen != self.tickers:
            log.info("trading %s", ", ".join(chosen) or "nothing: no market is worth it")
        self.tickers = chosen

    def _all_open(self) -> bool:
        return bool(self.tickers) and all(t not in self.quotes or self.quotes[t].active for t in self.tickers)
