"""Messages of the socket, channel by channel (Kalshi docs: websockets)."""

from datetime import UTC, datetime
from typing import Final

from simulator.api.market_rows import levels, quote
from simulator.api.rows import USER_ID, JsonRow, direction, order_row, prices
from simulator.events import FillEvent, LevelEvent, MarketEvent, OrderEvent, OrderGroupEvent, PositionEvent, TradeEvent
from simulator.market import GRIDS, SimulatedMarket
from simulator.units import DOLLAR, format_count, format_money, format_price, whole_cents

MESSAGE_TYPES: Final = {
    "fill": "fill",
    "ticker": "ticker",
    "trade": "trade",
    "market_positions": "market_position",
    "orderbook_delta": "orderbook_delta",
    "user_orders": "user_order",
    "market_lifecycle_v2": "market_lifecycle_v2",
    "order_group_updates": "order_group_updates",
}
"""Channel -> the type of its messages."""
SEQUENCED: Final = ("orderbook_delta", "trade", "market_lifecycle_v2", "order_group_updates")


def fill_message(fill: FillEvent) -> JsonRow:
    """Return a message of channel fill: trade_id is the fill_id of REST, and no_price is missing."""
    client = {"client_order_id": fill.client_order_id} if fill.client_order_id else {}
    return {
        "trade_id": fill.fill_id,
        "order_id": fill.order_id,
        **client,
        "market_ticker": fill.ticker,
        "exchange_index": fill.shard,
        "is_taker": fill.is_taker,
        "yes_price_dollars": format_price(fill.price),
        "count_fp": format_count(fill.count),
        "fee_cost": format_money(fill.fee),
        "post_position_fp": format_count(fill.post_position),
        **direction(fill.side),
        "purchased_side": "yes",
        "ts": int(fill.at),
        "ts_ms": int(fill.at * 1000),
        "subaccount": 0,
    }


def position_message(change: PositionEvent) -> JsonRow:
    """Return a message of channel market_positions."""
    position = change.position
    return {
        "user_id": USER_ID,
        "market_ticker": change.ticker,
        "position_fp": format_count(position.count),
        "position_cost_dollars": format_money(position.cost),
        "realized_pnl_dollars": format_money(position.realized),
        "fees_paid_dollars": format_money(position.fees),
        "position_fee_cost_dollars": format_money(0),
        "volume_fp": format_count(position.volume),
        "subaccount": 0,
    }


def order_message(change: OrderEvent) -> JsonRow:
    """Return a message of channel user_orders: an Order with milliseconds, reason and the deprecated is_yes."""
    order = change.order
    return order_row(order) | {
        "is_yes": order.side == "bid",
        "created_ts_ms": int(order.created * 1000),
        "last_updated_ts_ms": int(order.updated * 1000),
        "expiration_ts_ms": int(order.expires * 1000) if order.expires else None,
        "last_update_reason": change.reason,
    }


def trade_message(trade: TradeEvent) -> JsonRow:
    """Return a message of channel trade."""
    outcome = "yes" if trade.taker_side == "bid" else "no"
    return {
        "trade_id": trade.trade_id,
        "market_ticker": trade.ticker,
        **prices(trade.price),
        "count_fp": format_count(trade.count),
        "taker_outcome_side": outcome,
        "taker_book_side": trade.taker_side,
        "taker_side": outcome,
        "is_block_trade": False,
        "ts": int(trade.at),
        "ts_ms": int(trade.at * 1000),
    }


def ticker_message(market: SimulatedMarket, now: float) -> JsonRow:
    """Return a message of channel ticker: the quotes of a market at now (Unix seconds)."""
    bid, ask = quote(market)
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "market_id": market.ticker,
        "market_ticker": market.ticker,
        "price_dollars": format_price(market.last),
        "yes_bid_dollars": format_price(bid),
        "yes_ask_dollars": format_price(ask),
        "volume_fp": format_count(market.volume),
        "open_interest_fp": format_count(market.open_interest),
        "dollar_volume": whole_cents(market.dollar_volume) // 100,
        "dollar_open_interest": market.open_interest // 100,
        "yes_bid_size_fp": format_count(market.book.bids.sizes.get(bid, 0)),
        "yes_ask_size_fp": format_count(market.book.asks.sizes.get(ask, 0)),
        "last_trade_size_fp": format_count(market.last_size),
        "ts": int(now),
        "ts_ms": int(now * 1000),
        "time": moment,
    }


def lifecycle_message(event: MarketEvent, market: SimulatedMarket) -> JsonRow:
    """Return a message of channel market_lifecycle_v2; each field belongs to certain changes; times in seconds."""
    fields: dict[str, JsonRow] = {
        "created": {
            "open_ts": int(market.opens),
            "close_ts": int(market.closes),
            "exchange_index": market.shard,
            "price_level_structure": market.structure,
            "price_ranges": [
                {"start": format_price(start), "end": format_price(end), "step": format_price(step)}
                for start, end, step in GRIDS[market.structure]
            ],
            "additional_metadata": {
                "name": market.title,
                "title": market.title,
                "yes_sub_title": market.yes_sub_title,
                "no_sub_title": market.yes_sub_title,
                "can_close_early": True,
                "event_ticker": market.event.ticker,
                "expected_expiration_ts": int(market.closes + market.timer),
            },
        },
        "activated": {"is_deactivated": False},
        "deactivated": {"is_deactivated": True},
        "close_date_updated": {"close_ts": int(market.closes)},
        "determined": {
            "determination_ts": int(event.at),
            "result": market.result,
            "settlement_value": format_price(market.value or 0),
        },
        "settled": {"settled_ts": int(event.at)},
    }
    return {"event_type": event.change, "market_ticker": market.ticker} | fields[event.change]


def order_group_message(event: OrderGroupEvent) -> JsonRow:
    """Return a message of channel order_group_updates."""
    limit = {} if event.limit is None else {"contracts_limit_fp": format_count(event.limit)}
    return {"event_type": event.change, "order_group_id": event.group_id, "ts_ms": int(event.at * 1000)} | limit


def delta_message(change: LevelEvent, own: bool, yes_price: bool) -> JsonRow:
    """Return a message of channel orderbook_delta. own: caused by the account. yes_price: also for NO levels."""
    price = change.price if change.side == "bid" or yes_price else DOLLAR - change.price
    client = {"client_order_id": change.client_order_id, "subaccount": 0} if own and change.client_order_id else {}
    return {
        "market_ticker": change.ticker,
        "market_id": change.ticker,
        "price_dollars": format_price(price),
        "delta_fp": format_count(change.delta),
        "side": "yes" if change.side == "bid" else "no",
        "ts_ms": int(change.at * 1000),
        **client,
    }


def snapshot_message(market: SimulatedMarket, yes_price: bool) -> JsonRow:
    """Return an orderbook_snapshot; the key of an empty side is absent."""
    sides = {
        "yes_dollars_fp": levels(market.book.bids),
        "no_dollars_fp": levels(market.book.asks, no=not yes_price),
    }
    return {"market_ticker": market.ticker, "market_id": market.ticker} | {k: side for k, side in sides.items() if side}
