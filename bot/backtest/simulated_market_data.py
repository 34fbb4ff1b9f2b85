"""Market data of a simulated exchange in the same process: quotes and the list of markets without requests.

Both are read at every turn and would cost more than the trading. They equal what MarketData reads by requests.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from bot.clock import BotClock
from bot.exposure import Strike
from bot.market_data import MarketData, OpenMarket, mark_of_prices
from bot.strategy_types import ZERO, PriceBand, Quote
from kalshi.client import KalshiClient
from kalshi.records import RecordReader
from simulator.market import GRIDS, STATUS_FILTERS, SimulatedMarket
from simulator.order_book import BookSide
from simulator.units import format_count, format_price, format_time


class SimulatedMarketData(MarketData):
    """markets: those of the exchange, by ticker. Everything else is read by requests."""

    def __init__(self, client: KalshiClient, markets: Mapping[str, SimulatedMarket], clock: BotClock) -> None:
        super().__init__(client, clock.monotonic, clock.wall)
        self._markets = markets

    async def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        """Return the markets' present quotes by ticker, without tickers that the exchange does not list."""
        now, names = self._clock(), set(tickers)
        found = {ticker: _quote(market, now) for ticker, market in self._markets.items() if ticker in names}
        for ticker in found.keys() - self.strikes.keys():
            if (strike := self._markets[ticker].strike) is not None:
                self.strikes[ticker] = Strike(Decimal(strike), None)
        return found

    async def open_markets(self) -> list[OpenMarket]:
        """Return the markets that take orders."""
        return [
            OpenMarket(
                market.ticker, _best(market.book.bids), _best(market.book.asks), _contracts(market.volume),
                _contracts(market.volume), _seconds(market.closes),
            )
            for market in self._markets.values() if market.status in STATUS_FILTERS["open"]
        ]  # fmt: skip


def _quote(market: SimulatedMarket, now: float) -> Quote:
    bids, asks, last = market.book.bids, market.book.asks, _dollars(market.last) if market.last else None
    bid, ask, value = _best(bids), _best(asks), None if market.value is None else _dollars(market.value)
    return Quote(
        ticker=market.ticker, bid=bid, bid_size=_best_size(bids), ask=ask, ask_size=_best_size(asks), last=last,
        volume=_contracts(market.volume), read_at=now, active=market.status == "active",
        bands=_bands(market.structure), value=value if market.status == "finalized" else None,
        close_time=_seconds(market.closes), event_ticker=market.event.ticker, exchange_index=market.shard,
        mark=mark_of_prices(bid, ask, last, value, market.result),
    )  # fmt: skip


def _best(side: BookSide) -> Decimal | None:
    return None if side.best is None else _dollars(side.best)


def _best_size(side: BookSide) -> Decimal:
    return ZERO if side.best is None else _contracts(side.sizes[side.best])


@lru_cache(16_384)
def _dollars(price: int) -> Decimal:
    return Decimal(format_price(price))


@lru_cache(16_384)
def _contracts(count: int) -> Decimal:
    return Decimal(format_count(count))


@lru_cache(4096)
def _seconds(at: float) -> float:
    """Return the Unix seconds as the exchange sends them, rounded to microseconds."""
    return float(RecordReader({"at": format_time(at)}, "clock").moment("at"))


@lru_cache
def _bands(structure: str) -> tuple[PriceBand, ...]:
    return tuple(PriceBand(_dollars(start), _dollars(end), _dollars(step)) for start, end, step in GRIDS[structure])
