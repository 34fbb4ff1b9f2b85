"""Refused requests, each with its status and its body."""

import time
from typing import Any

import pytest

from tests.simulator.conftest import Member

ORDERS = "/portfolio/events/orders"


def nested(code: str, message: str | None = None, details: str | None = None) -> dict[str, Any]:
    """Return the nested error body of the gateway and the exchange."""
    error = {"code": code, "message": message or code.replace("_", " ")}
    return {"error": error | ({"details": details} if details else {})}


WRONG = nested("authentication_error", "authentication_error", "INCORRECT_API_KEY_SIGNATURE")
EXPIRED = nested("header_timestamp_expired")


@pytest.mark.parametrize(
    ("key_id", "seconds", "signed", "body"),
    [
        ("demo-ed25519", -30, "/trade-api/v2/portfolio/balance", EXPIRED),
        ("demo-ed25519", 300, "/trade-api/v2/portfolio/balance", EXPIRED),
        ("demo-ed25519", 0, "/portfolio/balance", WRONG),
        ("demo-ed25519", 0, "/trade-api/v2/portfolio/balance?subaccount=0", WRONG),
        ("demo-rsa", 0, "/trade-api/v2/portfolio/balance", WRONG),
        (
            "nobody",
            0,
            "/trade-api/v2/portfolio/balance",
            nested("authentication_error", "authentication_error", "NOT_FOUND"),
        ),
    ],
    ids=["old", "ahead", "short path", "query signed", "other key", "unknown key"],
)
def test_a_bad_signature_is_401(member: Member, key_id: str, seconds: float, signed: str, body: object) -> None:
    """The recorded body for each mistake."""
    headers = member.call.headers("GET", signed, time.time() + seconds) | {"KALSHI-ACCESS-KEY": key_id}
    assert member.call("GET", "/portfolio/balance?subaccount=0", headers=headers) == (401, body)


def test_a_signature_is_needed_for_the_account_only(member: Member) -> None:
    """Market data and all of /exchange are public, the account is not."""
    missing = (401, nested("signature_is_missing_from_headers"))
    assert member.call("GET", "/portfolio/balance", headers={}) == missing
    assert member.call("GET", "/historical/fills", headers={}) == missing
    for path in (
        "/exchange/status",
        "/exchange/user_data_timestamp",
        "/markets?limit=1",
        "/historical/cutoff",
        "/account/endpoint_costs",
        "/series",
    ):
        assert member.call("GET", path, headers={})[0] == 200


def test_a_clock_may_differ_by_five_seconds(member: Member) -> None:
    """A timestamp five seconds old or ahead is accepted."""
    for seconds in (-5, 5):
        headers = member.call.headers("GET", "/trade-api/v2/portfolio/balance", time.time() + seconds)
        assert member.call("GET", "/portfolio/balance", headers=headers)[0] == 200


@pytest.mark.parametrize(
    ("changes", "status", "body"),
    [
        ({"price": "0.4550"}, 400, nested("invalid_price")),
        ({"price": "0.0000"}, 400, nested("invalid_price")),
        ({"price": "1.0000"}, 400, nested("invalid_price")),
        ({"price": "-0.5"}, 400, nested("invalid_price")),
        ({"price": "abc"}, 400, nested("invalid_price")),
        ({"count": "0.00"}, 400, nested("invalid_order_size")),
        ({"count": "-1.00"}, 400, nested("invalid_order_size")),
        ({"count": "1.005"}, 400, nested("invalid_order_size")),
        ({"count": "900000.00", "price": "0.3000"}, 400, nested("insufficient_balance")),
        ({"ticker": "KXNOTHING-1"}, 404, nested("not_found", details="market not found")),
        ({"post_only": True, "price": "0.4500"}, 400, nested("invalid_order", details="post only cross")),
        (
            {"expiration_time": 1},
            400,
            nested("invalid_order", details="expiration_time must be in the future and needs good_till_canceled"),
        ),
        (
            {"expiration_time": 4_000_000_000, "time_in_force": "immediate_or_cancel"},
            400,
            nested("invalid_order", details="expiration_time must be in the future and needs good_till_canceled"),
        ),
        ({"reduce_only": True}, 400, nested("invalid_order", details="reduce_only needs immediate_or_cancel")),
        ({"subaccount": 7}, 403, nested("forbidden", details="subaccount not found")),
        ({"expiration_time": -1}, 400, nested("invalid_order", details="expiration_time is not a time in seconds")),
        ({"expiration_time": 10**15}, 400, nested("invalid_order", details="expiration_time is not a time in seconds")),
        ({"exchange_index": 1}, 400, nested("bad_request", details="the market is not on that exchange index")),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_invalid_order_is_refused_with_its_code(
    member: Member, changes: dict[str, object], status: int, body: object
) -> None:
    """Each rule has its code, and the account does not change."""
    before = member.call("GET", "/portfolio/balance")[1]["balance_dollars"]
    assert member.place(**changes) == (status, body)
    assert member.call("GET", "/portfolio/balance")[1]["balance_dollars"] == before
    assert member.call("GET", "/portfolio/orders?status=resting")[1]["orders"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 5},
        {"price": 0.02},
        {"count": None},
        {"side": None},
        {"side": "yes"},
        {"time_in_force": None},
        {"time_in_force": "day"},
        {"self_trade_prevention_type": None},
        {"post_only": "yes"},
        {"expiration_time": "soon"},
        {"client_order_id": 7},
        {"ticker": None},
    ],
    ids=str,
)
def test_wrong_json_types_are_refused_flat(member: Member, changes: dict[str, object]) -> None:
    """JSON numbers in place of strings, missing and unknown words: the flat shape."""
    status, body = member.place(**changes)
    assert (status, body["code"], "error" in body) == (400, "bad_request", False)


