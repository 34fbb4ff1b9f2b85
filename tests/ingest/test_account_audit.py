"""The audit of the account: differences get their size and cause, and none is invented."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from cluster.component_health import cancel_and_wait
from kalshi.account_models import AccountSettlement
from kalshi.errors import KalshiError
from tests.support import drafts
from tests.support.audited_account import START, AuditedAccount, audited_account, entry_of
from tests.support.eventually import eventually


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[AuditedAccount]:
    """An account that has traded three times, and all of it is in the journal."""
    async with audited_account(tmp_path) as made:
        yield made


async def test_cash_is_explained(account: AuditedAccount) -> None:
    """Opening, causes, expected, reported; nothing unexplained and no difference."""
    found = await account.check(3)
    cash = found["cash"]
    assert (cash["opening"], cash["trades"], cash["fees"]) == (100, -18, Decimal("-0.3"))
    assert (cash["expected"], cash["reported"], cash["unexplained"]) == (Decimal("81.7"), Decimal("81.7"), 0)
    assert [(row["ticker"], row["journal"], row["exchange"]) for row in found["positions"]] == [
        ("A", 30, 30), ("OLD", 4, 4),
    ]  # fmt: skip
    assert (found["differences"], account.audit.health.state, account.noticed) == ([], "ok", 0)


@pytest.mark.parametrize("cent", ["0.01", "-0.01", "0.0001"])
async def test_a_cent_that_no_endpoint_reports_is_unknown(account: AuditedAccount, cent: str) -> None:
    """It is named by the first comparison, degrades health once it lasts, and is logged once."""
    account.exchange.cash += Decimal(cent)
    assert await account.causes() == {("cash", None): ("unknown", Decimal(cent))}
    assert (account.audit.health.state, account.noticed) == ("ok", 1)
    await account.check(3)
    assert account.audit.health.state == "degraded"
    assert (
        account.audit.health.reason == f"the journal and the account differ: account: cash differs by {cent} (unknown)"
    )
    account.exchange.cash -= Decimal(cent)
    assert await account.causes() == {}
    assert account.audit.health.state == "ok"


async def test_a_fill_that_the_journal_missed(account: AuditedAccount) -> None:
    """Its contracts and its cash."""
    account.exchange.buy(4, 7, "0.5", "0.05")
    assert await account.causes() == {
        ("quantity", "A"): ("missed", 7), ("cash", None): ("missed", Decimal("-3.55")),
    }  # fmt: skip


async def test_an_execution_that_is_counted_twice(account: AuditedAccount) -> None:
    """The second entry of one fill."""
    await account.add(entry_of(account.exchange.executions[0], trade_id="again", fill_id="again"))
    assert await account.causes() == {
        ("quantity", "A"): ("counted twice", -10), ("cash", None): ("counted twice", Decimal("6.1")),
    }  # fmt: skip


async def test_a_fill_that_was_voided_later(account: AuditedAccount) -> None:
    """The exchange takes a fill back; the journal's correction makes both equal."""
    before = account.exchange.cash, dict(account.exchange.rows)
    gone = account.exchange.buy(60, 7, "0.5", "0.05")
    bought = entry_of(gone, source="bot_live")
    await account.add(bought)
    account.exchange.executions.pop()
    account.exchange.cash, account.exchange.rows = before
    account.clock.now += 100
    assert await account.causes() == {
        ("quantity", "A"): ("correction", -7), ("cash", None): ("correction", Decimal("3.55")),
    }  # fmt: skip
    await account.add(replace(bought, quantity=Decimal(0), corrects=5))
    account.clock.now += 100
    assert await account.causes() == {}


async def test_another_price_than_the_journal_has(account: AuditedAccount) -> None:
    """Contracts agree, dollars do not: the fill's content is another."""
    fill = account.exchange.executions[0]
    account.exchange.executions[0] = replace(fill, yes_price=Decimal("0.5"))
    account.exchange.rows["A"] = replace(account.exchange.rows["A"], cost=Decimal(17))
    account.exchange.cash += 1
    assert await account.causes() == {("cost", "A"): ("correction", -1), ("cash", None): ("correction", 1)}


