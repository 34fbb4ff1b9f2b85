"""Exchange, bot, service, page and report have one profit at a quiet moment, or the difference has its name."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.errors import OrderRejected
from bot.strategy_types import Side
from cache.decimal_json import loads
from commands.report_figures import make_report
from journal.dsn import open_journal
from ledger.market_book import MarketBook
from ledger.marks import value_position
from tests.ingest.test_audit_on_simulator import FollowedAccount
from tests.support.in_process_bot import InProcessBot
from tests.support.trading import wish

ROOT = Path(__file__).parents[2]
SMALLEST = Decimal("0.0001")  # dollars up to which two sources may differ
SIDES: tuple[Side, ...] = ("BUY", "SELL")
LEVELS = 6  # of the book, each of which gives a fill of its own
PAGE = """
import { readFileSync } from 'node:fs';
import { Book, Books } from './web/positions.js';
const { entries, marks } = JSON.parse(readFileSync(0, 'utf8'));
const books = new Books();
for (const entry of entries) books.add(entry);
const rows = books.of('demo').positions((ticker) => marks[ticker]);
const { realized_pnl, fees, unrealized_pnl } = Book.totals(rows);
console.log(JSON.stringify({ rows, totals: { realized_pnl, fees, unrealized_pnl } }));
"""


class BotAccount(FollowedAccount):
    """An account that a bot trades; before it, a person has bought in two markets in which it does not trade."""

    def add_bot(self) -> None:
        self.bot = InProcessBot(exchange=self.account.exchange)
        self.by_person = [self.open.pop(), self.open.pop()]
        for ticker in self.by_person:
            self.bot.quote(ticker, "0.4100", "0.4500")
            self.account.admin("/fill", ticker=ticker, side="bid", count="7.50", price="0.4200")

    def bot_positions(self) -> tuple[dict[str, Decimal] | None, float]:
        """The bot's contracts by market, now."""
        held = {ticker: book.quantity for ticker, book in self.bot.state.positions.by_ticker.items() if book.quantity}
        return held, self.account.clock()

    async def trade_by_bot(self) -> None:
        """Send an order that takes several levels of the book; one that the cash does not cover is left out."""
        ticker, price, side = self.rng.choice(self.open), self.rng.randint(15, 85), self.rng.choice(SIDES)
        exchange = self.account.exchange.exchange
        market = exchange.engine.markets[ticker]
        exchange.liquidity.withdraw(market)
        sizes = [self.rng.randint(1, 150) for _ in range(LEVELS)]
        for level, size in enumerate(sizes, 1):
            exchange.liquidity.post(market, (price - level) * 100, (price + level) * 100, size)
        limit = price + LEVELS if side == "BUY" else price - LEVELS
        with suppress(OrderRejected):
            await self.bot.venue.place(wish(side, f"{Decimal(sum(sizes)) / 100}", f"0.{limit:02d}", ticker, rest=False))
        self.account.exchange.advance(0.05)

    async def marks(self) -> dict[str, Decimal]:
        """The mark of each market, as the exchange's records have it."""
        rows = await self.account.client.markets_named([*self.open, *self.by_person])
        return {row.ticker: row.mark for row in rows if row.mark is not None}


@pytest.fixture
async def account(tmp_path: Path) -> AsyncIterator[BotAccount]:
    """An account with a bot, followed from its baseline on."""
    journal = open_journal(f"sqlite:///{tmp_path}/journal.db")
    await journal.open()
    made = BotAccount(journal, random.Random(1))
    made.add_bot()
    await made.bot.check.begin()
    await made.begin(trades=0)
    yield made
    await journal.close()


async def trade_until_quiet(account: BotAccount, rounds: int, orders: int) -> None:
    """Trade so many orders in each round, settle a market, move cash, and read it all."""
    for number in range(rounds):
        for _ in range(orders):
            await account.trade_by_bot()
        account.settle()
        way = "/deposit" if number % 2 else "/withdraw"
        account.account.admin(way, amount_cents=500 + number, fee_cents=number)
        account.account.exchange.advance(1.0)
        await account.bot.venue.fills.read_all()
        await account.bot.venue.fills.read_settlements()
        await account.read_and_compare()


