"""Planted differences of every kind, each on an account of its own, get their cause; quiet ones get none."""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from journal.dsn import open_journal
from kalshi.account_models import AccountSettlement
from tests.support import drafts
from tests.support.audited_account import FOUND, START, AuditedAccount, entry_of

Plant = Callable[[AuditedAccount, random.Random], None]


def unknown(account: AuditedAccount, rng: random.Random) -> None:
    """Cash that no endpoint reports."""
    account.exchange.cash += Decimal(rng.choice([-1, 1]) * rng.randint(1, 100_000)).scaleb(-4)


def missed(account: AuditedAccount, rng: random.Random) -> None:
    """A fill that is not in the journal."""
    account.exchange.buy(70, rng.randint(1, 50), f"0.{rng.randint(10, 99)}", "0.05", ticker=rng.choice("ABC"))


def correction(account: AuditedAccount, rng: random.Random) -> None:
    """A fill with another price than its entry."""
    place = rng.randrange(len(account.exchange.executions))
    fill = account.exchange.executions[place]
    price = fill.yes_price + Decimal("0.01") * rng.randint(1, 9)
    account.exchange.executions[place] = replace(fill, yes_price=price)
    more = fill.quantity * (price - fill.yes_price)
    row = account.exchange.rows[fill.ticker]
    account.exchange.rows[fill.ticker] = replace(row, cost=row.cost + more)
    account.exchange.cash -= more


def method(account: AuditedAccount, rng: random.Random) -> None:
    """Lots closed in another order."""
    ticker = rng.choice([ticker for ticker in account.exchange.rows if ticker != "OLD"])
    moved, row = Decimal(rng.randint(1, 5000)).scaleb(-4), account.exchange.rows[ticker]
    account.exchange.rows[ticker] = replace(row, cost=row.cost + moved, realized_pnl=row.realized_pnl + moved)


def settled(account: AuditedAccount, rng: random.Random) -> None:
    """A settlement that the journal does not have yet."""
    ticker = rng.choice([ticker for ticker in account.exchange.rows if ticker != "OLD"])
    row = account.exchange.rows.pop(ticker)
    value = Decimal(rng.randint(0, 100)) / 100
    revenue = (row.quantity * value).quantize(Decimal("0.01"), "ROUND_FLOOR")
    account.exchange.cash += revenue
    account.exchange.paid.append(AccountSettlement(
        ticker, "E", "scalar", row.quantity, row.cost, Decimal(0), Decimal(0), revenue, row.fees, value,
        Decimal(str(START + 90)),
    ))  # fmt: skip


def outside(account: AuditedAccount, rng: random.Random) -> None:
    """A bot that does not hold what the account held before it."""
    rows = {ticker: row.quantity for ticker, row in account.exchange.rows.items() if ticker != "OLD"}
    account.bot = (rows, START + 95)


def late(account: AuditedAccount, rng: random.Random) -> None:
    """A fill that bot and exchange have not been read for."""
    missed(account, rng)
    account.complete = 0.0


def nothing(account: AuditedAccount, rng: random.Random) -> None:
    """No difference."""


PLANTS: dict[str, Plant] = {
    "unknown": unknown, "missed": missed, "correction": correction, "method": method, "settled meanwhile": settled,
    "outside the bot": outside, "read late": late, "": nothing,
}  # fmt: skip


async def planted(folder: Path, name: str, rng: random.Random) -> set[str]:
    """The causes that the audit finds on an account with one planted difference."""
    journal = open_journal(f"sqlite:///{folder}/journal-{rng.randrange(10**9)}.db")
    await journal.open()
    try:
        account = AuditedAccount(journal)
        found = drafts.baseline(timestamp=Decimal(str(START)), positions=[FOUND], balance=Decimal(100))
        fills = [
            account.exchange.buy(
                number, rng.randint(1, 30), f"0.{rng.randint(10, 89)}", f"0.0{rng.randint(0, 99):02d}",
                ticker=rng.choice("ABC"),
            )
            for number in range(1, rng.randint(4, 12))
        ]  # fmt: skip
        twice = name == "counted twice"
        again = [entry_of(fills[0], trade_id="again", fill_id="again")] if twice else []
        await account.add(found, *map(entry_of, fills), *again)
        if not twice:
            PLANTS[name](account, rng)
        return {cause for cause, _ in (await account.causes()).values()}
    finally:
        await journal.close()


@pytest.mark.parametrize("count", [20, pytest.param(100, marks=pytest.mark.slow)])
async def test_planted_differences_get_their_cause(tmp_path: Path, count: int) -> None:
    """At least 99 of 100, and no cause where nothing was planted."""
    rng = random.Random(20261127)
    names = [*PLANTS, "counted twice"]
    wrong = []
    for number in range(count):
        name = names[number % len(names)]
        causes = await planted(tmp_path, name, rng)
        if causes != ({name} if name else set()):
            wrong.append((name, causes))
    assert len(wrong) <= count // 100, wrong
    assert not [name for name, _ in wrong if not name], "a difference was invented"
