"""Replies as the exchange sends them (Kalshi docs; shapes as recorded from the demo server), one of each kind."""

from decimal import Decimal
from typing import Any

BALANCE: dict[str, Any] = {
    "balance": 9801, "balance_dollars": "98.0186", "portfolio_value": 198, "updated_ts": 1781160000,
    "balance_breakdown": [{"exchange_index": 0, "balance": "98.0186"}],
}  # fmt: skip
POSITION: dict[str, Any] = {
    "ticker": "PRES24-GOP", "exchange_index": 0, "total_traded_dollars": "2.500000", "position_fp": "3.00",
    "market_exposure_dollars": "2.500000", "realized_pnl_dollars": "0.000000", "fees_paid_dollars": "0.018900",
    "last_updated_ts": "2026-06-11T06:29:30.164956Z",
}  # fmt: skip
FILL: dict[str, Any] = {
    "fill_id": "f-1", "trade_id": "f-1", "order_id": "o-1", "ticker": "PRES24-GOP", "market_ticker": "PRES24-GOP",
    "exchange_index": 0, "outcome_side": "yes", "book_side": "bid", "count_fp": "10.00",
    "yes_price_dollars": "0.5200", "no_price_dollars": "0.4800", "is_taker": True, "fee_cost": "0.017500",
    "created_time": "2026-06-11T06:29:30.164956Z", "ts": 1781159370,
}  # fmt: skip
PUSHED: dict[str, Any] = {
    "trade_id": "f-1", "order_id": "o-1", "client_order_id": "c-1", "market_ticker": "PRES24-GOP",
    "exchange_index": 0, "is_taker": True, "yes_price_dollars": "0.5200", "count_fp": "10.00", "fee_cost": "0.0175",
    "post_position_fp": "10.00", "outcome_side": "yes", "book_side": "bid", "ts_ms": 1781159370164, "ts": 1781159370,
}  # fmt: skip
ORDER: dict[str, Any] = {
    "order_id": "o-1", "user_id": "u-1", "client_order_id": "c-1", "ticker": "PRES24-GOP", "outcome_side": "yes",
    "book_side": "bid", "type": "limit", "status": "canceled", "yes_price_dollars": "0.5200",
    "no_price_dollars": "0.4800", "initial_count_fp": "10.00", "fill_count_fp": "4.00", "remaining_count_fp": "0.00",
    "taker_fill_cost_dollars": "2.080000", "maker_fill_cost_dollars": "0.000000", "taker_fees_dollars": "0.070000",
    "maker_fees_dollars": "0.000000", "created_time": "2026-06-11T06:29:30.164956Z", "last_update_time": None,
}  # fmt: skip
SETTLEMENT: dict[str, Any] = {
    "ticker": "PRES24-GOP", "exchange_index": 0, "event_ticker": "PRES24", "market_result": "yes",
    "yes_count_fp": "3.00", "yes_total_cost_dollars": "2.500000", "no_count_fp": "0.00",
    "no_total_cost_dollars": "0.000000", "revenue": 300, "settled_time": "2026-06-12T00:00:00Z",
    "fee_cost": "0.018900", "value": 100,
}  # fmt: skip
DEPOSIT: dict[str, Any] = {
    "id": "d-1", "status": "applied", "type": "ach", "amount_cents": 2500, "fee_cents": 50, "created_ts": 1781150000,
    "finalized_ts": 1781160000,
}  # fmt: skip
MARKET: dict[str, Any] = {
    "ticker": "PRES24-GOP", "event_ticker": "PRES24", "market_type": "binary", "title": "Who wins?",
    "yes_sub_title": "GOP", "no_sub_title": "not GOP", "status": "active", "result": "",
    "yes_bid_dollars": "0.5200", "yes_ask_dollars": "0.5400", "no_bid_dollars": "0.4600", "no_ask_dollars": "0.4800",
    "last_price_dollars": "0.5300", "yes_bid_size_fp": "12.00", "yes_ask_size_fp": "7.00", "volume_fp": "1000.00",
    "volume_24h_fp": "10.00", "open_interest_fp": "500.00", "open_time": "2026-01-01T00:00:00Z",
    "close_time": "2026-12-31T00:00:00Z", "latest_expiration_time": "2027-01-31T00:00:00Z", "rules_primary": "If …",
}  # fmt: skip
ORDERBOOK: dict[str, Any] = {
    "orderbook_fp": {"yes_dollars": [["0.4700", "3.00"], ["0.5200", "12.00"]], "no_dollars": [["0.4600", "7.00"]]}
}
STATUS: dict[str, Any] = {"exchange_active": True, "trading_active": True}
CUTOFF: dict[str, Any] = {
    "market_settled_ts": "2026-06-01T00:00:00Z", "trades_created_ts": "2026-06-01T00:00:00Z",
    "orders_updated_ts": "2026-06-01T00:00:00Z",
}  # fmt: skip
LIMITS: dict[str, Any] = {
    "usage_tier": "advanced", "grants": [],
    "read": {"refill_rate": 300, "bucket_capacity": 900}, "write": {"refill_rate": 300, "bucket_capacity": 900},
}  # fmt: skip
COSTS: dict[str, Any] = {
    "default_cost": 10,
    "endpoint_costs": [{"method": "GET", "path": "/trade-api/v2/portfolio/orders/{order_id}", "cost": 2}],
}


def balance(dollars: str) -> dict[str, Any]:
    """The reply of /portfolio/balance with so much cash, all of it on shard 0."""
    cents = int(Decimal(dollars) * 100)
    parts = [{"exchange_index": 0, "balance": dollars}]
    return BALANCE | {"balance": cents, "balance_dollars": dollars, "balance_breakdown": parts}


def as_of(moment: str) -> dict[str, Any]:
    """The reply of /exchange/user_data_timestamp."""
    return {"as_of_time": moment}