async def test_average_cost_instead_of_first_in_first_out(account: AuditedAccount) -> None:
    """Realized profit and cost move alike; no cash is missing, and health is good."""
    row = account.exchange.rows["A"]
    account.exchange.rows["A"] = replace(row, cost=row.cost + 1, realized_pnl=row.realized_pnl + 1)
    assert await account.causes(4) == {("realized_pnl", "A"): ("method", 1), ("cost", "A"): ("method", 1)}
    assert account.audit.health.state == "ok"


async def test_a_market_that_settled_before_the_journal_has_it(account: AuditedAccount) -> None:
    """The position is gone and cash has come; the exchange's settlements give the cause."""
    del account.exchange.rows["A"]
    account.exchange.cash += 30
    account.exchange.paid.append(AccountSettlement(
        "A", "E", "yes", Decimal(30), Decimal(18), Decimal(0), Decimal(0), Decimal(30), Decimal("0.3"), Decimal(1),
        Decimal(str(START + 50)),
    ))  # fmt: skip
    assert await account.causes() == {
        ("quantity", "A"): ("settled meanwhile", -30), ("cash", None): ("settled meanwhile", 30),
    }  # fmt: skip


async def test_a_trade_beside_the_bot(account: AuditedAccount) -> None:
    """The bot does not hold what it did not buy: named, and nothing is wrong."""
    fill = account.exchange.buy(4, 7, "0.5", "0.05", ticker="B")
    await account.add(entry_of(fill, origin="account"))
    account.bot = ({"A": Decimal(30)}, START + 90)
    assert await account.causes(4) == {
        ("bot_quantity", "B"): ("outside the bot", -7), ("bot_quantity", "OLD"): ("outside the bot", -4),
    }  # fmt: skip
    assert account.audit.health.state == "ok"


async def test_a_bot_that_counts_otherwise(account: AuditedAccount) -> None:
    """A position that nothing explains is unknown."""
    account.bot = ({"A": Decimal(29), "OLD": Decimal(4)}, START + 90)
    assert await account.causes() == {("bot_quantity", "A"): ("unknown", -1)}


async def test_a_journal_that_is_behind_reads_late(account: AuditedAccount) -> None:
    """While bot and exchange have not been read since, a fill may be on its way."""
    account.exchange.buy(4, 7, "0.5", "0.05")
    account.complete = 0.0
    assert await account.causes() == {
        ("quantity", "A"): ("read late", 7), ("cash", None): ("read late", Decimal("-3.55")),
    }  # fmt: skip


async def test_a_reading_from_before_a_trade_is_no_difference(account: AuditedAccount) -> None:
    """The exchange's reads lag: its figures are those of a moment ago."""
    before = account.exchange.cash, dict(account.exchange.rows)
    fill = account.exchange.buy(4, 7, "0.5", "0.05")
    await account.add(entry_of(fill))
    account.exchange.cash, account.exchange.rows = before[0], before[1]
    account.exchange.complete_to = START + 3
    assert (await account.check())["cash"]["unexplained"] == 0
    assert await account.causes() == {}


async def test_an_exchange_that_cannot_be_read_keeps_the_last_result(account: AuditedAccount) -> None:
    """The last comparison stays; health has the error."""
    await account.check()
    account.exchange.error = KalshiError("no answer")
    assert (await account.check())["cash"]["unexplained"] == 0
    assert account.audit.health.reason == "the account cannot be compared: no answer"
    assert account.audit.failed_since is not None


async def test_a_wake_up_compares_at_once(account: AuditedAccount) -> None:
    """The next comparison after a success is seconds away; a recovery of the exchange does not wait for it."""
    await account.check()
    task = asyncio.create_task(account.audit.run())
    account.clock.now += 1
    first = await eventually(lambda: account.audit.result)
    account.clock.now += 1
    account.audit.wake()
    await eventually(lambda: account.audit.result is not first, within=10)
    await cancel_and_wait(task)


async def test_a_settlement_whose_revenue_differs_from_its_value_is_named(account: AuditedAccount) -> None:
    """The revenue is used; reconciliation and health name the market and the difference."""
    del account.exchange.rows["A"]
    account.exchange.cash += Decimal("24.6")
    await account.add(drafts.settlement(
        ticker="A", result="scalar", value=Decimal("0.18"), yes_quantity=Decimal(30), revenue=Decimal("24.6"),
        fee=Decimal("0.3"), timestamp=Decimal(str(START + 50)),
    ))  # fmt: skip
    found = await account.check()
    assert found["settled_by_revenue"] == [
        {"ticker": "A", "revenue": Decimal("24.6"), "difference": Decimal("19.2")}
    ]  # fmt: skip
    assert (found["cash"]["unexplained"], found["differences"]) == (0, [])
    assert account.audit.health.as_json()["settled_by_revenue"] == 1
    assert account.audit.health.reason == "settlements paid other than contracts times payout: A"


