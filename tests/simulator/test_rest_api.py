"""Reads and orders over REST: the rules that every row must keep."""

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.conftest import Member

ORDERS = "/portfolio/events/orders"


def all_rows(member: Member, path: str, name: str, limit: int) -> list[Any]:
    """Return all rows of a list, page by page; no page with a cursor is empty."""
    rows: list[Any] = []
    cursor = ""
    while True:
        mark = "&" if "?" in path else "?"
        status, body = member.call("GET", f"{path}{mark}limit={limit}&cursor={cursor}")
        assert status == 200
        rows += body[name]
        cursor = body["cursor"]
        if not cursor:
            return rows
        assert body[name]


def trade(member: Member, times: int = 3) -> None:
    """Buy and sell some contracts."""
    for number in range(times):
        side, price = ("bid", "0.9900") if number % 3 else ("ask", "0.0100")
        assert member.place(side=side, price=price, count="2.50", time_in_force="immediate_or_cancel")[0] == 201


def test_prices_have_complements_and_fixed_decimals(member: Member) -> None:
    """Strings with 2 decimals for counts, 2 to 6 for dollars; yes + no = 1; one value under two names."""
    trade(member)
    member.place()
    for row in [*member.fills(), *member.call("GET", "/portfolio/orders")[1]["orders"]]:
        assert Decimal(row["yes_price_dollars"]) + Decimal(row["no_price_dollars"]) == 1
        assert (row["book_side"] == "bid") == (row["outcome_side"] == "yes")
        for name, value in row.items():
            if name.endswith("_fp"):
                assert re.fullmatch(r"-?\d+\.\d{2}", value), name
            if name.endswith(("_dollars", "_cost")):
                assert re.fullmatch(r"-?\d+\.\d{2,6}", value), name
    for fill in member.fills():
        assert fill["fill_id"] == fill["trade_id"]
        assert fill["ticker"] == fill["market_ticker"]
    for market in member.call("GET", "/markets?limit=1000")[1]["markets"]:
        assert Decimal(market["yes_bid_dollars"]) + Decimal(market["no_ask_dollars"]) == 1
        assert Decimal(market["yes_ask_dollars"]) + Decimal(market["no_bid_dollars"]) == 1


def test_fills_add_up_to_the_position_and_the_balance(member: Member) -> None:
    """Sum of +-count is position_fp; balance is the floor of 100 x balance_dollars; the breakdown adds up."""
    trade(member, 5)
    fills = [fill for fill in all_rows(member, "/portfolio/fills", "fills", 2) if fill["ticker"] == member.ticker]
    counted = sum(Decimal(f["count_fp"]) * (1 if f["book_side"] == "bid" else -1) for f in fills)
    position = member.call("GET", f"/portfolio/positions?ticker={member.ticker}")[1]["market_positions"][0]
    assert Decimal(position["position_fp"]) == counted
    assert Decimal(position["fees_paid_dollars"]) == sum(Decimal(f["fee_cost"]) for f in fills)
    balance = member.call("GET", "/portfolio/balance")[1]
    assert balance["balance"] == int(Decimal(balance["balance_dollars"]) * 100)
    assert sum(Decimal(b["balance"]) for b in balance["balance_breakdown"]) == Decimal(balance["balance_dollars"])


def test_fees_equal_the_recorded_ones(member: Member) -> None:
    """1 @ 0.52 costs 0.0175, 1 @ 0.99 costs 0.0007."""
    for price, fee in (("0.5200", "0.017500"), ("0.9900", "0.000700")):
        member.simulator.fill(member.markets[3], "bid", "1.00", price)
        assert member.fills()[0]["fee_cost"] == fee


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_meet_without_gap_or_overlap(member: Member, limit: int) -> None:
    """The same rows whatever the page size; newest first; rows that come in meanwhile shift nothing."""
    if not member.fills():
        trade(member, 5)
    rows = [row["fill_id"] for row in all_rows(member, "/portfolio/fills", "fills", limit)]
    assert rows == [row["fill_id"] for row in member.call("GET", "/portfolio/fills?limit=1000")[1]["fills"]]
    assert len(set(rows)) == len(rows)
    markets = [row["ticker"] for row in all_rows(member, "/markets?status=open", "markets", limit)]
    assert len(set(markets)) == len(markets) >= 24


