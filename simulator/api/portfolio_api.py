"""Reads of the account: balance, positions, fills, orders, settlements; fills and orders in both tiers."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from multidict import MultiMapping

from simulator.account import HeldPosition
from simulator.api.query import paginate, read_choice, read_int, read_limit, read_names
from simulator.api.routing import ApiRequest, ApiResponse, ApiRoute
from simulator.api.rows import event_position_row, fill_row, order_row, position_row, settlement_row
from simulator.errors import bad_parameter, nested_error, not_found
from simulator.market import SHARDS
from simulator.simulated_exchange import SimulatedExchange
from simulator.units import format_cash, format_count, whole_cents

TierRow = TypeVar("TierRow")


class PortfolioApi:
    """Handlers of GET /portfolio, and of the historical fills and orders."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange

    def routes(self) -> list[ApiRoute]:
        """Return the routes."""
        handlers = {
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
        return [ApiRoute("GET", path, handler) for path, handler in handlers.items()]

    def balance(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/balance; portfolio_value is of positions only, as recorded on the demo server.

        Cash that resting orders reserve is part of balance; total_resting_order_value reports it.
        """
        check_subaccount(request.query)
        reads, markets = self.exchange.caught_up_reads(), self.exchange.engine.markets
        shard = read_shard(request.query)
        shards = SHARDS if shard is None else (shard,)
        value = sum(
            position.payout(markets[ticker].mark(), markets[ticker].settlement_floor)
            for ticker, position in reads.positions.items()
            if position.count and markets[ticker].shard in shards
        )
        cash = sum(reads.cash[shard] for shard in shards)
        return ApiResponse(
            {
                "balance": whole_cents(cash),
                "balance_dollars": format_cash(cash),
                "portfolio_value": whole_cents(value),
                "updated_ts": int(reads.as_of),
                "balance_breakdown": [
                    {"exchange_index": shard, "balance": format_cash(reads.cash[shard])} for shard in shards
                ],
            }
        )

    def positions(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/positions; event_positions sum the markets of this page's events."""
        query = request.query
        check_subaccount(query)
        limit = read_limit(query)
        positions, markets = self.exchange.caught_up_reads().positions, self.exchange.engine.markets
        found = self._select_positions(positions, query)
        rows, cursor = paginate(found, str, query, limit)
        events = {self._event_ticker(ticker): None for ticker in rows}
        return ApiResponse(
            {
                "market_positions": [position_row(ticker, positions[ticker], markets[ticker].shard) for ticker in rows],
                "event_positions": [
                    event_position_row(
                        event, [positions[ticker] for ticker in found if self._event_ticker(ticker) == event]
                    )
                    for event in events
                ],
                "cursor": cursor,
            }
        )

    def _select_positions(self, positions: Mapping[str, HeldPosition], query: MultiMapping[str]) -> list[str]:
        """Return the tickers of the positions that the query selects, the last updated first. Raises ApiError."""
        settled = {"unsettled": False, "settled": True}.get(
            read_choice(query, "settlement_status", ("unsettled", "settled", "all"), "unsettled")
        )
        count_filter = query.get("count_filter", "")
        if not set(count_filter.split(",")) <= {"", "position", "total_traded"}:
            raise bad_parameter("count_filter")
        shard, markets = read_shard(query), self.exchange.engine.markets
        return [
            ticker
            for ticker, position in sorted(positions.items(), key=lambda item: -item[1].updated)
            if settled in (None, position.settled)
            and query.get("ticker", "") in ("", ticker)
            and query.get("event_ticker", "") in ("", self._event_ticker(ticker))
            and (position.count or "position" not in count_filter)
            and shard in (None, markets[ticker].shard)
        ]

    def fills(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/fills and /historical/fills: the newer and the older side of the cutoff."""
        query = request.query
        check_subaccount(query)
        limit, tickers = read_limit(query), read_names(query, "ticker", 100)
        order_id, shard = query.get("order_id", ""), read_shard(query)
        rows = self._tier(request, reversed(self.exchange.caught_up_reads().fills), lambda fill: fill.at)
        found = (
            fill
            for fill in rows
            if (not tickers or fill.ticker in tickers)
            and order_id in ("", fill.order_id)
            and shard in (None, fill.shard)
        )
        part, cursor = paginate(_first_rows(found, query, limit), lambda fill: fill.fill_id, query, limit)
        return ApiResponse({"fills": [fill_row(fill) for fill in part], "cursor": cursor})

    def orders(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/orders and /historical/orders."""
        query = request.query
        check_subaccount(query)
        limit = read_limit(query)
        status = read_choice(query, "status", ("resting", "canceled", "executed"))
        events, shard = read_names(query, "event_ticker", 10), read_shard(query)
        rows = self._tier(
            request, reversed(self.exchange.caught_up_reads().orders.values()), lambda order: order.created
        )
        found = (
            order
            for order in rows
            if status in ("", order.status)
            and shard in (None, order.shard)
            and query.get("ticker", "") in ("", order.ticker)
            and (not events or self._event_ticker(order.ticker) in events)
        )
        part, cursor = paginate(_first_rows(found, query, limit), lambda order: order.order_id, query, limit)
        return ApiResponse({"orders": [order_row(order) for order in part], "cursor": cursor})

    def order(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/orders/{order_id}."""
        order = self.exchange.caught_up_reads().orders.get(request.params["order_id"])
        if order is None:
            raise not_found()
        return ApiResponse({"order": order_row(order)})

    def queue_position(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/orders/{order_id}/queue_position: contracts that trade before the order."""
        exchange = self.exchange.engine
        order = exchange.order(self.exchange.member, request.params["order_id"])
        return ApiResponse({"queue_position_fp": format_count(exchange.markets[order.ticker].book.count_ahead(order))})

    def queue_positions(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/orders/queue_positions."""
        markets, query = self.exchange.engine.markets, request.query
        tickers, event = query.get("market_tickers", ""), query.get("event_ticker", "")
        rows = [
            {
                "order_id": order.order_id,
                "market_ticker": ticker,
                "queue_position_fp": format_count(markets[ticker].book.count_ahead(order)),
            }
            for ticker, orders in self.exchange.member.resting.items()
            for order in orders.values()
            if (not tickers or ticker in tickers.split(",")) and event in ("", self._event_ticker(ticker))
        ]
        return ApiResponse({"queue_positions": rows})

    def settlements(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/settlements: the live tier only."""
        query = request.query
        check_subaccount(query)
        limit = read_limit(query)
        rows = self._tier(request, reversed(self.exchange.caught_up_reads().settlements), lambda paid: paid.at)
        found = [
            paid
            for paid in rows
            if query.get("ticker", "") in ("", paid.ticker) and query.get("event_ticker", "") in ("", paid.event_ticker)
        ]
        part, cursor = paginate(found, lambda paid: paid.ticker, query, limit)
        return ApiResponse({"settlements": [settlement_row(paid) for paid in part], "cursor": cursor})

    def resting_value(self, request: ApiRequest) -> ApiResponse:
        """GET /portfolio/summary/total_resting_order_value, in cents."""
        reserved = {shard: self.exchange.member.reserved(shard) for shard in SHARDS}
        breakdown = [{"exchange_index": shard, "balance": format_cash(money)} for shard, money in reserved.items()]
        total = whole_cents(sum(reserved.values()))
        return ApiResponse({"total_resting_order_value": total, "resting_order_value_breakdown": breakdown})

    def _event_ticker(self, ticker: str) -> str:
        return self.exchange.engine.markets[ticker].event.ticker

    def _tier(self, request: ApiRequest, rows: Iterable[TierRow], at: Callable[[TierRow], float]) -> Iterator[TierRow]:
        """Yield the rows of the path's tier between min_ts and max_ts; rows are newest first."""
        since, until = read_int(request.query, "min_ts", 0), read_int(request.query, "max_ts", 2**53)
        old, cutoff = "/historical/" in request.path, self.exchange.cutoff
        recent = itertools.takewhile(lambda row: since <= int(at(row)), rows)
        return (row for row in recent if int(at(row)) <= until and (at(row) < cutoff) == old)


def _first_rows(rows: Iterator[TierRow], query: Mapping[str, str], limit: int) -> list[TierRow]:
    """Return the rows that paginate needs: for a first page one row beyond it, with a cursor all rows."""
    return list(rows if query.get("cursor") else itertools.islice(rows, limit + 1))


def read_shard(query: Mapping[str, str]) -> int | None:
    """Return the parameter exchange_index, None for all shards. Raises ApiError for a shard that does not exist."""
    return read_int(query, "exchange_index", 0, 0, SHARDS[-1]) if query.get("exchange_index") else None


def check_subaccount(query: MultiMapping[str]) -> None:
    """Raise ApiError for any subaccount but the primary one."""
    if read_int(query, "subaccount", 0, 0, 63):
        raise nested_error(403, "forbidden", "subaccount not found")