def page_figures(entries: Sequence[tuple[str, str]], marks: Mapping[str, Decimal]) -> Any:
    """Return the figures that the page's own modules compute from the journal's entries, on Node."""
    if shutil.which("node") is None:
        assert os.environ.get("CI") != "true", "node is missing"
        pytest.skip("node is missing: apt-get install nodejs")
    rows = ",".join(f'{{"kind":"{kind}",{body[1:]}' for kind, body in entries)
    given = f'{{"entries":[{rows}],"marks":{json.dumps({name: str(mark) for name, mark in marks.items()})}}}'
    command = ["node", "--input-type=module", "--eval", PAGE]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.timeout(300)
async def test_five_sources_have_one_profit_at_a_quiet_moment(account: BotAccount) -> None:
    """After 3 000 fills and more than ten settlements: realized, fees and unrealized, to $0.0001."""
    await trade_until_quiet(account, 12, 50)
    ledger, positions = account.ledgers.account(), account.bot.state.positions
    assert ledger is not None
    entries = [(entry.kind, entry.body) for entry in await account.journal.read(0, 100_000)]
    marks = await account.marks()
    assert (ledger.totals.trades >= 3000, account.settled >= 10) == (True, True)
    service = {ticker: book for ticker, book in ledger.books.items() if ticker not in account.by_person}

    report = make_report([(kind, loads(body)) for kind, body in entries]).ledger
    assert (report.totals.realized, report.totals.fees) == (ledger.totals.realized, ledger.totals.fees)

    page = page_figures(entries, marks)
    assert Decimal(page["totals"]["realized_pnl"]) == ledger.totals.realized
    assert Decimal(page["totals"]["fees"]) == ledger.totals.fees
    unrealized = sum(_unrealized(book, marks) for book in ledger.books.values())
    assert abs(Decimal(page["totals"]["unrealized_pnl"]) - unrealized) < SMALLEST

    bot = positions.profit(marks)
    assert abs(bot["realized"] - sum(book.realized for book in service.values())) < SMALLEST
    assert abs(bot["fees"] - sum(book.fees for book in service.values())) < SMALLEST
    assert abs(bot["unrealized"] - sum(_unrealized(book, marks) for book in service.values())) < SMALLEST
    for ticker, held in positions.by_ticker.items():
        assert (held.quantity, held.cost) == (service[ticker].quantity, service[ticker].cost)

    for row in await account.account.client.positions("all"):
        book = ledger.books[row.ticker]
        assert (book.quantity, book.fees) == (row.quantity, row.fees)
        assert book.realized - book.cost == row.realized_pnl - row.cost  # the cash, whichever lots were closed


async def test_what_differs_between_the_sources_has_its_name(account: BotAccount) -> None:
    """Other lots closed first: method. What a person holds: outside the bot. Another price: mark, until both agree."""
    await trade_until_quiet(account, 3, 40)
    assert account.audit.result is not None
    assert {row["cause"] for row in account.audit.result.body["differences"]} == {"method", "outside the bot"}
    value = account.audit.result.body["value"]
    assert (value["cause"], value["difference"]) == ("mark", value["exchange"] - value["journal"])
    for ticker in [*account.open, *account.by_person]:  # the last trade lies in the middle of the quotes
        account.bot.quote(ticker, "0.4900", "0.5100")
        account.account.admin("/fill", ticker=ticker, side="bid", count="0.01", price="0.5000")
    await account.read_and_compare()
    assert account.audit.result.body["value"]["cause"] is None
    assert account.audit.health.state == "ok"


def _unrealized(book: MarketBook, marks: Mapping[str, Decimal]) -> Decimal:
    return value_position(book.quantity, book.cost, marks.get(book.ticker)).unrealized or Decimal(0)