def test_a_page_holds_its_place_while_fills_come_in(member: Member) -> None:
    """The second page continues behind the first although new rows came in front."""
    trade(member, 4)
    first = member.call("GET", "/portfolio/fills?limit=2")[1]
    expected = [row["fill_id"] for row in member.fills()][2:4]
    trade(member, 3)
    second = member.call("GET", f"/portfolio/fills?limit=2&cursor={first['cursor']}")[1]
    assert [row["fill_id"] for row in second["fills"]] == expected


def test_a_garbage_cursor_starts_at_page_one(member: Member) -> None:
    """No error, as recorded."""
    first = member.call("GET", "/markets?limit=3")[1]["markets"]
    for cursor in ("garbage", "%00%ff", "AAAA", "a-b_c="):
        assert member.call("GET", f"/markets?limit=3&cursor={cursor}")[1]["markets"] == first


def test_the_order_book_has_bids_only_best_last(member: Member) -> None:
    """YES and NO bids, each in its own prices; depth takes the best ones."""
    member.place(price="0.3900", count="7.25")
    book = member.call("GET", f"/markets/{member.ticker}/orderbook")[1]["orderbook_fp"]
    assert book == {"yes_dollars": [["0.3900", "7.25"], ["0.4000", "1000.00"]], "no_dollars": [["0.5500", "1000.00"]]}
    best = member.call("GET", f"/markets/{member.ticker}/orderbook?depth=1")[1]["orderbook_fp"]
    assert best["yes_dollars"] == [["0.4000", "1000.00"]]
    many = member.call("GET", f"/markets/orderbooks?tickers={member.ticker}&tickers={member.markets[0]}")[1][
        "orderbooks"
    ]
    assert [row["ticker"] for row in many] == [member.ticker, member.markets[0]]


def test_a_market_never_quoted_reads_zero(member: Member) -> None:
    """0 and 0 before the first quote; 0 or 1 for an emptied side."""
    row = member.call("GET", f"/markets/{member.markets[1]}")[1]["market"]
    assert (row["yes_bid_dollars"], row["yes_ask_dollars"], row["no_ask_dollars"]) == ("0.0000", "0.0000", "1.0000")
    _, placed = member.place(ticker=member.markets[1])
    row = member.call("GET", f"/markets/{member.markets[1]}")[1]["market"]
    assert (row["yes_bid_dollars"], row["yes_bid_size_fp"], row["yes_ask_dollars"]) == ("0.0200", "5.00", "1.0000")


def test_an_order_is_created_amended_decreased_and_cancelled(member: Member) -> None:
    """Each response and each read has the new price, count and status."""
    status, placed = member.place(count="10", price="0.1")
    assert (status, placed["fill_count"], placed["remaining_count"]) == (201, "0.00", "10.00")
    assert "average_fill_price" not in placed
    assert isinstance(placed["ts_ms"], int)
    path = f"{ORDERS}/{placed['order_id']}"
    body = {
        "ticker": member.ticker,
        "side": "bid",
        "price": "0.1200",
        "count": "8.00",
        "updated_client_order_id": placed["order_id"],
    }
    _, amended = member.call("POST", f"{path}/amend", body)
    assert (amended["remaining_count"], amended["client_order_id"]) == ("8.00", placed["order_id"])
    _, less = member.call("POST", f"{path}/decrease", {"reduce_to": "3.00"})
    assert less["remaining_count"] == "3.00"
    order = member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]
    assert (order["status"], order["yes_price_dollars"], order["remaining_count_fp"]) == ("resting", "0.1200", "3.00")
    assert member.call("DELETE", path)[1]["reduced_by"] == "3.00"
    order = member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]
    assert (order["status"], order["remaining_count_fp"]) == ("canceled", "0.00")
    assert (order["side"], order["action"], order["type"]) == ("yes", "buy", "limit")


def test_a_taking_order_keeps_its_limit_price_and_reports_its_cost(member: Member) -> None:
    """The price is the limit; the cost is in taker_fill_cost_dollars and in the averages of the response."""
    _, placed = member.place(price="0.9900", count="4.00", time_in_force="immediate_or_cancel")
    assert (placed["fill_count"], Decimal(placed["average_fill_price"])) == ("4.00", Decimal("0.45"))
    order = member.call("GET", f"/portfolio/orders/{placed['order_id']}")[1]["order"]
    assert (order["status"], order["yes_price_dollars"]) == ("executed", "0.9900")
    assert order["taker_fill_cost_dollars"] == "1.800000"
    assert Decimal(order["taker_fees_dollars"]) == Decimal(placed["average_fee_paid"]) * 4
    _, unfilled = member.place(price="0.0100", time_in_force="immediate_or_cancel")
    assert (unfilled["fill_count"], unfilled["remaining_count"]) == ("0.00", "0.00")


