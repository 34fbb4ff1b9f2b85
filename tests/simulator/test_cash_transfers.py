"""Cash without trades: shards, transfers, deposits, withdrawals, silent adjustments, voided fills."""

import urllib.error
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.conftest import Member

TRANSFER = "/portfolio/intra_exchange_instance_transfer"


def balance(member: Member) -> Decimal:
    """Return the cash on all shards in dollars."""
    return Decimal(member.call("GET", "/portfolio/balance")[1]["balance_dollars"])


def shards(member: Member) -> dict[int, Decimal]:
    """Return the cash of each shard in dollars."""
    rows = member.call("GET", "/portfolio/balance")[1]["balance_breakdown"]
    return {row["exchange_index"]: Decimal(row["balance"]) for row in rows}


def transfer(member: Member, source: int, destination: int, centicents: int, **more: object) -> Any:
    """Transfer cash between two shards and return (status, body)."""
    body = {
        "source": "event_contract",
        "destination": "event_contract",
        "source_exchange_shard": source,
        "destination_exchange_shard": destination,
        "amount": centicents,
    }
    return member.call("POST", TRANSFER, body | more)


def test_the_breakdown_has_four_shards_that_add_up(member: Member) -> None:
    """exchange_index 0 to 3; their sum is the balance; one of them can be requested."""
    parts = shards(member)
    assert parts.keys() == {0, 1, 2, 3}
    assert sum(parts.values()) == balance(member)
    body = member.call("GET", "/portfolio/balance?exchange_index=2")[1]
    assert Decimal(body["balance_dollars"]) == parts[2]


def test_an_order_needs_cash_on_the_shard_of_its_market(member: Member) -> None:
    """A crypto order is refused when shard 2 is empty although the balance is large, and accepted after a transfer."""
    crypto = next(ticker for ticker in member.markets if ticker.startswith("KXBTCD"))
    assert member.call("GET", f"/markets/{crypto}")[1]["market"]["exchange_index"] == 2
    cash = int(shards(member)[2] * 10_000)
    assert transfer(member, 2, 0, cash)[0] == 200
    status, body = member.place(ticker=crypto)
    assert (status, body["error"]["code"]) == (400, "insufficient_balance")
    status, done = transfer(member, 0, 2, cash)
    assert status == 200
    row = member.call("GET", f"/portfolio/intra_exchange_instance_transfers/{done['transfer_id']}")[1]["transfer"]
    assert (row["amount"], row["status"]) == (f"{Decimal(cash) / 10_000:.4f}", "complete")
    assert member.place(ticker=crypto)[0] == 201


def test_a_cancel_without_ticker_searches_shard_0_alone(member: Member) -> None:
    """The order of a crypto market is 404 without market_ticker, and cancelled with it or with its index."""
    crypto = next(ticker for ticker in member.markets if ticker.startswith("KXBTCD"))
    for query in (f"market_ticker={crypto}", "exchange_index=2"):
        _, placed = member.place(ticker=crypto)
        path = f"/portfolio/events/orders/{placed['order_id']}"
        assert member.call("DELETE", path)[0] == 404
        assert member.call("DELETE", f"{path}?{query}")[0] == 200


def test_account_reads_can_be_limited_to_one_shard(member: Member) -> None:
    """Fills, orders and positions of shard 2 are those of crypto markets."""
    crypto = next(ticker for ticker in member.markets if ticker.startswith("KXBTCD"))
    for ticker in (crypto, member.markets[0]):
        member.simulator.fill(ticker, "bid", "1.00", "0.5000")
    for name, rows in (("fills", "fills"), ("orders", "orders"), ("positions", "market_positions")):
        found = member.call("GET", f"/portfolio/{name}?exchange_index=2&limit=1000")[1][rows]
        assert {row["exchange_index"] for row in found} == {2}
        assert crypto in {row["ticker"] for row in found}
        assert member.call("GET", f"/portfolio/{name}?exchange_index=4")[0] == 400


@pytest.mark.parametrize(
    ("source", "destination", "centicents", "status"),
    [(0, 0, 100, 400), (0, 1, 0, 400), (0, 1, -5, 400), (0, 1, 10**12, 400), (0, 9, 100, 400)],
    ids=["same shard", "nothing", "negative", "more than there is", "no such shard"],
)
def test_a_wrong_transfer_is_refused(
    member: Member, source: int, destination: int, centicents: int, status: int
) -> None:
    """400 and no cash moves."""
    before = shards(member)
    assert transfer(member, source, destination, centicents)[0] == status
    assert shards(member) == before


