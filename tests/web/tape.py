"""A bot that trades on paper as fast as it is told, in a thread; and a journal filled with a day of its trades."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from journal.entry import Draft, Trade
from journal.sqlite import SqliteJournal

TICKERS = [f"KXDAY-26NOV22-T{number}" for number in range(40)]


class Tape:
    """`with Tape() as tape`: answers /status and /trades at `url`; trade() makes trades."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []
        self.random = random.Random(7)
        tape = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                window = tape.made[-100:]
                status = {"status": "online", "mode": "paper", "trades": len(tape.made)}
                body = {"trades": window, "count": len(window)} if self.path.startswith("/trades") else status
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing: a test's output is its own."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Tape:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def trade(self, count: int = 1) -> None:
        """Make so many trades now."""
        for _ in range(count):
            number, price = len(self.made), self.random.randint(10, 90) / 100
            what = {"ticker": self.random.choice(TICKERS), "side": self.random.choice(["BUY", "SELL"]), "price": price}
            self.made.append({"timestamp": round(time.time(), 3), "trade_id": f"p-{number}", "quantity": 2, **what})

    def settings(self) -> dict[str, str]:
        """What the server needs to listen to it."""
        return {"BOT_STATUS_ENDPOINT": f"{self.url}/status", "BOT_TRADES_ENDPOINT": f"{self.url}/trades"}


def fill(folder: Path, count: int) -> None:
    """Write a day of so many paper trades into the journal that a Stage in this folder opens."""
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
    """So many trades in order of time, ending now."""
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
