"""Public market data: markets, order books, events and series."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from simulator.api.market_rows import book_row, event_row, market_row, series_row
from simulator.api.query import paginate, read_choice, read_int, read_limit
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute
from simulator.errors import bad_parameter, not_found
from simulator.market import STATUS_FILTERS, SimulatedMarket
from simulator.simulated_exchange import SimulatedExchange


class MarketDataApi:
    """Handlers of /markets, /events and /series."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        handlers = {
            "/markets": self.markets,
            "/markets/orderbooks": self.orderbooks,
            "/markets/{ticker}": self.market,
            "/markets/{ticker}/orderbook": self.orderbook,
            "/events": self.events,
            "/events/multivariate": self.multivariate_events,
            "/events/{event_ticker}": self.event,
            "/events/{event_ticker}/metadata": self.event_metadata,
            "/series": self.series_list,
            "/series/{series_ticker}": self.series,
        }
        return [ApiRoute("GET", path, handler) for path, handler in handlers.items()]

    def markets(self, request: ApiRequest) -> ApiResponse:
        """GET /markets."""
        query = request.query
        limit = read_limit(query, low=0) or 100
        status = read_choice(query, "status", tuple(STATUS_FILTERS))
        read_choice(query, "mve_filter", ("only", "exclude"))
        found = [market for market in self._newest_markets() if _matches(market, query, status)]
        rows, cursor = paginate(found, lambda market: market.ticker, query, limit)
        return ApiResponse({"markets": [market_row(market) for market in rows], "cursor": cursor})

    def market(self, request: ApiRequest) -> ApiResponse:
        """GET /markets/{ticker}."""
        return ApiResponse({"market": market_row(self.exchange.engine.market(request.params["ticker"]))})

    def orderbook(self, request: ApiRequest) -> ApiResponse:
        """GET /markets/{ticker}/orderbook?depth=."""
        market = self.exchange.engine.market(request.params["ticker"])
        return ApiResponse({"orderbook_fp": book_row(market.book, read_int(request.query, "depth", 0, 0, 100))})

    def orderbooks(self, request: ApiRequest) -> ApiResponse:
        """GET /markets/orderbooks?tickers=a&tickers=b."""
        tickers = [ticker for text in request.query.getall("tickers", []) for ticker in text.split(",") if ticker]
        if not 1 <= len(tickers) <= 100:
            raise bad_parameter("tickers")
        books = [
            {"ticker": ticker, "orderbook_fp": book_row(self.exchange.engine.market(ticker).book)} for ticker in tickers
        ]
        return ApiResponse({"orderbooks": books})

    def events(self, request: ApiRequest) -> ApiResponse:
        """GET /events."""
        query = request.query
        limit = read_limit(query, default=200, high=200)
        states = STATUS_FILTERS[status] if (status := read_choice(query, "status", tuple(STATUS_FILTERS))) else None
        wanted, closes = query.get("series_ticker", ""), read_int(query, "min_close_ts", 0)
        found = [
            event
            for event in reversed(self.exchange.lifecycle.events.values())
            if wanted in ("", event.series.ticker)
            and any(
                (states is None or market.status in states) and market.closes >= closes
                for market in self._markets_of(event.ticker)
            )
        ]
        rows, cursor = paginate(found, lambda event: event.ticker, query, limit)
        nested = query.get("with_nested_markets") == "true"
        return ApiResponse({"events": [self._event_row(event.ticker, nested) for event in rows], "cursor": cursor})

    def multivariate_events(self, request: ApiRequest) -> ApiResponse:
        """GET /events/multivariate: always empty; the simulator has no combos."""
        return ApiResponse({"events": [], "cursor": ""})

    def event(self, request: ApiRequest) -> ApiResponse:
        """GET /events/{event_ticker}."""
        ticker = request.params["event_ticker"]
        if ticker not in self.exchange.lifecycle.events:
            raise not_found("event not found")
        nested = request.query.get("with_nested_markets") == "true"
        markets = [] if nested else [market_row(market) for market in self._markets_of(ticker)]
        return ApiResponse({"event": self._event_row(ticker, nested), "markets": markets})

    def event_metadata(self, request: ApiRequest) -> ApiResponse:
        """GET /events/{event_ticker}/metadata."""
        ticker = request.params["event_ticker"]
        if ticker not in self.exchange.lifecycle.events:
            raise not_found("event not found")
        details = [
            {"market_ticker": market.ticker, "image_url": f"/images/{market.ticker}.webp", "color_code": "#0AC285"}
            for market in self._markets_of(ticker)
        ]
        image = f"/images/{ticker}.webp"
        return ApiResponse({"image_url": image, "market_details": details, "settlement_sources": []})

    def series_list(self, request: ApiRequest) -> ApiResponse:
        """GET /series?category=."""
        category = request.query.get("category", "")
        rows = [series_row(s) for s in self.exchange.lifecycle.series.values() if category in ("", s.category)]
        return ApiResponse({"series": rows})

    def series(self, request: ApiRequest) -> ApiResponse:
        """GET /series/{series_ticker}."""
        if (ticker := request.params["series_ticker"]) not in self.exchange.lifecycle.series:
            raise not_found("series not found")
        return ApiResponse({"series": series_row(self.exchange.lifecycle.series[ticker])})

    def _newest_markets(self) -> Iterable[SimulatedMarket]:
        return reversed(self.exchange.engine.markets.values())

    def _markets_of(self, event_ticker: str) -> list[SimulatedMarket]:
        return [m for m in self.exchange.engine.markets.values() if m.event.ticker == event_ticker]

    def _event_row(self, ticker: str, nested: bool) -> dict[str, Any]:
        row = event_row(self.exchange.lifecycle.events[ticker])
        return row | ({"markets": [market_row(market) for market in self._markets_of(ticker)]} if nested else {})


