"""The markets that are traded, their quotes, recent mids and events."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from decimal import Decimal

from bot.errors import VenueUnavailable
from bot.fees import HIGHEST_FEES, FeeRule
from bot.market_data import MarketData
from bot.risk import EventTerms
from bot.strategy_types import BookLevel, Quote
from bot.throttle import Throttle

log = logging.getLogger(__name__)

_MIDS = 120  # mids remembered per market
_FIRST_MIDS = 20  # public trades that the mids start from
_CHOOSE_EVERY = 60.0  # seconds between choices of better markets
_REPLACE_EVERY = 5.0  # the same while one of ours has closed
_DETAILS = 2  # markets whose event and fees are read in one turn
_DETAILS_RETRY = 30.0  # seconds
_FEES_EVERY = 3600.0  # seconds between two reads of a market's fees, which may change while it trades

Depth = tuple[Sequence[BookLevel], Sequence[BookLevel]]


class Watchlist:
    """fixed: tickers named by a person; if empty, the `count` most traded markets, chosen anew as they close.

    clock: monotonic seconds.
    """

    def __init__(self, market_data: MarketData, fixed: Sequence[str], count: int, clock: Callable[[], float]) -> None:
        self._market_data = market_data
        self._fixed = bool(fixed)
        self._count = count
        self._clock = clock
        self._throttle = Throttle(clock)
        # all mutable state: the markets, their quotes, mids, depth and fees, and if an event's markets exclude others
        self.tickers: list[str] = list(fixed)
        self.quotes: dict[str, Quote] = {}
        self.depth: dict[str, Depth] = {}
        self._mids: dict[str, deque[Decimal]] = {}
        self._fees: dict[str, FeeRule] = {}
        self._exclusive: dict[str, bool] = {}

    def __repr__(self) -> str:
        return f"Watchlist({self.tickers})"

    @property
    def age(self) -> float:
        """Seconds since the newest quote was read; infinite before the first."""
        newest = max((quote.read_at for quote in self.quotes.values()), default=float("-inf"))
        return self._clock() - newest

    def mids(self, ticker: str) -> tuple[Decimal, ...]:
        """Return the recent mids, oldest first, the present one last."""
        return tuple(self._mids.get(ticker, ()))

    def fees(self, ticker: str) -> FeeRule:
        """Return the market's fees; the highest ones until they were read."""
        return self._fees.get(ticker, HIGHEST_FEES)

    def events(self) -> dict[str, str]:
        """Return the event of each quoted market, by ticker."""
        return {ticker: quote.event_ticker for ticker, quote in self.quotes.items() if quote.event_ticker}

    def terms(self) -> dict[str, EventTerms]:
        """Return the relations between the markets of each event."""
        found: dict[str, EventTerms] = {}
        events = self.events()
        for event in set(events.values()):
            strikes = {
                ticker: strike for ticker, strike in self._market_data.strikes.items() if events.get(ticker) == event
            }
            found[event] = EventTerms(self._exclusive.get(event, False), strikes)
        return found

    async def read(self, open_positions: Collection[str], resting: Iterable[str], depth: Iterable[str] = ()) -> None:
        """Read quotes of the traded markets and of those with a position or order. Raises VenueUnavailable.

        depth: the markets whose book is read as well.
        """
        if not self._fixed and self._throttle.due("choose", _CHOOSE_EVERY if self._all_open() else _REPLACE_EVERY):
            with self._throttle.retried("choose"):
                await self._choose(open_positions)
        self.quotes |= await self._market_data.quotes({*self.tickers, *open_positions, *resting})
        unknown = [ticker for ticker in self.tickers if ticker not in self.quotes]
        if unknown and self._throttle.due("unknown", _CHOOSE_EVERY):
            log.warning("not listed by the exchange: %s; they are not traded", ", ".join(unknown))
        for ticker in self.tickers:
            mid = self.quotes[ticker].mid if ticker in self.quotes else None
            if mid is not None:
                self._mids.setdefault(ticker, deque(maxlen=_MIDS)).append(mid)
        for ticker in depth:
            self.depth[ticker] = await self._market_data.depth(ticker)
        await self._read_details()

    async def _read_details(self) -> None:
        """Read events that are missing, and fees that are missing or old, of a few markets; failures are retried."""
        events = self.events()
        missing = sorted({events[name] for name in self.tickers if name in events} - self._exclusive.keys())
        for event in self._some_due("event", missing):
            with suppress(VenueUnavailable):
                self._exclusive[event] = await self._market_data.exclusive(event)
        for ticker in self._some_due("fees", [name for name in self.tickers if name in self.quotes]):
            with suppress(VenueUnavailable):
                self._fees[ticker] = await self._market_data.fee_rule(ticker)

    def _some_due(self, kind: str, names: Sequence[str]) -> list[str]:
        """Return the first names whose detail was not tried lately, or has grown old."""
        due: list[str] = []
        for name in names:
            every = _FEES_EVERY if name in self._fees else _DETAILS_RETRY
            if len(due) < _DETAILS and self._throttle.due(f"{kind} {name}", every):
                due.append(name)
        return due

    async def _choose(self, open_positions: Collection[str]) -> None:
        """Keep the markets that still trade and are among the best or hold a position; fill up with the best."""
        best = await self._market_data.choose(self._count * 2)
        active = [name for name in open_positions if name in self.quotes and self.quotes[name].active]
        kept = [name for name in self.tickers if name in best or name in active]
        new = [name for name in best if name not in kept][: max(0, self._count - len(kept))]
        # a market keeps its place, and with it its strategy
        places = [name if name in kept else new.pop(0) if new else "" for name in self.tickers]
        chosen = [name for name in [*places, *new] if name]
        for name in chosen:
            if name not in self._mids:
                self._mids[name] = deque(await self._market_data.recent(name, _FIRST_MIDS), maxlen=_MIDS)
        if chosen != self.tickers:
            log.info("trading %s", ", ".join(chosen) or "nothing: no open market is liquid enough")
        self.tickers = chosen

    def _all_open(self) -> bool:
        return bool(self.tickers) and all(t not in self.quotes or self.quotes[t].active for t in self.tickers)
