"""Candlesticks: trades and quotes of each market, collected by minute."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from simulator.events import ExchangeEvent, TradeEvent
from simulator.market import SimulatedMarket

MINUTE: Final = 60
SAMPLE_EVERY: Final = 5.0
"""Seconds between two samples of the quotes."""
MINUTES_KEPT: Final = 2880
"""Minutes kept for each market: two days."""


@dataclass(slots=True)
class PriceRange:
    """Open, low, high and close of prices; None before the first."""

    open: int | None = None
    low: int = 0
    high: int = 0
    close: int = 0

    def add(self, price: int) -> None:
        """Include a price."""
        if self.open is None:
            self.open = self.low = self.high = price
        self.low, self.high, self.close = min(self.low, price), max(self.high, price), price

    def merge(self, later: "PriceRange") -> None:
        """Include the prices of a later range."""
        if later.open is not None:
            if self.open is None:
                self.open, self.low, self.high = later.open, later.low, later.high
            self.low, self.high, self.close = min(self.low, later.low), max(self.high, later.high), later.close


@dataclass(slots=True)
class Candlestick:
    """One period of a market. end: Unix seconds of its inclusive end. value: money, the sum of price x count."""

    end: int
    bid: PriceRange = field(default_factory=PriceRange)
    ask: PriceRange = field(default_factory=PriceRange)
    price: PriceRange = field(default_factory=PriceRange)
    volume: int = 0
    value: int = 0
    open_interest: int = 0
    previous: int | None = None

    def merge(self, later: "Candlestick") -> None:
        """Include a later period."""
        self.bid.merge(later.bid)
        self.ask.merge(later.ask)
        self.price.merge(later.price)
        self.volume += later.volume
        self.value += later.value
        self.open_interest = later.open_interest


class CandlestickRecorder:
    """Collect one candlestick a minute and market from trades and from samples of the quotes."""

    def __init__(self, markets: dict[str, SimulatedMarket], sample_every: float = SAMPLE_EVERY) -> None:
        self.markets = markets
        self._minutes: dict[str, dict[int, Candlestick]] = defaultdict(dict)  # ticker -> end -> candlestick
        self._sample_every = sample_every
        self._next_sample = 0.0

    def on_event(self, event: ExchangeEvent) -> None:
        """Include a trade."""
        if isinstance(event, TradeEvent):
            candlestick = self._minute(event.ticker, event.at)
            candlestick.price.add(event.price)
            candlestick.volume += event.count
            candlestick.value += event.count * event.price
            candlestick.open_interest = self.markets[event.ticker].open_interest

    def sample(self, now: float) -> None:
        """Include the quotes of all active markets every sample_every seconds, and drop markets that are gone."""
        if now < self._next_sample:
            return
        self._next_sample = now + self._sample_every
        for market in self.markets.values():
            if market.status == "active" and market.quoted:
                candlestick = self._minute(market.ticker, now)
                bid, ask = market.book.bids.best, market.book.asks.best
                candlestick.bid.add(bid or 0)
                candlestick.ask.add(10_000 if ask is None else ask)
                candlestick.open_interest = market.open_interest
        for ticker in self._minutes.keys() - self.markets.keys():
            del self._minutes[ticker]

    def periods(self, ticker: str, start: int, end: int, minutes: int) -> list[Candlestick]:
        """Return the candlesticks of a market that end between start and end (Unix seconds), oldest first."""
        found: dict[int, Candlestick] = {}
        seconds, last_price = minutes * MINUTE, None
        for at, minute in sorted(self._minutes.get(ticker, {}).items()):
            period_end = -(-at // seconds) * seconds
            if start <= period_end <= end:
                merged = found.setdefault(period_end, Candlestick(period_end, previous=last_price))
                merged.merge(minute)
            if minute.price.open is not None:
                last_price = minute.price.close
        return list(found.values())

    def _minute(self, ticker: str, at: float) -> Candlestick:
        end = int(at // MINUTE + 1) * MINUTE
        minutes = self._minutes[ticker]
        if end not in minutes:
            minutes[end] = Candlestick(end)
            if len(minutes) > MINUTES_KEPT:
                del minutes[next(iter(minutes))]
        return minutes[end]
