"""Many fills under changing faults: the bot's books end equal to the exchange's and to the ledger's."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from bot.account_check import AccountCheck
from bot.clock import BotClock
from bot.engine import Engine, TradingPlan
from bot.errors import VenueUnavailable
from bot.market_data import MarketData
from bot.strategies import Strategy
from bot.strategy_types import CancelOrder, Intent, MarketView, PlaceOrder
from bot.trading_state import TradingState
from bot.venues.fill_collector import listen
from bot.venues.live import LiveVenue
from kalshi.account_models import Fill
from kalshi.auth import Signer
from kalshi.environments import socket_url
from kalshi.fill_socket import FillSocket
from kalshi.records import RecordReader
from ledger.market_book import MarketBook
from ledger.records import TradeRecord
from tests.support.eventually import eventually
from tests.support.simulator import Simulator, running_simulator
from tests.support.trading import D, trading_state
from tests.support.venues import client, live_venue

WRITES = "*/portfolio/events/orders*"
FAULTS: list[dict[str, Any]] = [
    {"kind": "drop", "after": True, "path": WRITES, "method": "POST", "times": 1},
    {"kind": "drop", "path": WRITES, "method": "POST", "times": 1},
    {"kind": "half", "path": WRITES, "method": "POST", "times": 1},
    {"kind": "half", "path": WRITES, "method": "DELETE", "times": 1},
    {"kind": "error", "status": 503, "path": WRITES, "times": 1},
    {"kind": "rate_limit", "path": WRITES, "times": 2},
    {"kind": "error", "status": 500, "path": "*/portfolio/fills*", "times": 2},
    {"kind": "drop", "path": "*/portfolio/orders*", "times": 1},
    {"kind": "half", "path": "*/markets*", "times": 1},
    {"kind": "stale", "seconds": 0.4},
    {"kind": "ws_lose", "channel": "fill", "times": 5},
    {"kind": "ws_double", "channel": "fill", "times": 5},
    {"kind": "ws_cut"},
]


def busy(view: MarketView) -> Sequence[Intent]:
    """Do something at every turn: take either side, rest inside the spread, cancel; in fractions too."""
    quote, turn = view.quote, int(view.draw * 10_000)
    if quote.bid is None or quote.ask is None:
        return []
    if view.resting and turn % 3 == 0:
        return [CancelOrder(order, "busy") for order in view.resting]
    quantity = Decimal(25 * (1 + turn % 16)) / 100
    side, price, rest = (
        ("BUY", quote.ask, False), ("SELL", quote.bid, False), ("BUY", D("0.50"), True), ("SELL", D("0.52"), True),
    )[turn % 4]  # fmt: skip
    return [PlaceOrder(quote.ticker, side, price, quantity, rest, "busy")]  # type: ignore[arg-type]


@asynccontextmanager
async def trading(
    simulator: Simulator,
) -> AsyncIterator[tuple[TradingState, LiveVenue, Engine, AccountCheck, list[str]]]:
    """A live venue with a fill socket on eight markets that are quoted at 0.45 / 0.55."""
    async with aiohttp.ClientSession() as session:
        reader = client(session, simulator, attempt=0.5)
        tickers = [row.ticker for row in (await reader.markets({"status": "open", "limit": 1000})).rows][:8]
        state = trading_state(
            True, order_size=D(50), market_exposure=D(5000), event_exposure=D(10_000), total_exposure=D(50_000),
            daily_loss=D(10**6), drawdown=D(10**6),
        )  # fmt: skip
        clock = BotClock()
        venue = live_venue(reader, state, state.account, "boot", absent_after=0.6, lifetime=4.0)
        check = AccountCheck(reader, state.account, venue.fills, state.take_account)
        await check.begin()
        plan = TradingPlan([Strategy("busy", busy)], tickers, 8, D(50), D(1000), 0.0, weekly_pause=False)
        data = MarketData(reader, clock.monotonic, clock.wall)
        engine = Engine(data, venue, state, plan, lambda durable: None, clock, Random(SEED))
        push = FillSocket(session, socket_url(simulator.url), _signer(simulator), first=0.05, longest=0.2)
        listening = asyncio.create_task(listen(push, venue.fills))
        try:
            yield state, venue, engine, check, tickers
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def _signer(simulator: Simulator) -> Signer:
    return Signer.from_file("demo-ed25519", simulator.keys["demo-ed25519"])


async def churn(
    simulator: Simulator,
    state: TradingState,
    venue: LiveVenue,
    engine: Engine,
    tickers: list[str],
    n: int,
    chance: Random,
) -> None:
    """Trade until there are n fills, while others hit what rests and something new goes wrong every few turns."""
    turn = 0
    while state.trade_log.seq < n:
        if turn % 15 == 0:
            for ticker in tickers:
                simulator.quote(ticker, "0.4500", "0.5500")
        if turn % 2:
            simulator.clear()
            simulator.fault(**chance.choice(FAULTS))
        for order in venue.resting():
            side, price = ("ask", "0.5000") if order.side == "BUY" else ("bid", "0.5200")
            for _ in range(chance.randint(0, 5)):
                count = f"{chance.randint(1, 100) / 100:.2f}"
                body = {"ticker": order.ticker, "side": side, "price": price, "count": count}
                simulator.control("POST", "/take", body)
        await engine.turn()
        turn += 1
    simulator.clear()


LONG = pytest.param(10_000, id="10000", marks=[pytest.mark.slow, pytest.mark.timeout(1200)])
SEED = int(os.environ.get("PI_SEED", "11"))  # another one makes another run


@pytest.mark.parametrize("fills", [pytest.param(200, id="200"), LONG])
async def test_own_books_equal_the_exchange_s_and_the_ledger_s(
    fills: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Positions, lots, fees and cash are equal, no fill was reported twice, and answers were lost on the way."""
    caplog.set_level("INFO", "bot")
    with running_simulator(tmp_path, "--tier", "prestige", "--cash", "1000000") as simulator:
        async with trading(simulator) as (state, venue, engine, check, tickers):
            await churn(simulator, state, venue, engine, tickers, fills, Random(SEED))
            state.halts.halt("person", "the end", time.time())
            await eventually(lambda: _withdrawn(engine), within=120, every=0.2)
            await eventually(lambda: _agrees(check), within=120, every=0.2)
            ledger = simulator.ledger()
            compare(state, ledger)
            assert sum("the answer to an order was lost" in record.getMessage() for record in caplog.records) >= 2
            trades = state.trade_log.after(0, 100_000).trades
            assert len({trade["trade_id"] for trade in trades}) == len(trades) == min(state.trade_log.seq, 10_000)


