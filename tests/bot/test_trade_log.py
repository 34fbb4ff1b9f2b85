"""Tests of the trade log: it numbers trades without gaps, stores the newest, and wakes waiting readers."""

import asyncio
import time

from bot.trade_log import TradeLog
from tests.support.trading import execution


def trade_log(count: int, capacity: int = 10) -> TradeLog:
    """A log with so many trades."""
    filled = TradeLog("boot", capacity)
    for number in range(count):
        filled.add(execution("BUY", "1", "0.5", name=f"f{number}"), exchange=True)
    return filled


async def test_a_trade_has_the_six_required_fields_and_its_identity() -> None:
    """The brief's six, then identity and money; the fill id only where the exchange gave it."""
    trade = trade_log(1).last(1).trades[0]
    assert {"timestamp", "ticker", "side", "quantity", "price", "trade_id"} <= trade.keys()
    assert (trade["boot_id"], trade["seq"], trade["outcome"], trade["fill_id"]) == ("boot", 1, "yes", "f0")
    paper = TradeLog("boot")
    paper.add(execution("BUY", "1", "0.5"), exchange=False)
    assert paper.last(1).trades[0]["fill_id"] is None


async def test_pages_hold_the_newest_or_those_after_a_seq() -> None:
    """The newest, those after a seq, and the true oldest when some were dropped."""
    kept = trade_log(25)
    assert [trade["seq"] for trade in kept.last(3).trades] == [23, 24, 25]
    assert [trade["seq"] for trade in kept.after(20, 3).trades] == [21, 22, 23]
    gone = kept.after(2, 100)
    assert (gone.trades[0]["seq"], gone.oldest, gone.seq, gone.count) == (16, 16, 25, 10)
    assert kept.after(99, 10).trades == []
    assert trade_log(0).last(5).oldest == 0


async def test_a_waiting_reader_is_woken_by_the_next_trade() -> None:
    """A reader is woken by the next trade; one that is behind does not wait."""
    waited = trade_log(3)
    started = time.monotonic()
    await waited.wait(2, 5)
    task = asyncio.create_task(waited.wait(3, 5))
    await asyncio.sleep(0)
    waited.add(execution("BUY", "1", "0.5"), exchange=True)
    await task
    assert time.monotonic() - started < 1


async def test_a_wait_ends_with_its_time_or_the_log() -> None:
    """A wait ends at its limit, and at once when the log is closed."""
    waited = trade_log(1)
    await waited.wait(1, 0.01)
    task = asyncio.create_task(waited.wait(1, 60))
    await asyncio.sleep(0)
    waited.close()
    await asyncio.wait_for(task, 1)
    await asyncio.wait_for(waited.wait(1, 60), 1)
