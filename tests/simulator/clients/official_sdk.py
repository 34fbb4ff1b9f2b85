"""The official SDK on the simulator: every call that the simulator answers, validated by its strict models."""

import time
import uuid
from pathlib import Path
from typing import Any

import kalshi_python_sync as sdk
from steps import EVENT, KEY_ID, KEY_PATH, SERIES, TICKER, URL, check, finish
from steps import step as call

REST = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross"}


def client() -> Any:
    """Return the SDK as its documentation sets it up."""
    configuration = sdk.Configuration(host=URL)
    configuration.api_key_id = KEY_ID
    configuration.private_key_pem = Path(KEY_PATH).read_text()
    return sdk.KalshiClient(configuration)


def place(k: Any, **changes: str) -> Any:
    """Place a resting bid far from the market, with changes."""
    body = {"ticker": TICKER, "side": "bid", "count": "5.00", "price": "0.0200", "client_order_id": str(uuid.uuid4())}
    return k.create_order_v2(**body | REST | changes)


def reads(k: Any) -> None:
    """Call every list and single read that the simulator has."""
    for name in (
        "get_exchange_status",
        "get_exchange_schedule",
        "get_user_data_timestamp",
        "get_markets",
        "get_trades",
        "get_events",
        "get_multivariate_events",
        "get_series_list",
        "get_balance",
        "get_positions",
        "get_fills",
        "get_orders",
        "get_order_queue_positions",
        "get_settlements",
        "get_portfolio_resting_order_total_value",
        "get_subaccount_balances",
        "get_deposits",
        "get_withdrawals",
        "get_account_api_limits",
        "get_account_endpoint_costs",
        "get_historical_cutoff",
        "get_fills_historical",
        "get_historical_orders",
        "get_historical_positions",
        "get_historical_markets",
        "get_trades_historical",
        "get_structured_targets",
        "get_incentive_programs",
        "get_multivariate_event_collections",
        "get_event_fee_changes",
        "get_series_fee_changes",
        "get_filters_for_sports",
        "get_order_groups",
        "get_subaccount_transfers",
        "get_subaccount_netting",
        "get_intra_exchange_instance_transfers",
        "get_api_keys",
        "get_tags_for_series_categories",
        "get_account_api_usage_level_volume_progress",
    ):
        call(name, getattr(k, name))
    call("get_milestones", lambda: k.get_milestones(10))
    call("get_market", lambda: k.get_market(TICKER))
    call("get_market_orderbook", lambda: k.get_market_orderbook(TICKER))
    call("get_market_orderbooks", lambda: k.get_market_orderbooks([TICKER]))
    call("get_event", lambda: k.get_event(EVENT))
    call("get_events nested", lambda: k.get_events(with_nested_markets=True))
    call("get_series", lambda: k.get_series(SERIES))
    call("get_historical_market", lambda: k.get_historical_market(TICKER))
    call("get_event_metadata", lambda: k.get_event_metadata(EVENT))
    call("get_target_balance_allocation", k.get_target_balance_allocation)


def candlesticks(k: Any) -> None:
    """Call the four reads of candlesticks on a market that has traded."""
    span = (int(time.time()) - 7200, int(time.time()) + 7200, 1)
    one = call("get_market_candlesticks", lambda: k.get_market_candlesticks(SERIES, TICKER, *span))
    check("candlesticks with trades", any(row.volume_fp != "0.00" for row in one.candlesticks), True)
    call("batch_get_market_candlesticks", lambda: k.batch_get_market_candlesticks(TICKER, *span))
    call("get_market_candlesticks_by_event", lambda: k.get_market_candlesticks_by_event(EVENT, SERIES, *span))
    call("get_market_candlesticks_historical", lambda: k.get_market_candlesticks_historical(TICKER, *span))


def order_groups(k: Any) -> None:
    """Call each operation on order groups."""
    group = call("create_order_group", lambda: k.create_order_group(contracts_limit=5)).order_group_id
    call("get_order_group", lambda: k.get_order_group(group))
    call("update_order_group_limit", lambda: k.update_order_group_limit(group, contracts_limit=7))
    call("trigger_order_group", lambda: k.trigger_order_group(group))
    call("reset_order_group", lambda: k.reset_order_group(group))
    call("get_order_groups with one", k.get_order_groups)
    call("delete_order_group", lambda: k.delete_order_group(group))


def transfers(k: Any) -> None:
    """Move cash between two shards and read the transfer."""
    route = {"source": "event_contract", "destination": "event_contract", "destination_exchange_shard": 1}
    done = call("intra_exchange_instance_transfer", lambda: k.intra_exchange_instance_transfer(amount=100, **route))
    call("get_intra_exchange_instance_transfer", lambda: k.get_intra_exchange_instance_transfer(done.transfer_id))


def writes(k: Any) -> None:
    """Call each order operation."""
    first = call("create_order_v2", lambda: place(k))
    call("create_order_v2 taking", lambda: place(k, price="0.9900", time_in_force="immediate_or_cancel"))
    if first is not None:
        call("get_order", lambda: k.get_order(first.order_id))
        call("get_order_queue_position", lambda: k.get_order_queue_position(first.order_id))
        call(
            "amend_order_v2",
            lambda: k.amend_order_v2(first.order_id, ticker=TICKER, side="bid", price="0.0300", count="6.00"),
        )
        call("decrease_order_v2", lambda: k.decrease_order_v2(first.order_id, reduce_by="1.00"))
        call("cancel_order_v2", lambda: k.cancel_order_v2(first.order_id, market_ticker=TICKER))
    good = {"ticker": TICKER, "side": "bid", "count": "1.00", "price": "0.0200"} | REST
    orders = [good, good | {"price": "0.0255"}]
    batch = call("batch_create_orders_v2", lambda: k.batch_create_orders_v2(orders=orders))
    if batch is not None:
        assert batch.orders[0].order_id
        assert batch.orders[1].error.code == "invalid_price"
        kept = [{"order_id": batch.orders[0].order_id}, {"order_id": "unknown"}]
        call("batch_cancel_orders_v2", lambda: k.batch_cancel_orders_v2(orders=kept))
    place(k)
    call("cancel_all_orders", k.cancel_all_orders)


k = client()
writes(k)
order_groups(k)
transfers(k)
reads(k)
candlesticks(k)
call("upgrade_account_api_usage_level", k.upgrade_account_api_usage_level)
finish()
