"""Injected faults, and the account's ledger under all of them."""

import http.client
import json
import time
import urllib.error
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.simulator.conftest import Member

BALANCE = "/portfolio/balance"
CREATE = "/portfolio/events/orders"


def test_the_control_port_needs_its_token(member: Member) -> None:
    """Its help is open, everything else is 401 without the token."""
    base = member.simulator.control_url.removeprefix("http://")
    for path, status in (("/", 200), ("/faults", 401), ("/ledger", 401)):
        connection = http.client.HTTPConnection(base, timeout=5)
        connection.request("GET", path, headers={"Authorization": "Bearer wrong"})
        assert connection.getresponse().status == status
        connection.close()
    assert "POST /faults" in member.simulator.control("GET", "/")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "fire"},
        {"kind": "latency", "seconds": "long"},
        {"kind": "field"},
        {"kind": "error", "color": 1},
        {"kind": "field", "op": "paint", "field": "x"},
    ],
    ids=str,
)
def test_an_invalid_fault_is_refused(member: Member, fault: dict[str, object]) -> None:
    """400, and no fault is active."""
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/faults", fault)
    assert member.simulator.control("GET", "/faults") == {"faults": []}


def test_a_latency_fault_delays_the_matching_responses(member: Member) -> None:
    """One response waits; others do not."""
    member.simulator.fault("latency", seconds=0.3, path="*/balance", times=1)
    begun = time.monotonic()
    member.call("GET", "/exchange/status")
    assert time.monotonic() - begun < 0.25
    member.call("GET", BALANCE)
    assert time.monotonic() - begun > 0.3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_fault_lets_skip_requests_pass_and_hits_times(member: Member, status: int) -> None:
    """After `skip` requests `times` of them fail, then all succeed again."""
    member.simulator.fault("error", status=status, times=2, skip=1, path="*/portfolio/*")
    assert [member.call("GET", BALANCE)[0] for _ in range(4)] == [200, status, status, 200]


def test_a_rate_limit_fault_answers_429(member: Member) -> None:
    """429 with its own body, until the fault is removed."""
    fault = member.simulator.fault("rate_limit", method="GET")
    assert member.call("GET", BALANCE) == (429, {"error": "too many requests"})
    member.simulator.control("DELETE", f"/faults/{fault}")
    assert member.call("GET", BALANCE)[0] == 200


@pytest.mark.parametrize(("after", "placed"), [(False, 0), (True, 1)])
def test_a_drop_fault_closes_the_connection(member: Member, after: bool, placed: int) -> None:
    """No response comes; with `after` the order has been placed."""
    member.simulator.fault("drop", after=after, times=1, method="POST")
    with pytest.raises((http.client.HTTPException, OSError)):
        member.place()
    assert len(member.call("GET", "/portfolio/orders?status=resting")[1]["orders"]) == placed


def test_a_half_fault_sends_half_of_the_body(member: Member) -> None:
    """Fewer bytes come than announced, once."""
    member.simulator.fault("half", times=1)
    with pytest.raises(http.client.IncompleteRead):
        member.call("GET", BALANCE)
    assert member.call("GET", BALANCE)[0] == 200


def test_a_stale_fault_delays_account_reads(member: Member) -> None:
    """Account reads and user_data_timestamp trail together, and catch up together."""
    before = member.call("GET", BALANCE)[1]["balance_dollars"]
    member.simulator.fault("stale", seconds=30)
    begun = member.call("GET", "/exchange/user_data_timestamp")[1]["as_of_time"]
    member.simulator.fill(member.ticker, "bid", "1.00", "0.5000")
    assert member.call("GET", BALANCE)[1]["balance_dollars"] == before
    assert member.call("GET", "/exchange/user_data_timestamp")[1]["as_of_time"] == begun
    member.simulator.clear()
    assert member.call("GET", BALANCE)[1]["balance_dollars"] != before
    assert member.call("GET", "/exchange/user_data_timestamp")[1]["as_of_time"] > begun


