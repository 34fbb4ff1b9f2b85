"""Market data for the bot: quotes, which markets are worth it, whether the exchange trades, what a trade costs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from urllib.parse import quote as quoted

from bot.errors import VenueUnavailable
from bot.fees import FeeRule
from bot.strategy_types import PriceBand, Quote
from kalshi.client import AT_ONCE, KalshiClient
from kalshi.errors import KalshiError
from kalshi.market_models import Market
from kalshi.record_reader import RecordReader

_WIDEST = Decimal("0.10")  # a spread beyond this is no market
_EDGE = Decimal("0.10")  # nor is a price this near to 0 or 1
_SOONEST = 120  # seconds that a market should still be open
_PAGES = 5


class MarketData:
    """Public reads only, no key needed. Methods raise VenueUnavailable and nothing else."""

    def __init__(self, client: KalshiClient, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock

    async def quotes(self, tickers: Iterable[str]) -> dict[str, Quote]:
        """The markets as they stand, by ticker; one that the exchange does not name is not there."""
        names = sorted(set(tickers))
        found: dict[str, Quote] = {}
        with _waited_out():
            for start in range(0, len(names), AT_ONCE):
                params: dict[str, str | int] = {"tickers": ",".join(names[start : start + AT_ONCE]), "limit": AT_ONCE}
                for row in (await self._get("/markets", params)).many("markets"):
                    quote = read_quote(row, self._clock())
                    found[quote.ticker] = quote
        return found

    async def choose(self, count: int) -> list[str]:
        """The most traded open markets with two sides, a spread worth the name and time left."""
        rows: list[Market] = []
        cursor = ""
        for _ in range(_PAGES):
            params: dict[str, str | int] = {"status": "open", "limit": 1000, "mve_filter": "exclude"}
            with _waited_out():
                page = await self._client.markets(params | ({"cursor": cursor} if cursor else {}))
            rows += page.rows
            if page.next is None:
                break
            cursor = page.next
        worth = [row for row in rows if _worth(row, self._clock())]
        worth.sort(key=lambda row: (-row.volume_24h, -row.volume, row.ticker))
        return [row.ticker for row in worth[:count]]

    async def recent(self, ticker: str, count: int) -> list[Decimal]:
        """Prices of the last public trades, oldest first: what a mean can start from."""
        with _waited_out():
            fields = await self._get("/markets/trades", {"ticker": ticker, "limit": count})
            return [row.price("yes_price_dollars") for row in fields.many("trades")][::-1]

    async def trading(self) -> bool:
        """Does the exchange take orders now?"""
        with _waited_out():
            status = await self._client.status()
        return status.exchange_active and status.trading_active

    async def fee_rule(self, ticker: str) -> FeeRule:
        """The fees of the market's series (Kalshi docs: the way leads over its event)."""
        with _waited_out():
            market = (await self._get(f"/markets/{quoted(ticker, safe='')}")).one("market")
            event = (await self._get(f"/events/{quoted(market.text('event_ticker'), safe='')}")).one("event")
            series = (await self._get(f"/series/{quoted(event.text('series_ticker'), safe='')}")).one("series")
            return FeeRule.of_series(series.text("fee_type"), series.number("fee_multiplier"))

    async def _get(self, path: str, params: dict[str, str | int] | None = None) -> RecordReader:
        return RecordReader(await self._client.request("GET", path, params), f"GET {path}")


@contextmanager
def _waited_out() -> Iterator[None]:
    """An exchange that does not answer, or in other words than it used to, is no fault of ours: it is asked again."""
    try:
        yield
    except KalshiError as error:
        raise VenueUnavailable(str(error)) from error


def read_quote(fields: RecordReader, now: float) -> Quote:
    """One market's row. Raises FieldError."""
    market = Market.from_api(fields)
    bands = tuple(
        PriceBand(row.dollars("start"), row.dollars("end"), row.dollars("step")) for row in fields.many("price_ranges")
    )
    return Quote(
        ticker=market.ticker, bid=market.yes_bid, bid_size=market.yes_bid_size, ask=market.yes_ask,
        ask_size=market.yes_ask_size, last=market.last_price, volume=market.volume, as_of=now,
        active=market.status == "active", bands=bands,
        value=market.settlement_value if market.status == "finalized" else None,
    )  # fmt: skip


def _worth(market: Market, now: float) -> bool:
    bid, ask = market.yes_bid, market.yes_ask
    if market.status != "active" or bid is None or ask is None:
        return False
    middle = (bid + ask) / 2
    return ask - bid <= _WIDEST and _EDGE <= middle <= 1 - _EDGE and float(market.close_time) - now >= _SOONEST
