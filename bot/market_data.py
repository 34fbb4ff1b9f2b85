"""Market data: quotes, events, depth, the choice of markets, the state of the exchange and the fees of a series."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote as quoted

from bot.errors import VenueUnavailable
from bot.exposure import Strike
from bot.fees import FeeRule
from bot.reasons import reason_of
from bot.strategy_types import ONE, BookLevel, PriceBand, Quote
from kalshi.client import AT_ONCE, KalshiClient
from kalshi.errors import FieldError, KalshiError
from kalshi.market_models import Market, Orderbook
from kalshi.records import RecordReader
from ledger.marks import MarkInputs, mark_price

_WIDEST = Decimal("0.10")  # markets with a wider spread are not chosen
_EDGE = Decimal("0.10")  # nor markets with a price this near to 0 or 1
_SOONEST = 120  # seconds that a chosen market must stay open at least
_PAGES = 5


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """active: the exchange works at all. trading: it takes orders."""

    active: bool
    trading: bool


@dataclass(frozen=True, slots=True)
class OpenMarket:
    """A market that may be chosen. Prices in dollars, None for an empty side; close_time in Unix seconds."""

    ticker: str
    bid: Decimal | None
    ask: Decimal | None
    volume_24h: Decimal
    volume: Decimal
    close_time: float


class MarketData:
    """Public reads, which need no key. Methods raise VenueUnavailable and nothing else. clock: monotonic seconds."""

    def __init__(self, client: KalshiClient, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._wall = wall
        self.strikes: dict[str, Strike] = {}  # all mutable state: strikes by ticker, as far as quotes were read

    async def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        """Return the markets' present quotes by ticker, without tickers that the exchange does not list."""
        names = sorted(set(tickers))
        found: dict[str, Quote] = {}
        with _as_unavailable():
            for start in range(0, len(names), AT_ONCE):
                params: dict[str, str | int] = {"tickers": ",".join(names[start : start + AT_ONCE]), "limit": AT_ONCE}
                for row in (await self._get("/markets", params)).many("markets"):
                    quote = read_quote(row, self._clock())
                    found[quote.ticker] = quote
                    if (strike := read_strike(row)) is not None:
                        self.strikes[quote.ticker] = strike
        return found

    async def choose(self, count: int) -> list[str]:
        """Return the most traded open markets that have two sides, a narrow spread and time left."""
        suitable = [market for market in await self.open_markets() if _suitable(market, self._wall())]
        suitable.sort(key=lambda market: (-market.volume_24h, -market.volume, market.ticker))
        return [market.ticker for market in suitable[:count]]

    async def open_markets(self) -> list[OpenMarket]:
        """Return the markets that take orders; of very many the first pages."""
        found: list[OpenMarket] = []
        cursor = ""
        for _ in range(_PAGES):
            params: dict[str, str | int] = {"status": "open", "limit": 1000, "mve_filter": "exclude"}
            with _as_unavailable():
                page = await self._client.markets(params | ({"cursor": cursor} if cursor else {}))
            found += [
                OpenMarket(row.ticker, row.yes_bid, row.yes_ask, row.volume_24h, row.volume, float(row.close_time))
                for row in page.rows if row.status == "active"
            ]  # fmt: skip
            if page.next is None:
                break
            cursor = page.next
        return found

    async def recent(self, ticker: str, count: int) -> list[Decimal]:
        """Return the prices of the last public trades, oldest first."""
        with _as_unavailable():
            fields = await self._get("/markets/trades", {"ticker": ticker, "limit": count})
            return [row.price("yes_price_dollars") for row in fields.many("trades")][::-1]

    async def state(self) -> ExchangeState:
        """Return the state of the exchange."""
        with _as_unavailable():
            status = await self._client.status()
        return ExchangeState(status.exchange_active, status.exchange_active and status.trading_active)

    async def exclusive(self, event_ticker: str) -> bool:
        """Return True if at most one market of the event pays YES."""
        with _as_unavailable():
            event = (await self._get(f"/events/{quoted(event_ticker, safe='')}")).one("event")
            return event.flag("mutually_exclusive")

    async def depth(self, ticker: str, levels: int = 10) -> tuple[Sequence[BookLevel], Sequence[BookLevel]]:
        """Return bids and asks in YES prices, best first."""
        with _as_unavailable():
            book: Orderbook = await self._client.orderbook(ticker, levels)
        bids = [BookLevel(level.price, level.quantity) for level in book.yes]
        asks = [BookLevel(ONE - level.price, level.quantity) for level in book.no]
        return bids, asks

    async def fee_rule(self, ticker: str) -> FeeRule:
        """Return the fees of the market's series, which is found by way of its event."""
        with _as_unavailable():
            market = (await self._get(f"/markets/{quoted(ticker, safe='')}")).one("market")
            event = (await self._get(f"/events/{quoted(market.text('event_ticker'), safe='')}")).one("event")
            series = (await self._get(f"/series/{quoted(event.text('series_ticker'), safe='')}")).one("series")
            return FeeRule.of_series(series.text("fee_type"), series.number("fee_multiplier"))

    async def _get(self, path: str, params: dict[str, str | int] | None = None) -> RecordReader:
        return RecordReader(await self._client.request("GET", path, params), f"GET {path}")


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """Turn errors of the exchange into VenueUnavailable, renamed fields included: the read is tried again."""
    try:
        yield
    except KalshiError as error:
        raise VenueUnavailable(str(error), reason_of(error)) from error


