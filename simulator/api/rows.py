"""JSON rows of an account: the documented names, strings and units (Kalshi docs, SDK 3.34)."""

from typing import Any, Final

from simulator.account import HeldPosition
from simulator.cash_transfers import CashTransfer, ShardTransfer
from simulator.events import FillEvent, SettlementEvent, TradeEvent
from simulator.orders import SimulatedOrder
from simulator.units import DOLLAR, format_cash, format_count, format_money, format_price, format_time, whole_cents

USER_ID: Final = "5a1d0c0e-0000-4000-8000-00000000d3f0"
JsonRow = dict[str, Any]


def direction(side: str) -> JsonRow:
    """Return the direction under its three names; action and side are the deprecated pair."""
    outcome, action = ("yes", "buy") if side == "bid" else ("no", "sell")
    return {"outcome_side": outcome, "book_side": side, "side": "yes", "action": action}


def prices(price: int) -> JsonRow:
    """Return a YES price and its complement."""
    return {"yes_price_dollars": format_price(price), "no_price_dollars": format_price(DOLLAR - price)}


def order_row(order: SimulatedOrder) -> JsonRow:
    """Return an Order of GET /portfolio/orders."""
    return {
        "order_id": order.order_id,
        "user_id": USER_ID,
        "client_order_id": order.client_order_id,
        "ticker": order.ticker,
        **direction(order.side),
        "type": "limit",
        "status": order.status,
        **prices(order.price),
        "initial_count_fp": format_count(order.initial),
        "fill_count_fp": format_count(order.filled),
        "remaining_count_fp": format_count(order.remaining),
        "taker_fill_cost_dollars": format_money(order.taker_cost),
        "maker_fill_cost_dollars": format_money(order.maker_cost),
        "taker_fees_dollars": format_money(order.taker_fees),
        "maker_fees_dollars": format_money(order.maker_fees),
        "expiration_time": format_time(order.expires) if order.expires else None,
        "created_time": format_time(order.created),
        "last_update_time": format_time(order.updated),
        "self_trade_prevention_type": order.request.self_trade,
        "order_group_id": order.request.group_id or None,
        "cancel_order_on_pause": order.request.cancel_on_pause,
        "subaccount_number": 0,
        "exchange_index": order.shard,
    }


def placed_row(order: SimulatedOrder, at: float) -> JsonRow:
    """Return the response to a create: fewer members than an Order, and counts without the suffix _fp."""
    row: JsonRow = {"order_id": order.order_id}
    if order.client_order_id:
        row["client_order_id"] = order.client_order_id
    row |= {"fill_count": format_count(order.filled), "remaining_count": format_count(order.remaining)}
    if order.filled:
        fees = order.taker_fees + order.maker_fees
        row["average_fill_price"] = format_money(order.value * 100 // order.filled)
        row["average_fee_paid"] = format_money(fees * 100 // order.filled)
    return row | {"ts_ms": int(at * 1000)}


def fill_row(fill: FillEvent) -> JsonRow:
    """Return a Fill of GET /portfolio/fills."""
    return {
        "fill_id": fill.fill_id,
        "trade_id": fill.fill_id,
        "order_id": fill.order_id,
        "ticker": fill.ticker,
        "market_ticker": fill.ticker,
        "exchange_index": fill.shard,
        **direction(fill.side),
        "count_fp": format_count(fill.count),
        **prices(fill.price),
        "is_taker": fill.is_taker,
        "fee_cost": format_money(fill.fee),
        "created_time": format_time(fill.at),
        "ts": int(fill.at),
        "subaccount_number": 0,
    }


def position_row(ticker: str, position: HeldPosition, shard: int) -> JsonRow:
    """Return a MarketPosition: + YES, - NO; exposure is the cost of the open position without fees."""
    return {
        "ticker": ticker,
        "exchange_index": shard,
        "total_traded_dollars": format_money(position.traded),
        "position_fp": format_count(position.count),
        "market_exposure_dollars": format_money(position.cost),
        "realized_pnl_dollars": format_money(position.realized),
        "fees_paid_dollars": format_money(position.fees),
        "last_updated_ts": format_time(position.updated),
    }


def event_position_row(event_ticker: str, positions: list[HeldPosition]) -> JsonRow:
    """Return an EventPosition: the sums over the markets of an event."""
    return {
        "event_ticker": event_ticker,
        "total_cost_dollars": format_money(sum(position.traded for position in positions)),
        "total_cost_shares_fp": format_count(sum(position.volume for position in positions)),
        "event_exposure_dollars": format_money(sum(position.cost for position in positions)),
        "realized_pnl_dollars": format_money(sum(position.realized for position in positions)),
        "fees_paid_dollars": format_money(sum(position.fees for position in positions)),
    }


def settlement_row(paid: SettlementEvent) -> JsonRow:
    """Return a Settlement: gross counts, netted pairs included; revenue and value in cents.

    fee_cost repeats the fees of the market's fills, as real rows do.
    """
    position = paid.position
    return {
        "ticker": paid.ticker,
        "exchange_index": paid.shard,
        "event_ticker": paid.event_ticker,
        "market_result": paid.result,
        "yes_count_fp": format_count(position.yes_bought),
        "yes_total_cost_dollars": format_money(position.yes_cost),
        "no_count_fp": format_count(position.no_bought),
        "no_total_cost_dollars": format_money(position.no_cost),
        "revenue": whole_cents(paid.payout),
        "settled_time": format_time(paid.at),
        "fee_cost": format_money(position.fees),
        "value": paid.reported_value // 100,
    }


def cash_transfer_row(transfer: CashTransfer) -> JsonRow:
    """Return a Deposit or a Withdrawal."""
    return {
        "id": transfer.transfer_id,
        "status": transfer.status,
        "type": transfer.method,
        "amount_cents": transfer.amount_cents,
        "fee_cents": transfer.fee_cents,
        "created_ts": int(transfer.created),
    } | ({"finalized_ts": int(transfer.finalized)} if transfer.finalized is not None else {})


def shard_transfer_row(transfer: ShardTransfer) -> JsonRow:
    """Return an IntraExchangeInstanceTransfer."""
    return {
        "transfer_id": transfer.transfer_id,
        "source": "event_contract",
        "destination": "event_contract",
        "source_exchange_shard": transfer.source,
        "destination_exchange_shard": transfer.destination,
        "amount": format_cash(transfer.amount),
        "status": "complete",
        "created_ts": int(transfer.created),
    }


def trade_row(trade: TradeEvent) -> JsonRow:
    """Return a Trade of GET /markets/trades."""
    outcome = "yes" if trade.taker_side == "bid" else "no"
    return {
        "trade_id": trade.trade_id,
        "ticker": trade.ticker,
        "count_fp": format_count(trade.count),
        **prices(trade.price),
        "taker_side": outcome,
        "taker_outcome_side": outcome,
        "taker_book_side": trade.taker_side,
        "created_time": format_time(trade.at),
        "is_block_trade": False,
    }
