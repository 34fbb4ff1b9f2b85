"""How an account's rows look on the wire: the documented names, strings and units (Kalshi docs, SDK 3.34)."""

from typing import Any, Final

from simulator.account import Position
from simulator.happening import Fill, Settlement, Trade
from simulator.order import Order
from simulator.units import DOLLAR, cents, count_text, money_text, price_text, rfc3339

USER_ID: Final = "5a1d0c0e-0000-4000-8000-00000000d3f0"
SHARD: Final = 0

Row = dict[str, Any]


def direction(side: str) -> Row:
    """The one bit of direction under its three names; action and side are the deprecated pair."""
    outcome, action = ("yes", "buy") if side == "bid" else ("no", "sell")
    return {"outcome_side": outcome, "book_side": side, "side": "yes", "action": action}


def prices(price: int) -> Row:
    """A YES price and its complement."""
    return {"yes_price_dollars": price_text(price), "no_price_dollars": price_text(DOLLAR - price)}


def order_row(order: Order) -> Row:
    """An Order of GET /portfolio/orders."""
    return {
        "order_id": order.order_id,
        "user_id": USER_ID,
        "client_order_id": order.client_order_id,
        "ticker": order.ticker,
        **direction(order.side),
        "type": "limit",
        "status": order.status,
        **prices(order.price),
        "initial_count_fp": count_text(order.initial),
        "fill_count_fp": count_text(order.filled),
        "remaining_count_fp": count_text(order.remaining),
        "taker_fill_cost_dollars": money_text(order.taker_cost),
        "maker_fill_cost_dollars": money_text(order.maker_cost),
        "taker_fees_dollars": money_text(order.taker_fees),
        "maker_fees_dollars": money_text(order.maker_fees),
        "expiration_time": rfc3339(order.expires) if order.expires else None,
        "created_time": rfc3339(order.created),
        "last_update_time": rfc3339(order.updated),
        "self_trade_prevention_type": order.asked.self_trade,
        "order_group_id": order.asked.group_id or None,
        "cancel_order_on_pause": order.asked.cancel_on_pause,
        "subaccount_number": 0,
        "exchange_index": SHARD,
    }


def placed_row(order: Order, at: float) -> Row:
    """The reply to a create: not an order object, and without the _fp of counts."""
    row: Row = {"order_id": order.order_id}
    if order.client_order_id:
        row["client_order_id"] = order.client_order_id
    row |= {"fill_count": count_text(order.filled), "remaining_count": count_text(order.remaining)}
    if order.filled:
        fees = order.taker_fees + order.maker_fees
        row["average_fill_price"] = money_text(order.value * 100 // order.filled)
        row["average_fee_paid"] = money_text(fees * 100 // order.filled)
    return row | {"ts_ms": int(at * 1000)}


def fill_row(fill: Fill) -> Row:
    """A Fill of GET /portfolio/fills."""
    return {
        "fill_id": fill.fill_id,
        "trade_id": fill.fill_id,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "market_ticker": fill.ticker,
        "exchange_index": SHARD,
        **direction(fill.side),
        "count_fp": count_text(fill.count),
        **prices(fill.price),
        "is_taker": fill.is_taker,
        "fee_cost": money_text(fill.fee),
        "created_time": rfc3339(fill.at),
        "ts": int(fill.at),
        "subaccount_number": 0,
    }


def position_row(ticker: str, position: Position) -> Row:
    """A MarketPosition: + YES, - NO; exposure is what the open position cost, fees apart."""
    return {
        "ticker": ticker,
        "exchange_index": SHARD,
        "total_traded_dollars": money_text(position.traded),
        "position_fp": count_text(position.count),
        "market_exposure_dollars": money_text(position.cost),
        "realized_pnl_dollars": money_text(position.realized),
        "fees_paid_dollars": money_text(position.fees),
        "last_updated_ts": rfc3339(position.updated),
    }


def event_position_row(event_ticker: str, positions: list[Position]) -> Row:
    """An EventPosition: the sums over an event's markets."""
    return {
        "event_ticker": event_ticker,
        "total_cost_dollars": money_text(sum(position.traded for position in positions)),
        "total_cost_shares_fp": count_text(sum(position.volume for position in positions)),
        "event_exposure_dollars": money_text(sum(position.cost for position in positions)),
        "realized_pnl_dollars": money_text(sum(position.realized for position in positions)),
        "fees_paid_dollars": money_text(sum(position.fees for position in positions)),
    }


def settlement_row(paid: Settlement) -> Row:
    """A Settlement; revenue and value are whole cents."""
    yes, no = max(paid.count, 0), max(-paid.count, 0)
    return {
        "ticker": paid.ticker,
        "exchange_index": SHARD,
        "event_ticker": paid.event_ticker,
        "market_result": paid.result,
        "yes_count_fp": count_text(yes),
        "yes_total_cost_dollars": money_text(paid.cost if yes else 0),
        "no_count_fp": count_text(no),
        "no_total_cost_dollars": money_text(paid.cost if no else 0),
        "revenue": cents(paid.payout),
        "settled_time": rfc3339(paid.at),
        "fee_cost": money_text(paid.fees),
        "value": paid.value // 100,
    }


def trade_row(trade: Trade) -> Row:
    """A Trade of the public tape."""
    outcome = "yes" if trade.taker_side == "bid" else "no"
    return {
        "trade_id": trade.trade_id,
        "ticker": trade.ticker,
        "count_fp": count_text(trade.count),
        **prices(trade.price),
        "taker_side": outcome,
        "taker_outcome_side": outcome,
        "taker_book_side": trade.taker_side,
        "created_time": rfc3339(trade.at),
        "is_block_trade": False,
    }
