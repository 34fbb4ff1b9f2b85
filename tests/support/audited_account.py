"""An account at a scripted exchange, the journal of it, and the audit that compares them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from cluster.component_health import ComponentHealth
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
from tests.support.exchange import as_client

START = 1698676800.0
FOUND = {"ticker": "OLD", "quantity": Decimal(4), "cost": Decimal(2), "realized_pnl": Decimal(0), "fees": Decimal(0)}


@dataclass
class ScriptedAccount:
    """An exchange's account: cash, positions, fills and settlements as a test sets them."""

    cash: Decimal = Decimal(100)
    rows: dict[str, Position] = field(default_factory=dict)
    settled: dict[str, Position] = field(default_factory=dict)  # of markets that paid out
    executions: list[Fill] = field(default_factory=list)
    paid: list[AccountSettlement] = field(default_factory=list)
    markets: list[Market] = field(default_factory=list)
    worth: Decimal = Decimal(0)  # dollars at which it values the positions
    error: KalshiError | None = None
    complete_to: float = START + 1000

    async def user_data_timestamp(self) -> float:
        if self.error is not None:
            raise self.error
        return self.complete_to

    async def balance(self) -> Balance:
        return Balance(self.cash, self.worth, 0, {})

    async def positions(self, settled: str = "unsettled") -> list[Position]:
        return list((self.settled if settled == "settled" else self.rows).values())

    async def markets_named(self, tickers: Iterable[str]) -> list[Market]:
        return [market for market in self.markets if market.ticker in set(tickers)]

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

    def settle(self, ticker: str, revenue: str) -> AccountSettlement:
        """Pay a YES position: cash, the settled position and the row of the settlement."""
        row, paid = self.rows.pop(ticker), Decimal(revenue)
        self.cash += paid
        self.settled[ticker] = replace(
            row, quantity=Decimal(0), cost=Decimal(0), realized_pnl=row.realized_pnl + paid - row.cost
        )
        self.paid.append(AccountSettlement(
            ticker, "E", "scalar", row.quantity, row.cost, Decimal(0), Decimal(0), paid, row.fees,
            paid / row.quantity, Decimal(str(START + 90)),
        ))  # fmt: skip
        return self.paid[-1]


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


@asynccontextmanager
async def audited_account(folder: Path, opening: str | None = "100") -> AsyncIterator[AuditedAccount]:
    """An account that has traded three times, and all of it is in the journal. opening: the baseline's dollars."""
    journal = open_journal(f"sqlite:///{folder}/journal.db")
    await journal.open()
    made = AuditedAccount(journal)
    cash = None if opening is None else Decimal(opening)
    await made.add(drafts.baseline(timestamp=Decimal(str(START)), positions=[FOUND], balance=cash))
    fills = [made.exchange.buy(number, 10, "0.6", "0.1") for number in (1, 2, 3)]
    await made.add(*map(entry_of, fills))
    try:
        yield made
    finally:
        await journal.close()
