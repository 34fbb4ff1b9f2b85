"""The socket's messages: which channel a happening belongs to and how it looks there (Kalshi docs: websockets)."""

from datetime import UTC, datetime
from typing import Final

from simulator.happening import Fill, LevelChanged, OrderChanged, PositionChanged, Trade
from simulator.market import Market
from simulator.units import DOLLAR, cents, count_text, money_text, price_text
from simulator.wire import SHARD, USER_ID, Row, direction, order_row, prices
from simulator.wire_market import levels, quote

TYPES: Final = {
    "fill": "fill",
    "ticker": "ticker",
    "trade": "trade",
    "market_positions": "market_position",
    "orderbook_delta": "orderbook_delta",
    "user_orders": "user_order",
    "market_lifecycle_v2": "market_lifecycle_v2",
}
"""Channel -> the type of its messages."""
SEQUENCED: Final = ("orderbook_delta", "trade")


def fill_message(fill: Fill) -> Row:
    """Channel fill: its trade_id is the fill_id of REST; there is no no_price."""
    client = {"client_order_id": fill.client_order_id} if fill.client_order_id else {}
    return {
        "trade_id": fill.fill_id,
        "order_id": fill.order_id,
        **client,
        "market_ticker": fill.ticker,
        "exchange_index": SHARD,
        "is_taker": fill.is_taker,
        "yes_price_dollars": price_text(fill.price),
        "count_fp": count_text(fill.count),
        "fee_cost": money_text(fill.fee),
        "post_position_fp": count_text(fill.post_position),
        **direction(fill.side),
        "purchased_side": "yes",
        "ts": int(fill.at),
        "ts_ms": int(fill.at * 1000),
        "subaccount": 0,
    }


def position_message(change: PositionChanged) -> Row:
    """Channel market_positions."""
    position = change.position
    return {
        "user_id": USER_ID,
        "market_ticker": change.ticker,
        "position_fp": count_text(position.count),
        "position_cost_dollars": money_text(position.cost),
        "realized_pnl_dollars": money_text(position.realized),
        "fees_paid_dollars": money_text(position.fees),
        "position_fee_cost_dollars": money_text(0),
        "volume_fp": count_text(position.volume),
        "subaccount": 0,
    }


def order_message(change: OrderChanged) -> Row:
    """Channel user_orders: as REST, with milliseconds and the reason."""
    order = change.order
    return order_row(order) | {
        "created_ts_ms": int(order.created * 1000),
        "last_updated_ts_ms": int(order.updated * 1000),
        "expiration_ts_ms": int(order.expires * 1000) if order.expires else None,
        "last_update_reason": change.reason,
    }


def trade_message(trade: Trade) -> Row:
    """Channel trade: the public tape."""
    outcome = "yes" if trade.taker_side == "bid" else "no"
    return {
        "trade_id": trade.trade_id,
        "market_ticker": trade.ticker,
        **prices(trade.price),
        "count_fp": count_text(trade.count),
        "taker_outcome_side": outcome,
        "taker_book_side": trade.taker_side,
        "taker_side": outcome,
        "is_block_trade": False,
        "ts": int(trade.at),
        "ts_ms": int(trade.at * 1000),
    }


def ticker_message(market: Market, now: float) -> Row:
    """Channel ticker: the quotes of a market now."""
    bid, ask = quote(market)
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "market_id": market.ticker,
        "market_ticker": market.ticker,
        "price_dollars": price_text(market.last),
        "yes_bid_dollars": price_text(bid),
        "yes_ask_dollars": price_text(ask),
        "volume_fp": count_text(market.volume),
        "open_interest_fp": count_text(market.open_interest),
        "dollar_volume": cents(market.dollar_volume) // 100,
        "dollar_open_interest": market.open_interest // 100,
        "yes_bid_size_fp": count_text(market.book.bids.sizes.get(bid, 0)),
        "yes_ask_size_fp": count_text(market.book.asks.sizes.get(ask, 0)),
        "last_trade_size_fp": count_text(market.last_size),
        "ts": int(now),
        "ts_ms": int(now * 1000),
        "time": moment,
    }


LIFE: Final = {
    "initialized": "created",
    "active": "activated",
    "inactive": "deactivated",
    "closed": "close_date_updated",
    "determined": "determined",
    "finalized": "settled",
}
"""Status of a market -> the event that told it."""


def life_message(market: Market, now: float) -> Row:
    """Channel market_lifecycle_v2; the times are Unix seconds."""
    row: Row = {
        "market_ticker": market.ticker,
        "event_type": LIFE[market.state],
        "open_ts": int(market.opens),
        "close_ts": int(market.closes),
        "ts_ms": int(now * 1000),
    }
    if market.result:
        row |= {"result": market.result, "determination_ts": int(now)}
    if market.settled_at:
        row["settled_ts"] = int(market.settled_at)
    return row


def delta_message(change: LevelChanged, mine: bool, yes_price: bool) -> Row:
    """Channel orderbook_delta; NO levels in NO prices unless yes_price."""
    price = change.price if change.side == "bid" or yes_price else DOLLAR - change.price
    own = {"client_order_id": change.client_order_id, "subaccount": 0} if mine and change.client_order_id else {}
    return {
        "market_ticker": change.ticker,
        "market_id": change.ticker,
        "price_dollars": price_text(price),
        "delta_fp": count_text(change.delta),
        "side": "yes" if change.side == "bid" else "no",
        "ts_ms": int(change.at * 1000),
        **own,
    }


def snapshot_message(market: Market, yes_price: bool) -> Row:
    """The whole book; the key of an empty side is absent."""
    sides = {
        "yes_dollars_fp": levels(market.book.bids),
        "no_dollars_fp": levels(market.book.asks, no=not yes_price),
    }
    return {"market_ticker": market.ticker, "market_id": market.ticker} | {k: side for k, side in sides.items() if side}