def test_a_trading_pause_refuses_creates_alone(member: Member) -> None:
    """No create, cancels work, the status shows it; orders with cancel_order_on_pause are cancelled."""
    _, keeps = member.place()
    _, leaves = member.place(cancel_order_on_pause=True)
    member.simulator.fault("trading_pause")
    status = member.call("GET", "/exchange/status")[1]
    assert (status["exchange_active"], status["trading_active"]) == (True, False)
    assert member.place()[1]["error"]["code"] == "trading_is_paused"
    assert member.call("GET", f"/portfolio/orders/{leaves['order_id']}")[1]["order"]["status"] == "canceled"
    assert member.call("DELETE", f"{CREATE}/{keeps['order_id']}")[0] == 200
    member.simulator.clear()
    assert member.place()[0] == 201


def test_an_exchange_pause_refuses_every_order_operation(member: Member) -> None:
    """Cancels are refused too; reads work."""
    _, placed = member.place()
    member.simulator.fault("exchange_pause")
    assert member.call("DELETE", f"{CREATE}/{placed['order_id']}")[1]["error"]["code"] == "exchange_is_paused"
    assert member.call("DELETE", CREATE)[0] == 400
    assert member.call("GET", BALANCE)[0] == 200


def test_maintenance_answers_503_everywhere(member: Member) -> None:
    """503 everywhere; the status keeps its normal body."""
    member.simulator.fault("maintenance")
    assert member.call("GET", BALANCE)[0] == 503
    status, body = member.call("GET", "/exchange/status")
    assert (status, body["exchange_active"]) == (503, False)


