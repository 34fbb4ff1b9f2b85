"""The historical tier of public data: the cutoff, old markets, old trades."""

from typing import Any

from aiohttp import web

from simulator.desk import Desk
from simulator.gate import answer
from simulator.pages import limit_of, page
from simulator.units import rfc3339
from simulator.wire import trade_row
from simulator.wire_market import market_row


class History:
    """Handlers of GET /historical, but for the account's own rows."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> dict[str, Any]:
        """GET path -> handler."""
        return {
            "/historical/cutoff": self.cutoff,
            "/historical/positions": self.positions,
            "/historical/markets": self.markets,
            "/historical/markets/{ticker}": self.market,
            "/historical/trades": self.trades,
        }

    async def cutoff(self, request: web.Request) -> web.Response:
        """GET /historical/cutoff."""
        names = ("market_settled_ts", "trades_created_ts", "orders_updated_ts", "market_positions_last_updated_ts")
        return answer(dict.fromkeys(names, rfc3339(self.desk.cutoff)))

    async def positions(self, request: web.Request) -> web.Response:
        """GET /historical/positions: positions stay in the live tier here."""
        limit_of(request.query)
        return answer({"market_positions": [], "event_positions": [], "positions": [], "cursor": ""})

    async def markets(self, request: web.Request) -> web.Response:
        """GET /historical/markets: settled before the cutoff."""
        old = [m for m in self.desk.exchange.markets.values() if m.settled_at and m.settled_at < self.desk.cutoff]
        rows, cursor = page(old, lambda market: market.ticker, request.query, limit_of(request.query))
        return answer({"markets": [market_row(market) for market in rows], "cursor": cursor})

    async def market(self, request: web.Request) -> web.Response:
        """GET /historical/markets/{ticker}."""
        return answer({"market": market_row(self.desk.exchange.market(request.match_info["ticker"]))})

    async def trades(self, request: web.Request) -> web.Response:
        """GET /historical/trades."""
        rows = [trade for trade in reversed(self.desk.tape) if trade.at < self.desk.cutoff]
        part, cursor = page(rows, lambda trade: trade.trade_id, request.query, limit_of(request.query))
        return answer({"trades": [trade_row(trade) for trade in part], "cursor": cursor})
