"""JSON forms of the exchange's records, in our names and units: dollars, contracts, Unix seconds.

The exchange has one book per market, that of YES (Kalshi docs: order_direction). A bid takes YES or gives back NO, and
a fill does not say which. So fills and orders are given in YES terms: side BUY for a bid and SELL for an ask, outcome
"yes", price the YES price. These add up to the positions, and executions are compared in them: BUY no at p is SELL yes
at 1 - p.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cache.base import Answer
from kalshi.account_models import Balance, Fill, Order, Position
from kalshi.cash_models import AccountSettlement
from kalshi.market_models import Market
from ledger.amounts import average
from ledger.valuation import value_position


def balance(it: Balance) -> dict[str, Any]:
    """Return the cash, in all and by shard, and the reported portfolio value."""
    return {
        "balance": it.balance, "portfolio_value_reported": it.portfolio_value, "currency": "USD",
        "by_exchange_index": {str(index): cash for index, cash in it.by_exchange_index.items()},
    }  # fmt: skip


def position(it: Position) -> dict[str, Any]:
    """Return the fields that do not depend on prices; outcome and average_price are null for a flat position."""
    size = abs(it.quantity)
    return {
        "ticker": it.ticker, "quantity": it.quantity,
        "outcome": ("yes" if it.quantity > 0 else "no") if size else None,
        "cost": it.cost, "average_price": average(it.cost, size),
        "realized_pnl": it.realized_pnl, "fees": it.fees,
    }  # fmt: skip


def with_marks(positions: list[dict[str, Any]], marks: Answer | None) -> dict[str, Any]:
    """Return all positions, each with mark, value and title where marks has them."""
    priced: Mapping[str, Any] = marks.value if marks else {}
    rows = [_with_mark(row, *priced.get(row["ticker"], (None, None))) for row in positions]
    as_of = marks.as_of if marks else None
    return {"positions": rows, "count": len(rows), "marks_as_of": as_of, "marks_stale": bool(marks and marks.stale)}


def _with_mark(row: dict[str, Any], yes_mark: Decimal | None, title: str | None) -> dict[str, Any]:
    """Return the row with the mark of its own outcome."""
    valued = value_position(row["quantity"], row["cost"], yes_mark)
    return {
        "ticker": row["ticker"], "title": title, "quantity": row["quantity"], "outcome": row["outcome"],
        "cost": row["cost"], "average_price": row["average_price"], "mark": valued.mark, "value": valued.value,
        "unrealized_pnl": valued.unrealized, "realized_pnl": row["realized_pnl"], "fees": row["fees"],
    }  # fmt: skip


def fill(it: Fill) -> dict[str, Any]:
    """Return an execution; fee is that of this fill alone."""
    return {
        "fill_id": it.fill_id, "order_id": it.order_id, "timestamp": it.timestamp, "ticker": it.ticker,
        "side": it.side, "outcome": "yes", "quantity": it.quantity, "price": it.yes_price, "fee": it.fee,
        "is_taker": it.is_taker,
    }  # fmt: skip


def order(it: Order) -> dict[str, Any]:
    """Return an order; price is its limit, cost and fees are of the filled part."""
    return {
        "order_id": it.order_id, "client_order_id": it.client_order_id or None, "ticker": it.ticker,
        "side": it.side, "outcome": "yes", "status": it.status, "price": it.yes_price,
        "quantity": it.quantity, "filled": it.filled, "remaining": it.remaining, "cost": it.cost,
        "fees": it.fees, "created": it.created, "updated": it.updated, "expires": it.expires,
    }  # fmt: skip


def settlement(it: AccountSettlement) -> dict[str, Any]:
    """Return a payout; value: dollars of one YES contract, revenue: dollars paid for the position."""
    return {
        "timestamp": it.settled, "ticker": it.ticker, "event_ticker": it.event_ticker,
        "result": it.result, "value": it.value, "yes_quantity": it.yes_quantity,
        "yes_cost": it.yes_cost, "no_quantity": it.no_quantity, "no_cost": it.no_cost,
        "revenue": it.revenue, "fee": it.fee,
    }  # fmt: skip


def market(it: Market) -> dict[str, Any]:
    """Return a market; an absent quote is null."""
    return {
        "ticker": it.ticker, "event_ticker": it.event_ticker, "title": it.title,
        "yes_title": it.yes_title, "no_title": it.no_title, "type": it.market_type,
        "status": it.status, "result": it.result or None, "settlement_value": it.settlement_value,
        "yes_bid": it.yes_bid, "yes_ask": it.yes_ask, "no_bid": it.no_bid, "no_ask": it.no_ask,
        "yes_bid_size": it.yes_bid_size, "yes_ask_size": it.yes_ask_size, "last_price": it.last_price,
        "volume": it.volume, "volume_24h": it.volume_24h, "open_interest": it.open_interest,
        "open_time": it.open_time, "close_time": it.close_time, "expires": it.expires,
    }  # fmt: skip