TIME_FILTERS: dict[str, tuple[Callable[[SimulatedMarket], float | None], tuple[str, ...]]] = {
    "created": (lambda market: market.created, ("", "unopened", "open")),
    "close": (lambda market: market.closes, ("", "closed")),
    "settled": (lambda market: market.settled_at, ("", "settled")),
    "updated": (lambda market: market.updated, ("",)),
}
"""Timestamp family -> the time that it compares, and its statuses; families cannot be mixed."""


def _matches(market: SimulatedMarket, query: Any, status: str) -> bool:
    """Return True if a market passes the filters of GET /markets. Raises ApiError for a bad filter."""
    if query.get("mve_filter") == "only" or (status and market.status not in STATUS_FILTERS[status]):
        return False
    return is_named(market, query) and _is_in_time_range(market, query, status)


def is_named(market: SimulatedMarket, query: Mapping[str, str]) -> bool:
    """Return True if a market passes the filters tickers, event_ticker and series_ticker."""
    tickers = query.get("tickers", "")
    return (
        query.get("event_ticker", "") in ("", market.event.ticker)
        and query.get("series_ticker", "") in ("", market.event.series.ticker)
        and (not tickers or market.ticker in _split(tickers))
    )


@lru_cache(64)
def _split(names: str) -> frozenset[str]:
    return frozenset(names.split(","))


def _is_in_time_range(market: SimulatedMarket, query: Any, status: str) -> bool:
    used = [name for name in TIME_FILTERS if f"min_{name}_ts" in query or f"max_{name}_ts" in query]
    if not used:
        return True
    value, statuses = TIME_FILTERS[used[0]]
    narrow = query.get("mve_filter") == "exclude" and query.get("series_ticker")
    if len(used) > 1 or status not in statuses or (used[0] == "updated" and not narrow):
        raise bad_parameter(f"{used[-1]}_ts")
    since, until = read_int(query, f"min_{used[0]}_ts", 0), read_int(query, f"max_{used[0]}_ts", 2**53)
    at = value(market)
    return at is not None and since <= int(at) <= until