def test_a_body_without_a_json_object_is_refused(member: Member) -> None:
    """400, flat."""
    for text in (b"{", b"[]", b"", b"\xff\xfe"):
        status, body = member.call("POST", ORDERS, text)
        assert (status, body["code"]) == (400, "bad_request")


def test_a_client_order_id_can_be_used_once(member: Member) -> None:
    """409 even after the first order was cancelled."""
    order = member.order()
    _, placed = member.call("POST", ORDERS, order)
    assert member.call("POST", ORDERS, order) == (409, nested("order_already_exists"))
    assert member.call("DELETE", f"{ORDERS}/{placed['order_id']}")[0] == 200
    assert member.call("POST", ORDERS, order) == (409, nested("order_already_exists"))


def test_a_second_cancel_is_404(member: Member) -> None:
    """200 with what was taken off, then not found; also for a wrong market and an unknown order."""
    _, placed = member.place()
    path = f"{ORDERS}/{placed['order_id']}"
    assert member.call("DELETE", f"{path}?market_ticker=KXOTHER") == (404, nested("not_found"))
    status, body = member.call("DELETE", f"{path}?market_ticker={member.ticker}")
    assert (status, body["reduced_by"], body["order_id"]) == (200, "5.00", placed["order_id"])
    assert member.call("DELETE", path) == (404, nested("not_found"))
    assert member.call("DELETE", f"{ORDERS}/unknown") == (404, nested("not_found"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ticker": "KXOTHER"}, "order_ticker_mismatch"),
        ({"side": "ask"}, "order_side_mismatch"),
        ({"client_order_id": "other"}, "order_id_and_client_order_id_mismatch"),
        ({"price": "0.0255"}, "invalid_price"),
        ({"count": "0.00"}, "invalid_order_size"),
        ({"count": "900000.00"}, "insufficient_balance"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_amend_must_fit_its_order(member: Member, changes: dict[str, str], code: str) -> None:
    """The order's own ticker, side and client id; then the rules of an order."""
    _, placed = member.place()
    body = {"ticker": member.ticker, "side": "bid", "price": "0.0300", "count": "6.00"} | changes
    assert member.call("POST", f"{ORDERS}/{placed['order_id']}/amend", body) == (400, nested(code))


def test_an_amend_cannot_move_the_expiry_into_the_past(member: Member) -> None:
    """An expiry in the past is refused as at creation and changes nothing; 0 removes the expiry."""
    _, placed = member.place(expiration_time=int(time.time()) + 600)
    path = f"{ORDERS}/{placed['order_id']}/amend"
    body = {"ticker": member.ticker, "side": "bid", "price": "0.0200", "count": "5.00"}
    status, refused = member.call("POST", path, body | {"expiration_time": 5})
    assert (status, refused["error"]["code"]) == (400, "invalid_order")
    order = member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]
    assert (order["status"], order["expiration_time"] is None) == ("resting", False)
    assert member.call("POST", path, body | {"expiration_time": 0})[0] == 200
    assert member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]["expiration_time"] is None


def test_an_amend_cannot_take_a_client_id_that_was_used(member: Member) -> None:
    """Nor one of an order that is gone: 409, and the order stays as it was."""
    used = f"used-{time.monotonic_ns()}"
    _, other = member.place(client_order_id=used)
    member.call("DELETE", f"{ORDERS}/{other['order_id']}")
    _, placed = member.place()
    body = {
        "ticker": member.ticker, "side": "bid", "price": "0.0300", "count": "6.00", "updated_client_order_id": used,
    }  # fmt: skip
    assert member.call("POST", f"{ORDERS}/{placed['order_id']}/amend", body) == (409, nested("order_already_exists"))
    order = member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]
    assert (order["yes_price_dollars"], order["status"]) == ("0.0200", "resting")