def test_a_batch_has_one_result_for_each_item(member: Member) -> None:
    """Valid orders are placed, invalid ones have an error, in the order of the request; cancels too."""
    items = [member.order(), member.order(price="0.0255"), member.order(count=5)]
    status, body = member.call("POST", f"{ORDERS}/batched", {"orders": items})
    assert status == 201
    good, off_grid, mistyped = body["orders"]
    assert good["remaining_count"] == "5.00"
    assert (off_grid["error"]["code"], mistyped["error"]["code"]) == ("invalid_price", "bad_request")
    wanted = {"orders": [{"order_id": good["order_id"]}, {"order_id": "unknown"}]}
    status, body = member.call("DELETE", f"{ORDERS}/batched", wanted)
    assert status == 200
    assert [row["reduced_by"] for row in body["orders"]] == ["5.00", "0.00"]
    assert body["orders"][1]["error"]["code"] == "not_found"


def test_cancel_all_ends_every_resting_order(member: Member) -> None:
    """204 and an empty list of resting orders."""
    for _ in range(3):
        member.place()
    assert len(member.call("GET", "/portfolio/orders?status=resting")[1]["orders"]) == 3
    assert member.call("DELETE", ORDERS) == (204, None)
    assert member.call("GET", "/portfolio/orders?status=resting")[1]["orders"] == []


@pytest.mark.parametrize(
    ("result", "value", "pays"),
    [
        ("yes", None, "1"),
        ("no", None, "0"),
        ("scalar", "0.3800", "0.38"),
    ],
)
def test_a_settled_position_pays_once(member: Member, result: str, value: str | None, pays: str) -> None:
    """Cash grows by the payout to the fourth decimal; the position moves to settled; the market is finalized."""
    ticker = member.markets[{"yes": 5, "no": 6, "scalar": 7}[result]]
    member.simulator.fill(ticker, "bid", "2.50", "0.6000")
    before = Decimal(member.call("GET", "/portfolio/balance")[1]["balance_dollars"])
    member.simulator.control("POST", "/settle", {"ticker": ticker, "result": result, "value": value})
    after = Decimal(member.call("GET", "/portfolio/balance")[1]["balance_dollars"])
    assert after - before == Decimal(pays) * Decimal("2.5")
    row = member.call("GET", f"/portfolio/settlements?ticker={ticker}")[1]["settlements"][0]
    assert (row["market_result"], row["yes_count_fp"], row["value"]) == (result, "2.50", int(Decimal(pays) * 100))
    assert row["revenue"] == int((after - before) * 100)
    market = member.call("GET", f"/markets/{ticker}")[1]["market"]
    assert (market["status"], market["result"]) == ("finalized", result)
    path = f"/portfolio/positions?ticker={ticker}&settlement_status="
    assert member.call("GET", f"{path}unsettled")[1]["market_positions"] == []
    assert member.call("GET", f"{path}settled")[1]["market_positions"][0]["position_fp"] == "0.00"


def test_older_fills_live_in_the_historical_tier(member: Member) -> None:
    """Past the cutoff a fill leaves /portfolio/fills and is found under /historical/fills, never in both."""
    trade(member)
    known = {fill["fill_id"] for fill in member.fills()}
    member.simulator.control("POST", "/cutoff", {"seconds": 0})
    assert member.fills() == []
    assert {fill["fill_id"] for fill in all_rows(member, "/historical/fills", "fills", 50)} == known


@pytest.mark.parametrize(
    "path",
    [
        "/markets?status=open",
        "/markets?status=settled",
        "/markets?event_ticker=NONE",
        "/markets?mve_filter=only",
        "/markets?series_ticker=KXFEDDECISION",
        "/events?series_ticker=KXFEDDECISION",
        "/series?category=Sports",
    ],
)
def test_a_filter_returns_matching_rows_only(member: Member, path: str) -> None:
    """Status, series, event and category filters."""
    status, body = member.call("GET", path)
    assert status == 200
    rows = next(value for name, value in body.items() if name != "cursor")
    for row in rows:
        if "status=open" in path:
            assert row["status"] == "active"
        if "FEDDECISION" in path:
            assert row["event_ticker"].startswith("KXFEDDECISION-")
        if "Sports" in path:
            assert row["category"] == "Sports"
    assert bool(rows) == ("NONE" not in path and "only" not in path and ("settled" not in path or bool(rows)))
