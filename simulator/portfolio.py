"""The account's reads: balance, positions, fills, orders, settlements; fills and orders in both tiers."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from aiohttp import web
from multidict import MultiMapping

from simulator.desk import Desk
from simulator.gate import answer
from simulator.pages import limit_of, page, whole, word
from simulator.refusal import bad_parameter, not_found, refuse
from simulator.units import cash_text, cents, count_text
from simulator.wire import (
    SHARD,
    event_position_row,
    fill_row,
    order_row,
    position_row,
    settlement_row,
)

T = TypeVar("T")


class Portfolio:
    """Handlers of GET /portfolio, and of the historical fills and orders."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def routes(self) -> dict[str, Any]:
        """GET path -> handler."""
        return {
            "/portfolio/balance": self.balance,
            "/portfolio/positions": self.positions,
            "/portfolio/fills": self.fills,
            "/historical/fills": self.fills,
            "/portfolio/orders": self.orders,
            "/historical/orders": self.orders,
            "/portfolio/orders/queue_positions": self.queue_positions,
            "/portfolio/orders/{order_id}": self.order,
            "/portfolio/orders/{order_id}/queue_position": self.queue_position,
            "/portfolio/settlements": self.settlements,
            "/portfolio/summary/total_resting_order_value": self.resting_value,
        }

    async def balance(self, request: web.Request) -> web.Response:
        """GET /portfolio/balance; portfolio_value is of positions only, as recorded on the demo server.

        Cash that resting orders hold is part of balance; total_resting_order_value tells how much that is.
        """
        check_subaccount(request.query)
        reads, markets = self.desk.reads(), self.desk.exchange.markets
        value = sum(p.payout(markets[ticker].mark()) for ticker, p in reads.positions.items() if p.count)
        text = cash_text(reads.cash)
        return answer(
            {
                "balance": cents(reads.cash),
                "balance_dollars": text,
                "portfolio_value": cents(value),
                "updated_ts": int(reads.as_of),
                "balance_breakdown": [{"exchange_index": SHARD, "balance": text}],
            }
        )

    async def positions(self, request: web.Request) -> web.Response:
        """GET /portfolio/positions; event_positions sum the markets of this page's events."""
        query = request.query
        check_subaccount(query)
        limit = limit_of(query)
        settled = {"unsettled": False, "settled": True}.get(
            word(query, "settlement_status", ("unsettled", "settled", "all"), "unsettled")
        )
        count_filter = query.get("count_filter", "")
        if not set(count_filter.split(",")) <= {"", "position", "total_traded"}:
            raise bad_parameter("count_filter")
        held = self.desk.reads().positions
        found = [
            ticker
            for ticker, position in sorted(held.items(), key=lambda item: -item[1].updated)
            if settled in (None, position.settled)
            and query.get("ticker", "") in ("", ticker)
            and query.get("event_ticker", "") in ("", self._event(ticker))
            and (position.count or "position" not in count_filter)
        ]
        rows, cursor = page(found, str, query, limit)
        events = {self._event(ticker): None for ticker in rows}
        return answer(
            {
                "market_positions": [position_row(ticker, held[ticker]) for ticker in rows],
                "event_positions": [
                    event_position_row(event, [held[ticker] for ticker in found if self._event(ticker) == event])
                    for event in events
                ],
                "cursor": cursor,
            }
        )

    async def fills(self, request: web.Request) -> web.Response:
        """GET /portfolio/fills and /historical/fills: the newer and the older side of the cutoff."""
        query = request.query
        check_subaccount(query)
        limit, tickers = limit_of(query), query.get("ticker", "")
        order_id = query.get("order_id", "")
        rows = self._tier(request, reversed(self.desk.reads().fills), lambda fill: fill.at)
        found = (
            fill
            for fill in rows
            if (not tickers or fill.ticker in tickers.split(",")) and order_id in ("", fill.order_id)
        )
        part, cursor = page(_enough(found, query, limit), lambda fill: fill.fill_id, query, limit)
        return answer({"fills": [fill_row(fill) for fill in part], "cursor": cursor})

    async def orders(self, request: web.Request) -> web.Response:
        """GET /portfolio/orders and /historical/orders."""
        query = request.query
        check_subaccount(query)
        limit = limit_of(query)
        status = word(query, "status", ("resting", "canceled", "executed"))
        events = query.get("event_ticker", "")
        rows = self._tier(request, reversed(self.desk.reads().orders.values()), lambda order: order.created)
        found = (
            order
            for order in rows
            if status in ("", order.status)
            and query.get("ticker", "") in ("", order.ticker)
            and (not events or self._event(order.ticker) in events.split(","))
        )
        part, cursor = page(_enough(found, query, limit), lambda order: order.order_id, query, limit)
        return answer({"orders": [order_row(order) for order in part], "cursor": cursor})

    async def order(self, request: web.Request) -> web.Response:
        """GET /portfolio/orders/{order_id}."""
        order = self.desk.reads().orders.get(request.match_info["order_id"])
        if order is None:
            raise not_found()
        return answer({"order": order_row(order)})

    async def queue_position(self, request: web.Request) -> web.Response:
        """GET /portfolio/orders/{order_id}/queue_position: contracts that trade before it."""
        exchange = self.desk.exchange
        order = exchange.order(self.desk.member, request.match_info["order_id"])
        return answer({"queue_position_fp": count_text(exchange.markets[order.ticker].book.ahead(order))})

    async def queue_positions(self, request: web.Request) -> web.Response:
        """GET /portfolio/orders/queue_positions."""
        markets, query = self.desk.exchange.markets, request.query
        tickers, event = query.get("market_tickers", ""), query.get("event_ticker", "")
        rows = [
            {
                "order_id": order.order_id,
                "market_ticker": ticker,
                "queue_position_fp": count_text(markets[ticker].book.ahead(order)),
            }
            for ticker, orders in self.desk.member.resting.items()
            for order in orders.values()
            if (not tickers or ticker in tickers.split(",")) and event in ("", self._event(ticker))
        ]
        return answer({"queue_positions": rows})

    async def settlements(self, request: web.Request) -> web.Response:
        """GET /portfolio/settlements: the live tier only."""
        query = request.query
        check_subaccount(query)
        limit = limit_of(query)
        rows = self._tier(request, reversed(self.desk.reads().settlements), lambda paid: paid.at)
        found = [
            paid
            for paid in rows
            if query.get("ticker", "") in ("", paid.ticker) and query.get("event_ticker", "") in ("", paid.event_ticker)
        ]
        part, cursor = page(found, lambda paid: paid.ticker, query, limit)
        return answer({"settlements": [settlement_row(paid) for paid in part], "cursor": cursor})

    async def resting_value(self, request: web.Request) -> web.Response:
        """GET /portfolio/summary/total_resting_order_value, in cents."""
        held = self.desk.member.held()
        breakdown = [{"exchange_index": SHARD, "balance": cash_text(held)}]
        return answer({"total_resting_order_value": cents(held), "resting_order_value_breakdown": breakdown})

    def _event(self, ticker: str) -> str:
        return self.desk.exchange.markets[ticker].event.ticker

    def _tier(self, request: web.Request, rows: Iterable[T], at: Callable[[T], float]) -> Iterator[T]:
        """The rows of the path's side of the cutoff, inside min_ts..max_ts; they come newest first."""
        since, until = whole(request.query, "min_ts", 0), whole(request.query, "max_ts", 2**53)
        old, cutoff = "/historical/" in request.path, self.desk.cutoff
        recent = itertools.takewhile(lambda row: since <= int(at(row)), rows)
        return (row for row in recent if int(at(row)) <= until and (at(row) < cutoff) == old)


def _enough(rows: Iterator[T], query: Mapping[str, str], limit: int) -> list[T]:
    """A first page needs one row beyond itself and no more; behind a cursor all are looked through."""
    return list(rows if query.get("cursor") else itertools.islice(rows, limit + 1))


def check_subaccount(query: MultiMapping[str]) -> None:
    """There is only the primary one."""
    if whole(query, "subaccount", 0, 0, 63):
        raise refuse(403, "forbidden", "subaccount not found")