def test_a_decrease_to_the_same_or_a_larger_count_is_refused(member: Member) -> None:
    """400 for the remaining count and for more."""
    _, placed = member.place()
    for body in ({"reduce_to": "5.00"}, {"reduce_to": "6.00"}):
        answer = member.call("POST", f"{ORDERS}/{placed['order_id']}/decrease", body)
        assert answer == (400, nested("invalid_order_size"))


def test_an_empty_batch_and_a_huge_body_are_refused(member: Member) -> None:
    """Flat 400, and 413 in the nested shape."""
    status, body = member.call("POST", f"{ORDERS}/batched", {"orders": []})
    assert (status, body["code"]) == (400, "bad_request")
    assert member.call("POST", ORDERS, b"x" * 3_000_000)[0] == 413


def test_another_subaccount_is_forbidden(member: Member) -> None:
    """Only the primary subaccount exists, for reads as well."""
    status, body = member.call("GET", "/portfolio/fills?subaccount=3")
    assert (status, body["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("body", [{}, {"reduce_by": "1.00", "reduce_to": "1.00"}], ids=["neither", "both"])
def test_a_decrease_needs_exactly_one_amount(member: Member, body: dict[str, str]) -> None:
    """Exactly one of reduce_by and reduce_to."""
    _, placed = member.place()
    status, answer = member.call("POST", f"{ORDERS}/{placed['order_id']}/decrease", body)
    assert (status, answer["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/portfolio/orders"),
        ("DELETE", "/portfolio/orders/x"),
        ("POST", "/portfolio/orders/x/amend"),
        ("POST", "/portfolio/orders/x/decrease"),
        ("POST", "/portfolio/orders/batched"),
    ],
    ids=str,
)
def test_v1_order_writes_are_410(member: Member, method: str, path: str) -> None:
    """410 with a pointer to the V2 endpoints."""
    gone = nested("deprecated_v1_order_endpoint", "Please switch to the V2 endpoints")
    assert member.call(method, path, {}) == (410, gone)


def test_a_closed_market_refuses_every_operation(member: Member) -> None:
    """Create and cancel alike: MARKET_INACTIVE."""
    ticker = member.markets[0]
    _, placed = member.place(ticker=ticker)
    member.simulator.control("POST", "/close", {"ticker": ticker})
    inactive = (400, nested("MARKET_INACTIVE", "market is not active"))
    assert member.place(ticker=ticker) == inactive
    assert member.call("DELETE", f"{ORDERS}/{placed['order_id']}") == inactive


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/markets?limit=1001", "limit"),
        ("/portfolio/fills?limit=0", "limit"),
        ("/portfolio/fills?limit=x", "limit"),
        ("/events?limit=201", "limit"),
        ("/portfolio/orders?status=open", "status"),
        ("/markets?status=active", "status"),
        ("/portfolio/positions?settlement_status=old", "settlement_status"),
        ("/portfolio/positions?count_filter=x", "count_filter"),
        ("/portfolio/fills?min_ts=yesterday", "min_ts"),
        ("/markets?min_close_ts=1&max_created_ts=2", "close_ts"),
    ],
)
def test_a_bad_parameter_is_named(member: Member, path: str, name: str) -> None:
    """400 in the shape of query validation; nothing is clamped."""
    status, body = member.call("GET", path)
    assert status == 400
    assert body == {"msg": f"Parameter validation failed for {name}"}


def test_unknown_paths_and_methods_are_404_and_405(member: Member) -> None:
    """JSON bodies for unknown paths, methods, markets, events, series and orders."""
    assert member.call("GET", "/nothing")[0] == 404
    assert member.call("PUT", "/portfolio/balance")[0] == 405
    for path in ("/markets/KXNO", "/markets/KXNO/orderbook", "/events/KXNO", "/series/KXNO", "/portfolio/orders/x"):
        status, body = member.call("GET", path)
        assert (status, body["error"]["code"]) == (404, "not_found")


def test_an_empty_token_bucket_is_429(member: Member) -> None:
    """Basic has 100 write tokens: ten orders, then 429 with its odd body; reads have their own."""
    member.simulator.control("POST", "/tier", {"tier": "basic"})
    first, second = ({"orders": [member.order() for _ in range(10)]} for _ in range(2))
    assert member.call("POST", f"{ORDERS}/batched", first)[0] == 201
    assert member.call("POST", f"{ORDERS}/batched", second) == (429, {"error": "too many requests"})
    assert member.call("GET", "/portfolio/balance")[0] == 200
