"""Run by test_sdk under a Python that has the official SDK: every call against the simulator, strictly validated.

usage: python sdk_calls.py URL KEY_ID KEY_PATH TICKER ; prints a JSON object: call -> "ok" or what went wrong.
"""

import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kalshi_python_sync as sdk

URL, KEY_ID, KEY_PATH, TICKER = sys.argv[1:5]
EVENT, SERIES = TICKER.rsplit("-", 1)[0], TICKER.split("-")[0]
REST = {"time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross"}
seen: dict[str, str] = {}


def client() -> Any:
    """The SDK as its documentation sets it up."""
    configuration = sdk.Configuration(host=URL)
    configuration.api_key_id = KEY_ID
    configuration.private_key_pem = Path(KEY_PATH).read_text()
    return sdk.KalshiClient(configuration)


def call(name: str, work: Callable[[], Any]) -> Any:
    """Note how a call went."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  # whatever the SDK raises is the finding
        seen[name] = f"{type(error).__name__}: {error}"[:600]
        return None
    seen[name] = "ok"
    return result


def place(k: Any, **changes: str) -> Any:
    """One resting bid far from the market, with changes."""
    body = {"ticker": TICKER, "side": "bid", "count": "5.00", "price": "0.0200", "client_order_id": str(uuid.uuid4())}
    return k.create_order_v2(**body | REST | changes)


def reads(k: Any) -> None:
    """Every list and single read of the rooms that the simulator has."""
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


def writes(k: Any) -> None:
    """Each order operation once, and what it does once more."""
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


def main() -> None:
    """All calls, on an account that has traded."""
    k = client()
    writes(k)
    reads(k)
    call("upgrade_account_api_usage_level", k.upgrade_account_api_usage_level)
    print(json.dumps(seen, indent=1))


main()
