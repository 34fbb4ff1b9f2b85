"""Each fault on demand, and that the account's books stay true under all of them."""

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


def test_the_control_port_asks_for_its_token(member: Member) -> None:
    """The page that explains it is open, all else is not."""
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
def test_a_fault_that_makes_no_sense_is_refused(member: Member, fault: dict[str, object]) -> None:
    """400 and nothing in force."""
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/faults", fault)
    assert member.simulator.control("GET", "/faults") == {"faults": []}


def test_latency(member: Member) -> None:
    """An answer waits; others do not."""
    member.simulator.fault("latency", seconds=0.3, path="*/balance", times=1)
    begun = time.monotonic()
    member.call("GET", "/exchange/status")
    assert time.monotonic() - begun < 0.25
    member.call("GET", BALANCE)
    assert time.monotonic() - begun > 0.3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_errors_for_a_while(member: Member, status: int) -> None:
    """After `skip` requests, `times` of them, then well again."""
    member.simulator.fault("error", status=status, times=2, skip=1, path="*/portfolio/*")
    assert [member.call("GET", BALANCE)[0] for _ in range(4)] == [200, status, status, 200]


def test_rate_limit(member: Member) -> None:
    """The odd body of 429."""
    fault = member.simulator.fault("rate_limit", method="GET")
    assert member.call("GET", BALANCE) == (429, {"error": "too many requests"})
    member.simulator.control("DELETE", f"/faults/{fault}")
    assert member.call("GET", BALANCE)[0] == 200


@pytest.mark.parametrize(("after", "placed"), [(False, 0), (True, 1)])
def test_a_dropped_answer(member: Member, after: bool, placed: int) -> None:
    """The connection ends without a word; the order may have been placed."""
    member.simulator.fault("drop", after=after, times=1, method="POST")
    with pytest.raises((http.client.HTTPException, OSError)):
        member.place()
    assert len(member.call("GET", "/portfolio/orders?status=resting")[1]["orders"]) == placed


def test_half_an_answer(member: Member) -> None:
    """Fewer bytes than promised."""
    member.simulator.fault("half", times=1)
    with pytest.raises(http.client.IncompleteRead):
        member.call("GET", BALANCE)
    assert member.call("GET", BALANCE)[0] == 200


def test_stale_reads(member: Member) -> None:
    """Account reads and user_data_timestamp stand still together, and go on together."""
    before = member.call("GET", BALANCE)[1]["balance_dollars"]
    member.simulator.fault("stale", seconds=30)
    begun = member.call("GET", "/exchange/user_data_timestamp")[1]["as_of_time"]
    member.simulator.fill(member.ticker, "bid", "1.00", "0.5000")
    assert member.call("GET", BALANCE)[1]["balance_dollars"] == before
    assert member.call("GET", "/exchange/user_data_timestamp")[1]["as_of_time"] == begun
    member.simulator.clear()
    assert member.call("GET", BALANCE)[1]["balance_dollars"] != before
    assert member.call("GET", "/exchange/user_data_timestamp")[1]["as_of_time"] > begun


def test_a_trading_pause(member: Member) -> None:
    """No create, cancels work, the status says so; orders that asked for it are cancelled."""
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


def test_an_exchange_pause(member: Member) -> None:
    """Not even cancels work; reads do."""
    _, placed = member.place()
    member.simulator.fault("exchange_pause")
    assert member.call("DELETE", f"{CREATE}/{placed['order_id']}")[1]["error"]["code"] == "exchange_is_paused"
    assert member.call("DELETE", CREATE)[0] == 400
    assert member.call("GET", BALANCE)[0] == 200


def test_maintenance(member: Member) -> None:
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
def test_a_field_changes(member: Member, options: dict[str, str], members: dict[str, str]) -> None:
    """Removed, renamed or of another type, as on a Thursday."""
    member.simulator.fault("field", field="balance_dollars", **options)
    body = member.call("GET", BALANCE)[1]
    known = {"balance", "portfolio_value", "updated_ts", "balance_breakdown"}
    assert {name: type(value).__name__ for name, value in body.items() if name not in known} == members


def test_a_text_becomes_a_number_and_a_number_a_text(member: Member) -> None:
    """Retyped whatever it was, also where no number can be read from it."""
    member.simulator.fault("field", op="retype", field="status")
    member.simulator.fault("field", op="retype", field="updated_ts")
    assert member.call("GET", "/markets?limit=1")[1]["markets"][0]["status"] == 0
    assert isinstance(member.call("GET", BALANCE)[1]["updated_ts"], str)


def test_a_fault_that_is_not_there_cannot_be_lifted(member: Member) -> None:
    """404; those that are there stay."""
    member.simulator.fault("latency", seconds=0)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        member.simulator.control("DELETE", "/faults/99999")
    assert len(member.simulator.control("GET", "/faults")["faults"]) == 1


def ended(member: Member, rng: Random, seen: dict[str, Any]) -> None:
    """One order over HTTP whose answer may be lost; what is known of it."""
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


def test_the_books_stay_true_whatever_goes_wrong(member: Member) -> None:
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
        ended(member, rng, seen)
    simulator.clear()
    ledger = simulator.ledger()
    fills, settled = ledger["fills"], {row["ticker"]: row for row in ledger["settlements"]}
    held: dict[str, Decimal] = {}
    cash = Decimal(ledger["start_dollars"])
    for fill in fills:
        count, price = Decimal(fill["count_fp"]), Decimal(fill["yes_price_dollars"])
        signed = count if fill["book_side"] == "bid" else -count
        before = held.get(fill["ticker"], Decimal(0))
        closing = min(count, abs(before)) if before * signed < 0 else Decimal(0)
        yes, no = (price, 1 - price) if signed > 0 else (1 - price, price)
        cash += no * closing - yes * (count - closing) - Decimal(fill["fee_cost"])
        held[fill["ticker"]] = before + signed
    for ticker, row in settled.items():
        value = Decimal(row["value"]) / 100
        cash += held[ticker] * value if held[ticker] > 0 else -held[ticker] * (1 - value)
        held[ticker] = Decimal(0)
    balance = member.call("GET", BALANCE)[1]["balance_dollars"]
    positions = member.call("GET", "/portfolio/positions?settlement_status=all")[1]["market_positions"]
    assert Decimal(balance) == cash == Decimal(ledger["cash_dollars"])
    assert {row["ticker"]: Decimal(row["position_fp"]) for row in positions} == held
    told = {fill["fill_id"] for fill in member.call("GET", "/portfolio/fills?limit=1000")[1]["fills"]}
    assert told == {fill["fill_id"] for fill in fills}
    assert len(told) > 20
    orders = {order["order_id"]: order for order in ledger["orders"]}
    assert seen.keys() <= orders.keys()
