"""The exchange's records in our words and units, as JSON will tell them: dollars, contracts, Unix seconds.

Sides. The exchange has one book per market, that of YES (Kalshi docs: order_direction). Whoever bids there takes YES
or gives back NO; which of the two it was the fill does not say. So fills and orders are told in YES terms: side BUY
for a bid and SELL for an ask, outcome "yes", price the YES price. That alone adds up to the positions, and it is how
executions are compared: BUY no at p is SELL yes at 1 - p.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cache.base import Answer
from kalshi.account_models import Balance, Fill, Order, Position
from kalshi.cash_models import Settlement
from kalshi.market_models import Market
from ledger.amounts import average
from ledger.valuation import value_position


def balance(it: Balance) -> dict[str, Any]:
    """Cash, in all and by shard, and the value that the exchange reports."""
    return {
        "balance": it.balance, "portfolio_value_reported": it.portfolio_value, "currency": "USD",
        "by_exchange_index": {str(index): cash for index, cash in it.by_exchange_index.items()},
    }  # fmt: skip


def position(it: Position) -> dict[str, Any]:
    """What does not depend on prices. outcome and average_price are null for a position that is flat."""
    size = abs(it.quantity)
    return {
        "ticker": it.ticker, "quantity": it.quantity,
        "outcome": ("yes" if it.quantity > 0 else "no") if size else None,
        "cost": it.cost, "average_price": average(it.cost, size),
        "realized_pnl": it.realized_pnl, "fees": it.fees,
    }  # fmt: skip


def with_marks(positions: list[dict[str, Any]], marks: Answer | None) -> dict[str, Any]:
    """All positions, each with its price, its worth and its title, where marks has them."""
    priced: Mapping[str, Any] = marks.value if marks else {}
    rows = [_with_mark(row, *priced.get(row["ticker"], (None, None))) for row in positions]
    as_of = marks.as_of if marks else None
    return {"positions": rows, "count": len(rows), "marks_as_of": as_of, "marks_stale": bool(marks and marks.stale)}


def _with_mark(row: dict[str, Any], yes_mark: Decimal | None, title: str | None) -> dict[str, Any]:
    """The row with the mark in the terms of its outcome, as average_price is."""
    valued = value_position(row["quantity"], row["cost"], yes_mark)
    return {
        "ticker": row["ticker"], "title": title, "quantity": row["quantity"], "outcome": row["outcome"],
        "cost": row["cost"], "average_price": row["average_price"], "mark": valued.mark, "value": valued.value,
        "unrealized_pnl": valued.unrealized, "realized_pnl": row["realized_pnl"], "fees": row["fees"],
    }  # fmt: skip


def fill(it: Fill) -> dict[str, Any]:
    """An execution; fee is what was paid for this fill alone."""
    return {
        "fill_id": it.fill_id, "order_id": it.order_id, "timestamp": it.timestamp, "ticker": it.ticker,
        "side": it.side, "outcome": "yes", "quantity": it.quantity, "price": it.yes_price, "fee": it.fee,
        "is_taker": it.is_taker,
    }  # fmt: skip


def order(it: Order) -> dict[str, Any]:
    """An order; price is its limit, cost and fees are of what was filled."""
    return {
        "order_id": it.order_id, "client_order_id": it.client_order_id or None, "ticker": it.ticker,
        "side": it.side, "outcome": "yes", "status": it.status, "price": it.yes_price,
        "quantity": it.quantity, "filled": it.filled, "remaining": it.remaining, "cost": it.cost,
        "fees": it.fees, "created": it.created, "updated": it.updated, "expires": it.expires,
    }  # fmt: skip


def settlement(it: Settlement) -> dict[str, Any]:
    """A payout; value is dollars per YES contract, revenue what the whole position was paid."""
    return {
        "timestamp": it.settled, "ticker": it.ticker, "event_ticker": it.event_ticker,
        "result": it.result, "value": it.value, "yes_quantity": it.yes_quantity,
        "yes_cost": it.yes_cost, "no_quantity": it.no_quantity, "no_cost": it.no_cost,
        "revenue": it.revenue, "fee": it.fee,
    }  # fmt: skip


def market(it: Market) -> dict[str, Any]:
    """A market; null for a quote that nobody makes."""
    return {
        "ticker": it.ticker, "event_ticker": it.event_ticker, "title": it.title,
        "yes_title": it.yes_title, "no_title": it.no_title, "type": it.market_type,
        "status": it.status, "result": it.result or None, "settlement_value": it.settlement_value,
        "yes_bid": it.yes_bid, "yes_ask": it.yes_ask, "no_bid": it.no_bid, "no_ask": it.no_ask,
        "yes_bid_size": it.yes_bid_size, "yes_ask_size": it.yes_ask_size, "last_price": it.last_price,
        "volume": it.volume, "volume_24h": it.volume_24h, "open_interest": it.open_interest,
        "open_time": it.open_time, "close_time": it.close_time, "expires": it.expires,
    }  # fmt: skip
