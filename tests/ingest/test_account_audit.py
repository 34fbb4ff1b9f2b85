"""The audit of the account: differences get their size and cause, and none is invented."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from cluster.component_health import ComponentHealth, cancel_and_wait
from ingest.journal_ledgers import JournalLedgers
from ingest.reconciliation import AccountAudit
from ingest.supervisor import Supervisor
from journal.base import Journal
from journal.dsn import open_journal
from journal.entries import Draft, Trade
from kalshi.account_models import AccountSettlement, Balance, Fill, Position
from kalshi.errors import KalshiError
from kalshi.market_models import Market
from tests.support import drafts
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.exchange import as_client

START = 1698676800.0
FOUND = {"ticker": "OLD", "quantity": Decimal(4), "cost": Decimal(2), "realized_pnl": Decimal(0), "fees": Decimal(0)}


@dataclass
class ScriptedAccount:
    """An exchange's account: cash, positions, fills and settlements as a test sets them."""

    cash: Decimal = Decimal(100)
    rows: dict[str, Position] = field(default_factory=dict)
    executions: list[Fill] = field(default_factory=list)
    paid: list[AccountSettlement] = field(default_factory=list)
    error: KalshiError | None = None
    complete_to: float = START + 1000

    async def user_data_timestamp(self) -> float:
        if self.error is not None:
            raise self.error
        return self.complete_to

    async def balance(self) -> Balance:
        return Balance(self.cash, Decimal(0), 0, {})

    async def positions(self) -> list[Position]:
        return list(self.rows.values())

    async def markets_named(self, tickers: Iterable[str]) -> list[Market]:
        return []

    async def fills(self, min_ts: float | None = None, *, ticker: str | None = None) -> AsyncIterator[Fill]:
        for row in self.executions:
            if row.ticker == ticker and float(row.timestamp) >= (min_ts or 0):
                yield row

    async def settlements(self, min_ts: float | None = None) -> AsyncIterator[AccountSettlement]:
        for row in self.paid:
            if float(row.settled) >= (min_ts or 0):
                yield row

    def buy(self, number: int, quantity: int, price: str, fee: str, *, ticker: str = "A") -> Fill:
        """Execute a purchase of YES: cash, position and fill."""
        made = Fill(
            f"f{number}", f"o{number}", ticker, Decimal(str(START + number)), "bid", "yes", Decimal(quantity),
            Decimal(price), Decimal(fee), True,
        )  # fmt: skip
        cost = quantity * Decimal(price)
        row = self.rows.get(ticker, Position(ticker, *[Decimal(0)] * 6))
        self.rows[ticker] = replace(
            row, quantity=row.quantity + quantity, cost=row.cost + cost, fees=row.fees + Decimal(fee)
        )
        self.cash -= cost + Decimal(fee)
        self.executions.append(made)
        return made


def entry_of(fill: Fill, **changes: Any) -> Trade:
    """The journal's entry of a fill, as the exchange's fills give it."""
    made = drafts.trade(
        ticker=fill.ticker, quantity=fill.quantity, price=fill.yes_price, trade_id=fill.fill_id, fee=fill.fee,
        fill_id=fill.fill_id, order_id=fill.order_id, timestamp=fill.timestamp, source="kalshi_api",
    )  # fmt: skip
    return replace(made, **changes)


class AuditedAccount:
    """A journal with a baseline of 100 dollars, an account and the audit that compares them."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.exchange = ScriptedAccount()
        self.exchange.rows["OLD"] = Position("OLD", Decimal(4), Decimal(2), *[Decimal(0)] * 4)
        self.clock = Clock(START + 100)
        self.ledgers = JournalLedgers(journal, ComponentHealth("ledger", self.clock))
        self.bot: tuple[dict[str, Decimal] | None, float] = None, 0.0
        self.complete = START + 10_000
        self.noticed = 0
        health = ComponentHealth("reconciliation", self.clock)
        self.audit = AccountAudit(self.ledgers, as_client(self.exchange), cast(Supervisor, self), health, wait=0.0)

    def complete_to(self) -> float:
        """Return the moment up to which the journal is complete, as for a Supervisor."""
        return self.complete

    def bot_positions(self) -> tuple[dict[str, Decimal] | None, float]:
        """Return what the bot reports."""
        return self.bot

    def no_account_reason(self) -> str:
        """Return none: the account is followed."""
        return ""

    def request_backfill(self) -> None:
        """Count the requests."""
        self.noticed += 1

    async def add(self, *entries: Draft) -> None:
        """Append entries to the journal."""
        await self.journal.append(entries)

    async def check(self, times: int = 1) -> dict[str, Any]:
        """Compare so many times, 30 seconds apart, and return the answer."""
        for _ in range(times):
            self.clock.now += 30
            await self.ledgers.catch_up()
            await self.audit.check()
        assert self.audit.result is not None
        return self.audit.result.body

    async def causes(self, times: int = 1) -> dict[tuple[str, str | None], tuple[str, Decimal]]:
        """Cause and size of each difference by figure and ticker."""
        rows = (await self.check(times))["differences"]
        return {(row["figure"], row["ticker"]): (row["cause"], row["difference"]) for row in rows}


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[AuditedAccount]:
    """An account that has traded three times, and all of it is in the journal."""
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    await journal.open()
    made = AuditedAccount(journal)
    await made.add(drafts.baseline(timestamp=Decimal(str(START)), positions=[FOUND], balance=Decimal(100)))
    fills = [made.exchange.buy(number, 10, "0.6", "0.1") for number in (1, 2, 3)]
    await made.add(*map(entry_of, fills))
    yield made
    await journal.close()


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
