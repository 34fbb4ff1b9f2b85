"""Random bodies, queries and headers: the simulator refuses them with a 4xx and never fails with a 500."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.conftest import Member

WORDS = st.sampled_from(
    ["0.5", "1.00", "-1", "1e5", "bid", "ask", "good_till_canceled", "fill_or_kill", "maker", "\ud800", "٣", "0.55555"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | WORDS
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.just({"ticker": 1}) | st.just([{"price": "0.5"}, {}])
MEMBERS = st.sampled_from(
    [
        "ticker",
        "side",
        "count",
        "price",
        "time_in_force",
        "self_trade_prevention_type",
        "client_order_id",
        "orders",
        "expiration_time",
        "post_only",
        "reduce_only",
        "subaccount",
        "exchange_index",
        "order_group_id",
        "reduce_by",
    ]
)
QUERIES = st.sampled_from(
    [
        "limit",
        "cursor",
        "ticker",
        "tickers",
        "status",
        "min_ts",
        "max_ts",
        "event_ticker",
        "depth",
        "subaccount",
        "settlement_status",
        "min_close_ts",
        "market_ticker",
        "exchange_index",
    ]
)
PATHS = st.sampled_from(
    [
        "/markets",
        "/markets/trades",
        "/markets/orderbooks",
        "/events",
        "/series",
        "/portfolio/balance",
        "/portfolio/positions",
        "/portfolio/fills",
        "/portfolio/orders",
        "/portfolio/settlements",
        "/historical/fills",
        "/historical/markets",
        "/portfolio/orders/queue_positions",
        "/markets/x/orderbook",
    ]
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(st.dictionaries(MEMBERS, VALUES), st.sampled_from(["", "/batched", "/x/amend", "/x/decrease"]), st.booleans())
def test_a_random_body_is_accepted_or_refused(
    member: Member, members: dict[str, Any], path: str, complete: bool
) -> None:
    """Random members, alone or in place of those of a valid order."""
    body = member.order(**members) if complete else members
    status, answer = member.call("POST", f"/portfolio/events/orders{path}", json.dumps(body).encode())
    assert status in (201, 400, 403, 404)
    assert status == 201 or "error" in answer or "code" in answer


@quick
@given(PATHS, st.dictionaries(QUERIES, st.text(max_size=8) | st.integers().map(str) | st.sampled_from(["--5", "²"])))
def test_a_random_query_is_answered_or_refused(member: Member, path: str, query: dict[str, str]) -> None:
    """Random parameters: 200, or the shape of query validation."""
    text = "&".join(f"{name}={quote(value, errors='ignore')}" for name, value in query.items())
    status, answer = member.call("GET", f"{path}?{text}")
    assert status in (200, 400, 403, 404)
    assert status == 200 or "error" in answer or "msg" in answer


@quick
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "KALSHI-ACCESS-KEY": st.sampled_from(["demo-rsa", "demo-ed25519", "x", ""]),
            "KALSHI-ACCESS-TIMESTAMP": st.sampled_from(["", "0", "-1", "9" * 40, "soon", "1800000000000"]),
            "KALSHI-ACCESS-SIGNATURE": st.sampled_from(["", "AAAA", "not base64", "=" * 9, "A" * 344]),
        },
    )
)
def test_random_headers_are_401(member: Member, headers: dict[str, str]) -> None:
    """Random key id, timestamp and signature."""
    assert member.call("GET", "/portfolio/balance", headers=headers)[0] == 401


def test_a_deeply_nested_body_is_refused(member: Member) -> None:
    """Nesting beyond the parser's limit is 400."""
    assert member.call("POST", "/portfolio/events/orders", b"[" * 100_000)[0] == 400
