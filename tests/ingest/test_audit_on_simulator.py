"""Cash stays explained over thousands of fills, settlements and transfers of the simulated exchange."""

import random
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cache.decimal_json import loads
from cluster.component_health import ComponentHealth
from commands.report_figures import make_report
from ingest.bot_status import BotStatus
from ingest.exchange_fills import Attribution, FillReader, Watermarks, read_baseline
from ingest.gaps import OpenGaps
from ingest.journal_ledgers import JournalLedgers
from ingest.reconciliation import AccountAudit
from ingest.supervisor import Supervisor
from journal.base import Journal
from journal.dsn import open_journal
from tests.support.in_process import SimulatedAccount

FILLS = 3000
READINGS = 15


class FollowedAccount:
    """A simulated account, its journal as the service writes it, and the audit of both."""

    def __init__(self, journal: Journal, rng: random.Random) -> None:
        self.account = SimulatedAccount()
        self.journal = journal
        self.rng = rng
        clock = self.account.clock
        self.reader = FillReader(self.account.client, Attribution(BotStatus(0.0), OpenGaps(), 3.0), clock)
        self.known = Watermarks(clock(), clock(), clock())
        self.ledgers = JournalLedgers(journal, ComponentHealth("ledger", clock))
        supervisor = SimpleNamespace(
            complete_to=lambda: 1e12,
            bot_positions=self.bot_positions,
            no_account_reason=str,
            request_backfill=lambda: None,
        )
        health = ComponentHealth("reconciliation", clock)
        self.audit = AccountAudit(self.ledgers, self.account.client, cast(Supervisor, supervisor), health, wait=0.0)
        self.open = self.account.open_tickers()
        self.settled = 0

    async def begin(self, trades: int = 50) -> None:
        """Trade a little before anyone follows, then write the baseline."""
        self.trade(trades)
        baseline = await read_baseline(self.account.client, "demo", self.account.clock)
        await self.journal.append([baseline])
        begun = float(baseline.timestamp)
        self.known = Watermarks(begun, begun, begun)
        self.account.exchange.advance(1.0)

    def bot_positions(self) -> tuple[dict[str, Decimal] | None, float]:
        """The bot's contracts by market and the time of its status; this account has no bot."""
        return None, 0.0

    def trade(self, count: int) -> None:
        """Execute so many random fills; one that the cash of its shard does not cover is left out."""
        for _ in range(count):
            price = self.rng.randint(5, 95)
            self.account.exchange.admin("POST", "/fill", {
                "ticker": self.rng.choice(self.open), "side": self.rng.choice(["bid", "ask"]),
                "count": f"{self.rng.randint(1, 900) / 100:.2f}", "price": f"0.{price:02d}00",
            })  # fmt: skip
            self.account.exchange.advance(0.05)

    def settle(self) -> None:
        """Settle a random market, scalar ones sometimes with the payout of the other side as value."""
        ticker = self.open.pop(self.rng.randrange(len(self.open)))
        result = self.rng.choice(["yes", "no", "scalar", "void"])
        value = {"value": f"0.{self.rng.randint(1, 99):02d}00"} if result == "scalar" else {}
        side = self.rng.choice(["yes", "yes", "no"]) if result == "scalar" else "yes"
        self.account.admin("/settle", ticker=ticker, result=result, report_value_of=side, **value)
        self.settled += 1

    async def read_and_compare(self) -> None:
        """Read what happened into the journal and compare."""
        self.account.exchange.advance(61.0)
        batch = await self.reader.read(self.known, "demo")
        await self.journal.append(batch.drafts)
        self.reader.saved(batch.ids)
        self.known = batch.known
        await self.ledgers.catch_up()
        await self.audit.check()

    def differences(self) -> dict[tuple[str, str | None], str]:
        """Causes by figure and ticker of the last comparison, other lots being closed first left out."""
        assert self.audit.result is not None
        rows = self.audit.result.body["differences"]
        return {(row["figure"], row["ticker"]): row["cause"] for row in rows if row["cause"] != "method"}


@pytest.fixture
async def followed(tmp_path: Path) -> AsyncIterator[FollowedAccount]:
    """An account that is followed from its baseline on."""
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    await journal.open()
    made = FollowedAccount(journal, random.Random(20261127))
    await made.begin()
    yield made
    await journal.close()


@pytest.mark.timeout(300)
async def test_every_cent_is_explained_over_thousands_of_fills(followed: FollowedAccount) -> None:
    """Fills, settlements of every kind, deposits and withdrawals: nothing is unexplained at any reading."""
    for number in range(READINGS):
        followed.trade(FILLS // READINGS)
        followed.settle()
        amount = followed.rng.randint(1, 90_000)
        followed.account.admin("/deposit" if number % 2 else "/withdraw", amount_cents=amount, fee_cents=number)
        await followed.read_and_compare()
        assert followed.audit.result is not None
        cash = followed.audit.result.body["cash"]
        assert (cash["unexplained"], cash["expected"]) == (0, cash["reported"])
        assert followed.differences() == {}
    assert followed.settled >= 10
    await sources_agree(followed)


async def sources_agree(followed: FollowedAccount) -> None:
    """Compare exchange, service and report: equal, or different only by the order in which lots are closed."""
    client, ledger = followed.account.client, followed.ledgers.account()
    assert ledger is not None
    assert ledger.totals.trades > FILLS * 0.9
    entries: list[tuple[str, Any]] = [(e.kind, loads(e.body)) for e in await followed.journal.read(0, 100_000)]
    report = make_report(entries)
    assert (report.ledger.totals.realized, report.ledger.totals.fees) == (ledger.totals.realized, ledger.totals.fees)
    for row in await client.positions("all"):
        book = ledger.books[row.ticker]
        assert (book.quantity, book.fees) == (row.quantity, row.fees)
        assert book.realized - book.cost == row.realized_pnl - row.cost
        assert book.realized == row.realized_pnl or book.quantity


async def test_cash_that_no_endpoint_reports_is_named_by_the_next_comparison(followed: FollowedAccount) -> None:
    """Interest and rebates show as unexplained, of cause unknown, to the hundredth of a cent."""
    followed.trade(100)
    for dollars in ("0.0100", "-0.0200", "1.2345"):
        before = followed.audit.result.body["cash"]["unexplained"] if followed.audit.result else Decimal(0)
        followed.account.admin("/adjust", dollars=dollars)
        await followed.read_and_compare()
        assert followed.audit.result is not None
        assert followed.audit.result.body["cash"]["unexplained"] - before == Decimal(dollars)
        assert followed.differences() == {("cash", None): "unknown"}


async def test_a_fill_that_the_exchange_voids_is_a_correction(followed: FollowedAccount) -> None:
    """Contracts and cash differ from then on, with their cause."""
    followed.trade(20)
    await followed.read_and_compare()
    assert followed.differences() == {}
    made = followed.account.admin("/fill", ticker=followed.open[0], side="bid", count="3.00", price="0.4000")
    await followed.read_and_compare()
    followed.account.admin("/void", fill_id=made["fill_id"])
    await followed.read_and_compare()
    ticker = followed.open[0]
    assert followed.differences() == {("quantity", ticker): "correction", ("cash", None): "correction"}