def test_a_repeated_client_transfer_id_is_409(member: Member) -> None:
    """The same id on the same route is refused and moves no cash."""
    client_id = "6d1e8d54-6f0e-4d45-9d2c-0c8d1a5e7a01"
    assert transfer(member, 0, 1, 100, client_transfer_id=client_id)[0] == 200
    before = shards(member)
    assert transfer(member, 0, 1, 100, client_transfer_id=client_id)[0] == 409
    assert shards(member) == before


@pytest.mark.parametrize(
    ("action", "status", "change"),
    [
        ("deposit", "applied", "4.70"),
        ("deposit", "pending", "0"),
        ("deposit", "failed", "0"),
        ("withdraw", "applied", "-5.30"),
        ("withdraw", "pending", "-5.30"),
        ("withdraw", "returned", "0"),
    ],
)
def test_deposits_and_withdrawals_move_cash_and_are_listed(
    member: Member, action: str, status: str, change: str
) -> None:
    """$5 with a fee of 30 cents: an applied deposit adds 4.70, a withdrawal takes 5.30; each has a row."""
    before = balance(member)
    body = {"amount_cents": 500, "fee_cents": 30, "type": "wire", "status": status}
    row = member.simulator.control("POST", f"/{action}", body)
    assert balance(member) - before == Decimal(change)
    name = {"deposit": "deposits", "withdraw": "withdrawals"}[action]
    listed = member.call("GET", f"/portfolio/{name}?limit=1")[1][name][0]
    assert listed == row
    assert {key: listed[key] for key in body} == body
    assert ("finalized_ts" in listed) == (status != "pending")


def test_more_than_the_cash_cannot_be_withdrawn(member: Member) -> None:
    """400 and no row."""
    with pytest.raises(urllib.error.HTTPError, match="400"):
        member.simulator.control("POST", "/withdraw", {"amount_cents": 10**11})


@pytest.mark.parametrize("dollars", ["1.2345", "-0.0001"])
def test_an_adjustment_moves_cash_that_no_row_reports(member: Member, dollars: str) -> None:
    """Balance and ledger change, but neither fills, settlements, deposits nor withdrawals."""

    def rows() -> list[Any]:
        names = ("fills", "settlements", "deposits", "withdrawals")
        return [member.call("GET", f"/portfolio/{name}?limit=500")[1][name] for name in names]

    before, listed = balance(member), rows()
    member.simulator.control("POST", "/adjust", {"dollars": dollars})
    assert balance(member) - before == Decimal(dollars)
    assert rows() == listed


@pytest.mark.parametrize("keep_row", [False, True])
def test_a_voided_fill_is_undone(member: Member, keep_row: bool) -> None:
    """Cash, fee and position are as before the fill; its row disappears, or stays with count zero."""
    ticker = member.markets[12]

    def account() -> tuple[Decimal, Any]:
        rows = member.call("GET", f"/portfolio/positions?ticker={ticker}")[1]["market_positions"]
        kept = ("position_fp", "market_exposure_dollars", "realized_pnl_dollars", "fees_paid_dollars")
        return balance(member), [{name: row[name] for name in kept} for row in rows]

    member.simulator.fill(ticker, "bid", "7.00", "0.5500")
    before = account()
    done = member.simulator.fill(ticker, "ask", "9.00", "0.6000")
    assert account() != before
    member.simulator.control("POST", "/void", {"fill_id": done["fill_id"], "keep_row": keep_row})
    assert account() == before
    rows = [fill for fill in member.fills() if fill["fill_id"] == done["fill_id"]]
    assert [(row["count_fp"], row["fee_cost"]) for row in rows] == [("0.00", "0.000000")] * keep_row


def test_a_fill_is_voided_once_and_only_before_settlement(member: Member) -> None:
    """404 for a fill that is void already, unknown, or of a settled market."""
    ticker = member.markets[13]
    done = member.simulator.fill(ticker, "bid", "1.00", "0.5000")
    member.simulator.control("POST", "/void", {"fill_id": done["fill_id"], "keep_row": True})
    settled = member.simulator.fill(ticker, "bid", "1.00", "0.5000")
    member.simulator.control("POST", "/settle", {"ticker": ticker, "result": "yes"})
    for fill_id in (done["fill_id"], settled["fill_id"], "unknown"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            member.simulator.control("POST", "/void", {"fill_id": fill_id})
