"""Market data and the state of the exchange: what anyone may read."""

from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from simulator.desk import Desk
from simulator.gate import answer
from simulator.market import FILTERS, Market
from simulator.pages import limit_of, page, whole, word
from simulator.refusal import bad_parameter, not_found
from simulator.units import rfc3339
from simulator.wire import SHARD, trade_row
from simulator.wire_market import book_row, event_row, market_row, series_row


class Public:
    """Handlers of /exchange, /markets, /events and /series."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> dict[str, Any]:
        """GET path -> handler."""
        return {
            "/exchange/status": self.status,
            "/exchange/schedule": self.schedule,
            "/exchange/user_data_timestamp": self.user_data_timestamp,
            "/markets": self.markets,
            "/markets/trades": self.trades,
            "/markets/orderbooks": self.orderbooks,
            "/markets/{ticker}": self.market,
            "/markets/{ticker}/orderbook": self.orderbook,
            "/events": self.events,
            "/events/multivariate": self.no_events,
            "/events/{event_ticker}": self.event,
            "/series": self.series_list,
            "/series/{series_ticker}": self.series,
        }

    async def status(self, request: web.Request) -> web.Response:
        """GET /exchange/status: the normal body even with 503."""
        desk = self.desk
        down = desk.faults.on("maintenance")
        flags = {
            "exchange_active": desk.open_for("cancel"),
            "trading_active": desk.open_for("trade"),
            "intra_exchange_transfers_active": not down,
        }
        shard = {"exchange_index": SHARD, "description": "default"} | flags
        body: dict[str, Any] = flags | {"exchange_index_statuses": [shard]}
        if not all(flags.values()):
            body["exchange_estimated_resume_time"] = rfc3339(desk.clock() + 3600)
        return answer(body, 503 if down else 200)

    async def schedule(self, request: web.Request) -> web.Response:
        """GET /exchange/schedule: always open, but for Thursday 03:00-05:00 ET."""
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        whole_day = [{"open_time": "00:00", "close_time": "00:00"}]
        thursday = [{"open_time": "00:00", "close_time": "03:00"}, {"open_time": "05:00", "close_time": "00:00"}]
        week = {day: thursday if day == "thursday" else whole_day for day in days}
        now = self.desk.clock()
        hours = {"start_time": rfc3339(now - 30 * 86_400), "end_time": rfc3339(now + 365 * 86_400)} | week
        return answer({"schedule": {"standard_hours": [hours], "maintenance_windows": []}})

    async def user_data_timestamp(self, request: web.Request) -> web.Response:
        """GET /exchange/user_data_timestamp: how fresh account reads are."""
        return answer({"as_of_time": rfc3339(self.desk.reads().as_of)})

    async def markets(self, request: web.Request) -> web.Response:
        """GET /markets."""
        query = request.query
        limit = limit_of(query, low=0) or 100
        found = [market for market in self._newest() if _wanted(market, query)]
        rows, cursor = page(found, lambda market: market.ticker, query, limit)
        return answer({"markets": [market_row(market) for market in rows], "cursor": cursor})

    async def market(self, request: web.Request) -> web.Response:
        """GET /markets/{ticker}."""
        return answer({"market": market_row(self.desk.exchange.market(request.match_info["ticker"]))})

    async def orderbook(self, request: web.Request) -> web.Response:
        """GET /markets/{ticker}/orderbook?depth=."""
        market = self.desk.exchange.market(request.match_info["ticker"])
        return answer({"orderbook_fp": book_row(market.book, whole(request.query, "depth", 0, 0, 100))})

    async def orderbooks(self, request: web.Request) -> web.Response:
        """GET /markets/orderbooks?tickers=a&tickers=b."""
        tickers = [ticker for text in request.query.getall("tickers", []) for ticker in text.split(",") if ticker]
        if not 1 <= len(tickers) <= 100:
            raise bad_parameter("tickers")
        books = [
            {"ticker": ticker, "orderbook_fp": book_row(self.desk.exchange.market(ticker).book)} for ticker in tickers
        ]
        return answer({"orderbooks": books})

    async def trades(self, request: web.Request) -> web.Response:
        """GET /markets/trades: the public tape, newest first."""
        query = request.query
        limit = limit_of(query, low=0) or 100
        since, until = whole(query, "min_ts", 0), whole(query, "max_ts", 2**53)
        ticker, block = query.get("ticker", ""), query.get("is_block_trade") == "true"
        found = [
            trade
            for trade in reversed(self.desk.tape)
            if since <= int(trade.at) <= until and ticker in ("", trade.ticker) and not block
        ]
        rows, cursor = page(found, lambda trade: trade.trade_id, query, limit)
        return answer({"trades": [trade_row(trade) for trade in rows], "cursor": cursor})

    async def events(self, request: web.Request) -> web.Response:
        """GET /events."""
        query = request.query
        limit = limit_of(query, default=200, high=200)
        states = FILTERS[status] if (status := word(query, "status", tuple(FILTERS))) else None
        wanted = query.get("series_ticker", "")
        found = [
            event
            for event in reversed(self.desk.life.events.values())
            if wanted in ("", event.series.ticker)
            and (states is None or any(market.state in states for market in self._of(event.ticker)))
        ]
        rows, cursor = page(found, lambda event: event.ticker, query, limit)
        nested = query.get("with_nested_markets") == "true"
        return answer({"events": [self._event(event.ticker, nested) for event in rows], "cursor": cursor})

    async def no_events(self, request: web.Request) -> web.Response:
        """GET /events/multivariate: there are no combos here."""
        return answer({"events": [], "cursor": ""})

    async def event(self, request: web.Request) -> web.Response:
        """GET /events/{event_ticker}."""
        ticker = request.match_info["event_ticker"]
        if ticker not in self.desk.life.events:
            raise not_found("event not found")
        nested = request.query.get("with_nested_markets") == "true"
        markets = [] if nested else [market_row(market) for market in self._of(ticker)]
        return answer({"event": self._event(ticker, nested), "markets": markets})

    async def series_list(self, request: web.Request) -> web.Response:
        """GET /series?category=."""
        category = request.query.get("category", "")
        rows = [series_row(s) for s in self.desk.life.series.values() if category in ("", s.category)]
        return answer({"series": rows})

    async def series(self, request: web.Request) -> web.Response:
        """GET /series/{series_ticker}."""
        if (ticker := request.match_info["series_ticker"]) not in self.desk.life.series:
            raise not_found("series not found")
        return answer({"series": series_row(self.desk.life.series[ticker])})

    def _newest(self) -> Iterable[Market]:
        return reversed(self.desk.exchange.markets.values())

    def _of(self, event_ticker: str) -> list[Market]:
        return [m for m in self.desk.exchange.markets.values() if m.event.ticker == event_ticker]

    def _event(self, ticker: str, nested: bool) -> dict[str, Any]:
        row = event_row(self.desk.life.events[ticker])
        return row | ({"markets": [market_row(market) for market in self._of(ticker)]} if nested else {})


TIMES: dict[str, tuple[Callable[[Market], float | None], tuple[str, ...]]] = {
    "created": (lambda market: market.created, ("", "unopened", "open")),
    "close": (lambda market: market.closes, ("", "closed")),
    "settled": (lambda market: market.settled_at, ("", "settled")),
    "updated": (lambda market: market.updated, ("",)),
}
"""Timestamp family -> what it compares, and the statuses it goes with; families cannot be mixed."""


def _wanted(market: Market, query: Any) -> bool:
    """Whether the filters of GET /markets let a market through."""
    status = word(query, "status", tuple(FILTERS))
    word(query, "mve_filter", ("only", "exclude"))
    tickers = query.get("tickers", "")
    if query.get("mve_filter") == "only" or (status and market.state not in FILTERS[status]):
        return False
    if query.get("event_ticker", "") not in ("", market.event.ticker):
        return False
    if query.get("series_ticker", "") not in ("", market.event.series.ticker):
        return False
    return (not tickers or market.ticker in tickers.split(",")) and _in_time(market, query, status)


def _in_time(market: Market, query: Any, status: str) -> bool:
    used = [name for name in TIMES if f"min_{name}_ts" in query or f"max_{name}_ts" in query]
    if not used:
        return True
    value, statuses = TIMES[used[0]]
    if len(used) > 1 or status not in statuses:
        raise bad_parameter(f"{used[-1]}_ts")
    since, until = whole(query, f"min_{used[0]}_ts", 0), whole(query, f"max_{used[0]}_ts", 2**53)
    at = value(market)
    return at is not None and since <= int(at) <= until