@pytest.mark.parametrize(
    ("options", "members"),
    [
        ({"op": "remove"}, {}),
        ({"op": "rename", "to": "cash"}, {"cash": "str"}),
        ({"op": "retype"}, {"balance_dollars": "float"}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_field_fault_removes_renames_or_retypes(
    member: Member, options: dict[str, str], members: dict[str, str]
) -> None:
    """The response lacks the field, has it under another name or with another type."""
    member.simulator.fault("field", field="balance_dollars", **options)
    body = member.call("GET", BALANCE)[1]
    known = {"balance", "portfolio_value", "updated_ts", "balance_breakdown"}
    assert {name: type(value).__name__ for name, value in body.items() if name not in known} == members


def test_a_retyped_text_is_a_number_and_a_retyped_number_a_text(member: Member) -> None:
    """A text without digits becomes 0."""
    member.simulator.fault("field", op="retype", field="status")
    member.simulator.fault("field", op="retype", field="updated_ts")
    assert member.call("GET", "/markets?limit=1")[1]["markets"][0]["status"] == 0
    assert isinstance(member.call("GET", BALANCE)[1]["updated_ts"], str)


def test_removing_an_unknown_fault_is_404(member: Member) -> None:
    """404, and the active faults stay."""
    member.simulator.fault("latency", seconds=0)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        member.simulator.control("DELETE", "/faults/99999")
    assert len(member.simulator.control("GET", "/faults")["faults"]) == 1


def place_and_record(member: Member, rng: Random, seen: dict[str, Any]) -> None:
    """Place one order whose response may be lost; record the response."""
    order = member.order(
        side=rng.choice(("bid", "ask")),
        price=rng.choice(("0.4000", "0.4200", "0.4500")),
        count=rng.choice(("1.00", "2.25", "7.50")),
        time_in_force=rng.choice(("immediate_or_cancel", "good_till_canceled")),
        self_trade_prevention_type="maker",
    )
    try:
        status, body = member.call("POST", CREATE, order)
    except (http.client.HTTPException, OSError, json.JSONDecodeError):
        return
    if status == 201 and "order_id" in body:
        seen[body["order_id"]] = body


def test_the_ledger_stays_exact_under_faults(member: Member) -> None:
    """Orders under latency, errors, lost and half answers, stale reads: cash and positions to the fourth decimal."""
    rng, seen = Random(7), dict[str, Any]()
    simulator = member.simulator
    kinds: tuple[tuple[str, dict[str, object]], ...] = (
        ("error", {"times": 2}),
        ("drop", {"times": 2, "after": True}),
        ("drop", {"times": 1}),
        ("half", {"times": 2}),
        ("stale", {"seconds": 5}),
        ("rate_limit", {"times": 2}),
        ("latency", {"times": 1, "seconds": 0.02}),
    )
    for number in range(150):
        if number % 10 == 0:
            simulator.clear()
            kind, options = rng.choice(kinds)
            simulator.fault(kind, **options)
            simulator.control(
                "POST",
                "/take",
                {
                    "ticker": member.ticker,
                    "side": rng.choice(("bid", "ask")),
                    "count": "9.00",
                    "price": rng.choice(("0.4000", "0.4500")),
                },
            )
        place_and_record(member, rng, seen)
    simulator.clear()
    ledger = simulator.ledger()
    fills, settled = ledger["fills"], {row["ticker"]: row for row in ledger["settlements"]}
    counts: dict[str, Decimal] = {}
    cash = Decimal(ledger["start_dollars"])
    for fill in fills:
        count, price = Decimal(fill["count_fp"]), Decimal(fill["yes_price_dollars"])
        signed = count if fill["book_side"] == "bid" else -count
        before = counts.get(fill["ticker"], Decimal(0))
        closing = min(count, abs(before)) if before * signed < 0 else Decimal(0)
        yes, no = (price, 1 - price) if signed > 0 else (1 - price, price)
        cash += no * closing - yes * (count - closing) - Decimal(fill["fee_cost"])
        counts[fill["ticker"]] = before + signed
    for ticker, row in settled.items():
        cash += Decimal(row["revenue"]) / 100
        counts[ticker] = Decimal(0)
    balance = member.call("GET", BALANCE)[1]["balance_dollars"]
    positions = member.call("GET", "/portfolio/positions?settlement_status=all")[1]["market_positions"]
    assert Decimal(balance) == cash == Decimal(ledger["cash_dollars"])
    assert {row["ticker"]: Decimal(row["position_fp"]) for row in positions} == counts
    reported = {fill["fill_id"] for fill in member.call("GET", "/portfolio/fills?limit=1000")[1]["fills"]}
    assert reported == {fill["fill_id"] for fill in fills}
    assert len(reported) > 20
    orders = {order["order_id"]: order for order in ledger["orders"]}
    assert seen.keys() <= orders.keys()


@pytest.mark.parametrize("path", ["/portfolio/balance", CREATE])
def test_a_redirect(member: Member, path: str) -> None:
    """302 with the Location that the fault names, before any work is done."""
    member.simulator.fault("redirect", to="http://127.0.0.1:9/elsewhere", times=1, path=f"*{path}")
    base = member.simulator.url.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(base, timeout=5)
    connection.request("GET", f"/trade-api/v2{path}", headers=member.call.headers("GET", f"/trade-api/v2{path}"))
    response = connection.getresponse()
    assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:9/elsewhere")
    connection.close()


def test_error_texts_may_hold_control_characters(member: Member) -> None:
    """code, message and details of the fault stand in the body as they are."""
    texts = {"code": "bad\x1b[31m", "message": "line\r\nforged: yes\a", "details": "\x00"}
    member.simulator.fault("error", status=400, times=1, **texts)
    assert member.call("GET", BALANCE) == (400, {"error": texts})


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        ("no_cash", 400, "insufficient_balance"),
        ("key", 401, "authentication_error"),
        ("scope", 403, "forbidden"),
        ("attestation", 403, "forbidden"),
        ("shard", 404, "not_found"),
        ("exchange_paused", 400, "exchange_is_paused"),
    ],
)
def test_a_refusal_has_the_status_and_code_of_its_reason(member: Member, reason: str, status: int, code: str) -> None:
    """Creates alone are refused when the fault names their path, cancels go on."""
    _, placed = member.place()
    member.simulator.fault("refuse", reason=reason, path=f"*{CREATE}", method="POST")
    refused, body = member.place()
    assert (refused, body["error"]["code"]) == (status, code)
    assert member.call("DELETE", f"{CREATE}/{placed['order_id']}")[0] == 200
    assert reason in member.simulator.control("GET", "/reasons")["reasons"]
