"""Test of twenty kill -9 at random moments: no order rests beyond its expiry, and no fill is booked twice."""

import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from kalshi.account_models import Fill
from kalshi.record_reader import RecordReader
from ledger.market_book import MarketBook
from ledger.records import TradeRecord
from tests.bot.test_process import Process, running_bot
from tests.support.eventually import eventually
from tests.support.simulator import Simulator, running_simulator
from tests.support.trading import D

LIFETIME = 5.0  # seconds
SEED = int(os.environ.get("PI_SEED", "7"))


def open_orders(simulator: Simulator) -> list[dict[str, Any]]:
    """Return the resting orders of the exchange's own ledger."""
    return [order for order in simulator.ledger()["orders"] if order["status"] == "resting"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
async def test_twenty_kills_leave_no_order_beyond_its_expiry_and_no_fill_booked_twice(tmp_path: Path) -> None:
    """After each kill -9 the orders expire by themselves; at the end books, ledger and exchange are equal."""
    chance = random.Random(SEED)
    reported: dict[str, tuple[str, ...]] = {}
    with running_simulator(tmp_path, "--tier", "prestige", "--speed", "1", quiet=False) as simulator:
        for _ in range(20):
            with running_bot(simulator, tmp_path, "--live", BOT_ORDER_LIFETIME=str(LIFETIME)) as bot:
                await eventually(lambda bot=bot: _has_orders(bot), within=120, every=0.1)  # type: ignore[misc]
                end = time.monotonic() + chance.uniform(0.0, 3.0)
                await eventually(lambda end=end: time.monotonic() >= end, within=10)  # type: ignore[misc]
                for trade in (await bot.get("/trades?after=0&limit=1000"))["trades"]:
                    content = tuple(str(trade[name]) for name in ("timestamp", "ticker", "side", "quantity", "price"))
                    # a run that was killed before it stored a fill reports it again, unchanged
                    assert reported.setdefault(trade["trade_id"], content) == content
                bot.popen.kill()
                bot.popen.wait()
            killed = time.monotonic()
            await eventually(lambda: not open_orders(simulator), within=60, every=0.1)
            assert time.monotonic() - killed < LIFETIME + 10, "the margin is for a loaded machine"
        with running_bot(simulator, tmp_path, "--live", "--tickers", "KXNONE") as bot:
            await eventually(lambda: _is_running(bot), within=120, every=0.2)
            status = await bot.get("/status")
            assert status["halts"] == []
            compare(status, simulator.ledger())


def compare(status: dict[str, Any], ledger: dict[str, Any]) -> None:
    """Compare positions and realized profit with the exchange's fills; settled markets are not part of this run."""
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