def ledger_books(ledger: Any) -> dict[str, MarketBook]:
    """The program's ledger over the fills of the exchange's."""
    books: dict[str, MarketBook] = {}
    fills = [Fill.from_api(RecordReader(row, "ledger")) for row in ledger["fills"]]
    for seq, fill in enumerate(sorted(fills, key=lambda fill: fill.timestamp)):
        quantity = fill.quantity if fill.side == "BUY" else -fill.quantity
        book = books.setdefault(fill.ticker, MarketBook(fill.ticker))
        book.trade(TradeRecord(seq, fill.timestamp, fill.ticker, quantity, fill.yes_price, fill.fee))
    return books


def compare(state: TradingState, ledger: Any) -> None:
    """Compare our positions with the exchange's, and each book with the program's ledger, to the last digit."""
    theirs = {row["ticker"]: (D(row["position_fp"]), D(row["fees_paid_dollars"])) for row in ledger["positions"]}
    ours = {ticker: (p.quantity, p.fees) for ticker, p in state.positions.by_ticker.items()}
    assert ours == theirs
    for ticker, book in ledger_books(ledger).items():
        mine = state.positions.by_ticker[ticker].book
        assert (mine.cost, mine.realized, mine.traded) == (book.cost, book.realized, book.traded)
    spent = sum((p.book.traded - p.fees for p in state.positions.by_ticker.values()), D(0))
    assert D(ledger["cash_dollars"]) - D(ledger["start_dollars"]) == spent


async def _withdrawn(engine: Engine) -> bool:
    await engine.turn()
    return not engine.trouble


async def _agrees(check: AccountCheck) -> bool:
    try:
        return await check.differences() == ""
    except VenueUnavailable:  # a read took too long on a loaded machine
        return False
