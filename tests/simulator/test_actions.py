"""Admin actions: markets, settlements, scopes and attestation."""

import urllib.error
from decimal import Decimal

import pytest

from tests.simulator.conftest import Member


def status(member: Member, ticker: str) -> str:
    """Return the status of a market."""
    found: str = member.call("GET", f"/markets/{ticker}")[1]["market"]["status"]
    return found


def spare(member: Member) -> str:
    """Return an active market that no other test uses."""
    found: str = next(ticker for ticker in reversed(member.simulator.ledger()["markets"]) if ticker != member.ticker)
    return found


def test_a_paused_market_refuses_orders_until_it_resumes(member: Member) -> None:
    """An inactive market refuses orders; an active one accepts them."""
    ticker = spare(member)
    assert member.simulator.control("POST", "/halt", {"ticker": ticker}) == {"ticker": ticker, "status": "inactive"}
    assert status(member, ticker) == "inactive"
    refused, body = member.place(ticker=ticker)
    assert (refused, body["error"]["code"]) == (400, "MARKET_INACTIVE")
    assert member.simulator.control("POST", "/resume", {"ticker": ticker})["status"] == "active"
    assert member.place(ticker=ticker)[0] == 201


def test_a_market_settles_once(member: Member) -> None:
    """A value above one dollar and a second settlement are refused."""
    ticker = spare(member)
    assert member.simulator.control("POST", "/close", {"ticker": ticker})["status"] == "closed"
    assert status(member, ticker) == "closed"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "scalar", "value": "1.5000"})
    assert member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "no"})["result"] == "no"
    assert status(member, ticker) == "finalized"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "yes"})


@pytest.mark.parametrize("action", ["halt", "resume", "close", "settle"])
def test_an_unknown_market_is_404(member: Member, action: str) -> None:
    """Every action on a market that does not exist is 404."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        member.simulator.control("POST", f"/{action}", {"ticker": "KXNOTHING-1", "result": "yes"})


def test_a_settlement_row_is_gross_and_repeats_the_fees(member: Member) -> None:
    """Bought 5, sold 2, settled yes: 5.00 and 2.00, revenue 300 cents, fee_cost the sum of the fills' fees."""
    ticker = member.markets[15]
    for side, count in (("bid", "5.00"), ("ask", "2.00")):
        member.simulator.fill(ticker, side, count, "0.4000")
    fees = sum(Decimal(fill["fee_cost"]) for fill in member.fills() if fill["ticker"] == ticker)
    member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "yes"})
    row = member.call("GET", f"/portfolio/settlements?ticker={ticker}")[1]["settlements"][0]
    assert (row["yes_count_fp"], row["no_count_fp"], row["revenue"], row["value"]) == ("5.00", "2.00", 300, 100)
    assert (row["yes_total_cost_dollars"], row["no_total_cost_dollars"]) == ("2.000000", "1.200000")
    assert Decimal(row["fee_cost"]) == fees > 0


def test_a_flat_market_has_a_settlement_row(member: Member) -> None:
    """Bought 5 and sold 5: 5.00 and 5.00 with revenue 0."""
    ticker = member.markets[16]
    for side in ("bid", "ask"):
        member.simulator.fill(ticker, side, "5.00", "0.4000")
    member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "no"})
    row = member.call("GET", f"/portfolio/settlements?ticker={ticker}")[1]["settlements"][0]
    assert (row["yes_count_fp"], row["no_count_fp"], row["revenue"]) == ("5.00", "5.00", 0)


def test_a_scalar_row_can_report_the_value_of_no(member: Member) -> None:
    """1.00 NO at a YES value of 0.18: value 82, revenue 82, as real rows do."""
    ticker = member.markets[17]
    member.simulator.fill(ticker, "ask", "1.00", "0.2500")
    body = {"ticker": ticker, "result": "scalar", "value": "0.1800", "report_value_of": "no"}
    member.simulator.control("POST", "/settle", body)
    row = member.call("GET", f"/portfolio/settlements?ticker={ticker}")[1]["settlements"][0]
    assert (row["market_result"], row["no_count_fp"], row["value"], row["revenue"]) == ("scalar", "1.00", 82, 82)


def test_a_settlement_floor_credits_the_holder_and_shows_in_the_market(member: Member) -> None:
    """10 YES and a floor of 0.30: $3 more cash; orders and settlements below the floor are refused."""
    ticker = next(ticker for ticker in member.markets if ticker.startswith("KXSHUTDOWN"))
    member.simulator.fill(ticker, "bid", "10.00", "0.4000")
    before = Decimal(member.call("GET", "/portfolio/balance")[1]["balance_dollars"])
    member.simulator.control("POST", "/settlement_floor", {"ticker": ticker, "floor": "0.3000"})
    assert Decimal(member.call("GET", "/portfolio/balance")[1]["balance_dollars"]) - before == 3
    market = member.call("GET", f"/markets/{ticker}")[1]["market"]
    assert (market["settlement_bounds_type"], market["settlement_floor_dollars"]) == ("floor", "0.3000")
    assert member.place(ticker=ticker, price="0.3000")[1]["error"]["code"] == "invalid_price"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "scalar", "value": "0.2900"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/settlement_floor", {"ticker": member.ticker, "floor": "0.3000"})


@pytest.mark.parametrize(
    ("scopes", "balance", "fills", "create"),
    [
        (["read", "write"], 200, 200, 201),
        (["read"], 200, 200, 403),
        (["read::portfolio_balance"], 200, 403, 403),
        (["read", "write::trade"], 200, 200, 201),
        (["read", "write::transfer"], 200, 200, 403),
        ([], 403, 403, 403),
    ],
    ids=str,
)
def test_scopes_limit_a_key(member: Member, scopes: list[str], balance: int, fills: int, create: int) -> None:
    """A parent grants its children, a child only itself."""
    key_id = member.call.key_id
    try:
        member.simulator.control("POST", "/scopes", {"key_id": key_id, "scopes": scopes})
        assert member.call("GET", "/portfolio/balance")[0] == balance
        assert member.call("GET", "/portfolio/fills")[0] == fills
        assert member.place()[0] == create
    finally:
        member.simulator.control("POST", "/scopes", {"key_id": key_id, "scopes": ["read", "write"]})


def test_an_expired_attestation_refuses_orders_in_some_categories(member: Member) -> None:
    """Elections are refused with 403, economics are not; GET /api_keys reports the expiry."""
    election = next(ticker for ticker in member.markets if ticker.startswith("KXSENATEPA"))
    try:
        member.simulator.control("POST", "/attestation", {"seconds": -1})
        status, body = member.place(ticker=election)
        assert (status, body["error"]["details"]) == (403, "location attestation has expired")
        assert member.place()[0] == 201
        assert member.call("GET", "/api_keys")[1]["api_key_region_expiration_ts"] > 0
    finally:
        member.simulator.control("POST", "/attestation", {})
    assert member.place(ticker=election)[0] == 201
