"""Tests of kill -9 at random moments: no order rests beyond its expiry, and no fill is counted twice."""

import asyncio
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kalshi.account_models import Fill
from kalshi.records import RecordReader
from ledger.market_book import MarketBook
from ledger.records import TradeRecord
from tests.bot.test_process import Process, running_bot
from tests.support.eventually import eventually
from tests.support.simulator import Simulator, running_simulator
from tests.support.trading import D

LIFETIME = 4  # seconds
SEED = int(os.environ.get("PI_SEED", "7"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("accounts", "kills"), [pytest.param(1, 2, id="2 kills"), pytest.param(4, 5, id="20 kills", marks=pytest.mark.slow)]
)
def test_kills_leave_no_order_beyond_its_expiry_and_no_fill_counted_twice(
    accounts: int, kills: int, tmp_path: Path
) -> None:
    """After each kill -9 the orders expire by themselves; at the end books, ledger and exchange are equal."""
    with ThreadPoolExecutor(accounts) as pool:  # each account has an exchange of its own
        for future in [pool.submit(kill_again_and_again, tmp_path, number, kills) for number in range(accounts)]:
            future.result()


def kill_again_and_again(folder: Path, number: int, kills: int) -> None:
    """Kill a bot while it trades, start it again, and compare its books at the end."""
    own = folder / str(number)
    own.mkdir()
    with running_simulator(own, "--tier", "prestige", "--speed", "1", "--seed", str(number), quiet=False) as simulator:
        asyncio.run(_kill(simulator, own, kills, random.Random(f"{SEED}:{number}")))


async def _kill(simulator: Simulator, folder: Path, kills: int, chance: random.Random) -> None:
    reported: dict[str, tuple[str, ...]] = {}
    for _ in range(kills):
        with running_bot(simulator, folder, "--live", BOT_ORDER_LIFETIME=str(LIFETIME)) as bot:
            await eventually(lambda bot=bot: _has_orders(bot), within=120, every=0.1)  # type: ignore[misc]
            take_from(simulator, chance)
            await bot.traded(1, within=120)
            take_from(simulator, chance)
            await asyncio.sleep(chance.uniform(0.0, 1.0))  # a random moment
            for trade in (await bot.get("/trades?after=0&limit=1000"))["trades"]:
                content = tuple(str(trade[name]) for name in ("timestamp", "ticker", "side", "quantity", "price"))
                # a run that was killed before it stored a fill reports it again, unchanged
                assert reported.setdefault(trade["trade_id"], content) == content
            bot.popen.kill()
            bot.popen.wait()
        killed = time.time()
        await eventually(lambda: not open_orders(simulator), within=120, every=0.1)
        expiries = [row["expiration_time"] for row in simulator.ledger()["orders"] if row["expiration_time"]]
        assert max(datetime.fromisoformat(at).timestamp() for at in expiries) <= killed + LIFETIME + 1
    with running_bot(simulator, folder, "--live", "--tickers", "KXNONE") as bot:
        await eventually(lambda: _is_running(bot), within=120, every=0.2)
        status = await bot.get("/status")
        assert status["halts"] == []
        assert len(reported) >= kills
        compare(status, simulator.ledger())


def open_orders(simulator: Simulator) -> list[dict[str, Any]]:
    """Return the resting orders of the exchange's own ledger."""
    return [order for order in simulator.ledger()["orders"] if order["status"] == "resting"]


def take_from(simulator: Simulator, chance: random.Random) -> None:
    """Fill some of the resting orders, and whatever rests at better prices."""
    orders = open_orders(simulator)
    for order in chance.sample(orders, min(3, len(orders))):
        bid = order["book_side"] == "bid"
        price = order["yes_price_dollars"]
        body = {"ticker": order["ticker"], "side": "ask" if bid else "bid", "price": price, "count": "1000.00"}
        simulator.control("POST", "/take", body)


def compare(status: dict[str, Any], ledger: dict[str, Any]) -> None:
    """Compare positions and fees with the exchange's fills; settled markets are not part of this run."""
    books: dict[str, MarketBook] = {}
    fills = [Fill.from_api(RecordReader(row, "ledger")) for row in ledger["fills"]]
    for seq, fill in enumerate(sorted(fills, key=lambda fill: fill.timestamp)):
        quantity = fill.quantity if fill.side == "BUY" else -fill.quantity
        book = books.setdefault(fill.ticker, MarketBook(fill.ticker))
        book.trade(TradeRecord(seq, fill.timestamp, fill.ticker, quantity, fill.yes_price, fill.fee))
    ours = {ticker: D(str(quantity)) for ticker, quantity in status["positions"].items()}
    assert ours == {ticker: book.quantity for ticker, book in books.items() if book.quantity}
    assert D(str(status["pnl"]["fees"])) == sum((book.fees for book in books.values()), D(0))


async def _has_orders(bot: Process) -> bool:
    return int((await bot.get("/status"))["resting"]) >= 4


async def _is_running(bot: Process) -> bool:
    return bool((await bot.get("/status"))["status"] == "running")