async def test_deposits_and_fees_of_trades_that_report_none_are_named_causes(account: AuditedAccount) -> None:
    """A bot without fees leaves them to the exchange's positions, and a deposit is a cause of its own."""
    fill = account.exchange.buy(4, 7, "0.5", "0.05")
    await account.add(entry_of(fill, fee=None), drafts.transfer(
        transfer_id="d", amount=Decimal(25), fee=Decimal("0.5"), timestamp=Decimal(str(START + 20)),
    ))  # fmt: skip
    account.exchange.cash += Decimal("24.5")
    found = (await account.check())["cash"]
    assert (found["deposits"], found["transfer_fees"], found["unexplained"]) == (25, Decimal("-0.5"), 0)
    assert found["other"] == {"fees_unreported": Decimal("-0.05")}


@pytest.mark.parametrize(
    ("entry", "paid", "cause", "size"),
    [
        ({"fee": Decimal("0.1001")}, "6", "correction", "0.0001"),
        ({"price": Decimal("0.61")}, "6", "correction", "0.10"),
        ({}, "5.99", "correction", "0.01"),
    ],
    ids=["the bot's fee is too high", "the bot's price is too high", "the settlement was changed"],
)
async def test_a_difference_of_a_settled_market_keeps_its_cause(
    account: AuditedAccount, entry: dict[str, Decimal], paid: str, cause: str, size: str
) -> None:
    """Open positions do not include the market, and what differs in it still explains the cash."""
    fill = account.exchange.buy(70, 10, "0.6", "0.1", ticker="B")
    row = account.exchange.settle("B", "6")
    payout = drafts.settlement(
        timestamp=row.settled, ticker="B", result="scalar", value=Decimal("0.6"), yes_quantity=Decimal(10),
        revenue=Decimal(paid), fee=row.fee,
    )  # fmt: skip
    await account.add(entry_of(fill, **entry), payout)
    assert await account.causes(3) == {("cash", None): (cause, Decimal(size))}
    assert account.audit.health.state == "degraded"


async def test_interest_beside_settled_markets_stays_unknown(account: AuditedAccount) -> None:
    """A settled market that differs by another amount explains nothing."""
    fill = account.exchange.buy(70, 10, "0.6", "0.1", ticker="B")
    row = account.exchange.settle("B", "6")
    payout = drafts.settlement(
        timestamp=row.settled, ticker="B", result="scalar", value=Decimal("0.6"), yes_quantity=Decimal(10),
        revenue=row.revenue, fee=row.fee,
    )  # fmt: skip
    account.exchange.settled["B"] = replace(account.exchange.settled["B"], realized_pnl=Decimal(3))
    account.exchange.cash += Decimal("0.25")
    await account.add(entry_of(fill), payout)
    assert await account.causes(3) == {("cash", None): ("unknown", Decimal("0.25"))}


@pytest.mark.parametrize(("entries", "cause"), [(0, "missed"), (2, "correction")])
async def test_contracts_of_a_settlement_that_differ_get_the_cause_of_their_fills(
    account: AuditedAccount, entries: int, cause: str
) -> None:
    """A missed fill and a voided one degrade health: the order in which lots are closed does not explain them."""
    fill = account.exchange.buy(70, 10, "0.6", "0", ticker="B")
    row = account.exchange.settle("B", "6")
    payout = drafts.settlement(
        timestamp=row.settled, ticker="B", result="scalar", value=Decimal("0.6"), yes_quantity=Decimal(10),
        revenue=row.revenue, fee=Decimal(0),
    )  # fmt: skip
    found = [
        entry_of(fill, trade_id=f"t{number}", fill_id=f"t{number}", timestamp=fill.timestamp - 15 * number)
        for number in range(1, entries + 1)
    ]
    await account.add(*found, payout)
    causes = await account.causes(3)
    assert causes[("settlement", "B")][0] == cause
    assert account.audit.health.state == "degraded"
