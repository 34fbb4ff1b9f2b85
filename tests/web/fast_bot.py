"""A bot that trades on paper at any pace, in a thread; and a journal filled with a day of its trades."""

import asyncio
import random
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from journal.entries import Draft, Trade
from journal.sqlite import SqliteJournal
from tests.support.fakebot import FakeBot

TICKERS = [f"KXDAY-26NOV22-T{number}" for number in range(40)]


class FastBot(FakeBot):
    """`with FastBot() as bot`: trades at random prices in many markets."""

    def __init__(self) -> None:
        self.random = random.Random(7)
        super().__init__()

    def terms(self, number: int) -> dict[str, Any]:
        """Return any market, any side, any price."""
        price = self.random.randint(10, 90) / 100
        return {
            "ticker": self.random.choice(TICKERS), "side": self.random.choice(["BUY", "SELL"]), "price": price,
            "quantity": 2,
        }  # fmt: skip


def fill(folder: Path, count: int) -> None:
    """Write a day of count paper trades into the journal that a Stage in this folder opens."""
    asyncio.run(_fill(folder, count))


async def _fill(folder: Path, count: int) -> None:
    journal = SqliteJournal(folder / "journal.db")
    await journal.open()
    try:
        drafts = day(count)
        for start in range(0, count, 2000):
            await journal.append(drafts[start : start + 2000])
    finally:
        await journal.close()


def day(count: int) -> list[Draft]:
    """Return trades in the order of time, ending now."""
    chance, end = random.Random(11), time.time()
    return [
        Trade(
            timestamp=Decimal(str(round(end - 86_400 + 86_400 * number / count, 3))),
            ticker=chance.choice(TICKERS),
            side=chance.choice(["BUY", "SELL"]),
            quantity=Decimal(chance.randint(1, 20)),
            price=Decimal(chance.randint(5, 95)) / 100,
            trade_id=f"d-{number}",
            source="bot_live",
            mode="paper",
            fee=Decimal("0.01"),
        )
        for number in range(count)
    ]
