"""Public trades, candlesticks and the historical tier of market data."""

from collections.abc import Sequence

from simulator.api.market_data_api import is_named
from simulator.api.market_rows import candlestick_row, historical_candlestick_row, market_row
from simulator.api.query import paginate, read_int, read_limit
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute
from simulator.api.rows import trade_row
from simulator.candlesticks import Candlestick
from simulator.errors import bad_parameter, not_found
from simulator.events import TradeEvent
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import format_time

CUTOFF_NAMES = ("market_settled_ts", "trades_created_ts", "orders_updated_ts", "market_positions_last_updated_ts")
CANDLESTICKS_AT_MOST = 5000
"""Candlesticks of one market in one response (a longer range is refused)."""


class MarketHistoryApi:
    """Handlers of /markets/trades, of candlesticks and of /historical except the account's own rows."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        handlers = {
            "/markets/trades": self.trades,
            "/markets/candlesticks": self.batch_candlesticks,
            "/series/{series_ticker}/markets/{ticker}/candlesticks": self.market_candlesticks,
            "/series/{series_ticker}/events/{ticker}/candlesticks": self.event_candlesticks,
            "/historical/cutoff": self.cutoff,
            "/historical/positions": self.historical_positions,
            "/historical/markets": self.historical_markets,
            "/historical/markets/{ticker}": self.historical_market,
            "/historical/markets/{ticker}/candlesticks": self.historical_candlesticks,
            "/historical/trades": self.historical_trades,
        }
        return [ApiRoute("GET", path, handler) for path, handler in handlers.items()]

    def trades(self, request: ApiRequest) -> ApiResponse:
        """GET /markets/trades: the public trades, newest first."""
        return self._trades(request, self.exchange.trades)

    def _trades(self, request: ApiRequest, trades: Sequence[TradeEvent]) -> ApiResponse:
        query = request.query
        limit = read_limit(query, low=0) or 100
        since, until = read_int(query, "min_ts", 0), read_int(query, "max_ts", 2**53)
        ticker, block = query.get("ticker", ""), query.get("is_block_trade") == "true"
        found = [
            trade
            for trade in reversed(trades)
            if since <= int(trade.at) <= until and ticker in ("", trade.ticker) and not block
        ]
        rows, cursor = paginate(found, lambda trade: trade.trade_id, query, limit)
        return ApiResponse({"trades": [trade_row(trade) for trade in rows], "cursor": cursor})

    def batch_candlesticks(self, request: ApiRequest) -> ApiResponse:
        """GET /markets/candlesticks?market_tickers=a,b: one list for each known market."""
        text = ",".join(request.query.getall("market_tickers", []))
        tickers = [ticker for ticker in text.split(",") if ticker]
        if not 1 <= len(tickers) <= 100:
            raise bad_parameter("market_tickers")
        rows = [
            {"market_ticker": ticker, "candlesticks": list(map(candlestick_row, self._candlesticks(request, ticker)))}
            for ticker in tickers
            if ticker in self.exchange.engine.markets
        ]
        return ApiResponse({"markets": rows})

    def market_candlesticks(self, request: ApiRequest) -> ApiResponse:
        """GET /series/{series_ticker}/markets/{ticker}/candlesticks."""
        market = self.exchange.engine.market(request.params["ticker"])
        if market.event.series.ticker != request.params["series_ticker"]:
            raise not_found("market not found")
        rows = map(candlestick_row, self._candlesticks(request, market.ticker))
        return ApiResponse({"ticker": market.ticker, "candlesticks": list(rows)})

    def event_candlesticks(self, request: ApiRequest) -> ApiResponse:
        """GET /series/{series_ticker}/events/{ticker}/candlesticks: a list for each market of the event."""
        event_ticker = request.params["ticker"]
        markets = [m for m in self.exchange.engine.markets.values() if m.event.ticker == event_ticker]
        if not markets or markets[0].event.series.ticker != request.params["series_ticker"]:
            raise not_found("event not found")
        rows = [list(map(candlestick_row, self._candlesticks(request, market.ticker))) for market in markets]
        return ApiResponse(
            {
                "market_tickers": [market.ticker for market in markets],
                "market_candlesticks": rows,
                "adjusted_end_ts": read_int(request.query, "end_ts", 0),
            }
        )

    def cutoff(self, request: ApiRequest) -> ApiResponse:
        """GET /historical/cutoff."""
        return ApiResponse(dict.fromkeys(CUTOFF_NAMES, format_time(self.exchange.cutoff)))

    def historical_positions(self, request: ApiRequest) -> ApiResponse:
        """GET /historical/positions: always empty; the simulator keeps positions in the live tier."""
        read_limit(request.query)
        return ApiResponse({"market_positions": [], "event_positions": [], "positions": [], "cursor": ""})

    def historical_markets(self, request: ApiRequest) -> ApiResponse:
        """GET /historical/markets: markets that settled before the cutoff."""
        cutoff = self.exchange.cutoff
        old = [m for m in self.exchange.engine.markets.values() if m.settled_at and m.settled_at < cutoff]
        named = [market for market in reversed(old) if is_named(market, request.query)]
        rows, cursor = paginate(named, lambda market: market.ticker, request.query, read_limit(request.query))
        return ApiResponse({"markets": [market_row(market) for market in rows], "cursor": cursor})

    def historical_market(self, request: ApiRequest) -> ApiResponse:
        """GET /historical/markets/{ticker}."""
        return ApiResponse({"market": market_row(self.exchange.engine.market(request.params["ticker"]))})

    def historical_candlesticks(self, request: ApiRequest) -> ApiResponse:
        """GET /historical/markets/{ticker}/candlesticks."""
        ticker = self.exchange.engine.market(request.params["ticker"]).ticker
        rows = map(historical_candlestick_row, self._candlesticks(request, ticker))
        return ApiResponse({"ticker": ticker, "candlesticks": list(rows)})

    def historical_trades(self, request: ApiRequest) -> ApiResponse:
        """GET /historical/trades: those before the cutoff, with the filters of /markets/trades."""
        return self._trades(request, [trade for trade in self.exchange.trades if trade.at < self.exchange.cutoff])

    def _candlesticks(self, request: ApiRequest, ticker: str) -> list[Candlestick]:
        """Return the candlesticks between start_ts and end_ts, which are required."""
        query = request.query
        minutes = read_int(query, "period_interval", 0)
        if minutes not in (1, 60, 1440):
            raise bad_parameter("period_interval")
        start, end = read_int(query, "start_ts", -1), read_int(query, "end_ts", -1)
        if start < 0 or end < start or (end - start) > CANDLESTICKS_AT_MOST * minutes * 60:
            raise bad_parameter("end_ts" if start >= 0 else "start_ts")
        return self.exchange.candlesticks.periods(ticker, start, end, minutes)