def read_quote(fields: RecordReader, now: float) -> Quote:
    """Return one market's row as a quote. now: monotonic seconds. Raises FieldError."""
    market = Market.from_api(fields)
    return Quote(
        ticker=market.ticker, bid=market.yes_bid, bid_size=market.yes_bid_size, ask=market.yes_ask,
        ask_size=market.yes_ask_size, last=market.last_price, volume=market.volume, read_at=now,
        active=market.status == "active", bands=read_bands(fields),
        value=market.settlement_value if market.status == "finalized" else None,
        close_time=float(market.close_time), event_ticker=market.event_ticker,
        exchange_index=fields.whole("exchange_index") if fields.has("exchange_index") else 0, 
        mark=mark_of_prices(
            market.yes_bid, market.yes_ask, market.last_price, market.settlement_value, market.result
        ),
    )  # fmt: skip


def read_bands(fields: RecordReader) -> tuple[PriceBand, ...]:
    """Return the valid prices of a market's row. Raises FieldError unless there is at least one step above 0."""
    bands = []
    for row in fields.many("price_ranges"):
        band = PriceBand(row.dollars("start"), row.dollars("end"), row.dollars("step"))
        if band.step <= 0 or band.start >= band.end:
            raise row.error("step", f"expected a step above 0 from {band.start} to a higher price")
        bands.append(band)
    if not bands:
        raise fields.wrong("price_ranges", "a list of at least one range")
    return tuple(bands)


def mark_of_prices(
    bid: Decimal | None, ask: Decimal | None, last: Decimal | None, value: Decimal | None = None, result: str = ""
) -> Decimal | None:
    """Return the dollars that one YES is worth by the ledger's rule, as everywhere in the program; None if unknown."""
    return mark_price(MarkInputs(bid, ask, last, result, value))


def read_strike(fields: RecordReader) -> Strike | None:
    """Return the numeric strike of a market's row; None if it has none."""
    kind = fields.maybe_text("strike_type") or ""
    low, high = _strike_end(fields, "floor_strike"), _strike_end(fields, "cap_strike")
    if kind in ("greater", "greater_or_equal") and low is not None:
        return Strike(low, None, with_low=kind == "greater_or_equal")
    if kind in ("less", "less_or_equal") and high is not None:
        return Strike(None, high, with_high=kind == "less_or_equal")
    if kind == "between" and low is not None and high is not None:
        return Strike(low, high)
    return None


def _strike_end(fields: RecordReader, name: str) -> Decimal | None:
    try:
        return fields.number(name) if fields.has(name) else None
    except FieldError:
        return None


def _suitable(market: OpenMarket, now: float) -> bool:
    bid, ask = market.bid, market.ask
    if bid is None or ask is None:
        return False
    middle = (bid + ask) / 2
    return ask - bid <= _WIDEST and _EDGE <= middle <= 1 - _EDGE and market.close_time - now >= _SOONEST
