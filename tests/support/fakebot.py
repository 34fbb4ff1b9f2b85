"""A trading bot as the brief describes it, and nothing more: /status, /health and the last 100 trades over HTTP.

It answers from a thread of its own, so that tests with and without an event loop use it alike.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WINDOW = 100


class FakeBot:
    """`with FakeBot() as bot`: trades on request, and answers at `url`."""

    def __init__(self, mode: str = "paper", trades: int = 0) -> None:
        self.trades: list[dict[str, Any]] = []
        self.status = "online"
        self._mode = mode
        self.trade(trades)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeBot:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeBot]:
        """The same among other asynchronous contexts."""
        with self:
            yield self

    @property
    def settings(self) -> dict[str, str]:
        """Return the settings that point a server to this bot."""
        return {"BOT_STATUS_ENDPOINT": f"{self.url}/status", "BOT_TRADES_ENDPOINT": f"{self.url}/trades"}

    def trade(self, count: int = 1) -> list[str]:
        """Make so many trades now; their ids."""
        start = len(self.trades)
        for number in range(start, start + count):
            made = {"timestamp": round(time.time(), 3), "trade_id": f"t-{number:05}"}
            self.trades.append(made | self.terms(number))
        return [trade["trade_id"] for trade in self.trades[start:]]

    def terms(self, number: int) -> dict[str, Any]:
        """Return the content of the trade with this number."""
        return {"ticker": "PRES24-GOP", "side": "BUY", "quantity": 1 + number % 9, "price": 0.65}

    def answer(self, path: str) -> dict[str, Any]:
        """Return its response under a path."""
        if path.startswith("/trades"):
            window = self.trades[-WINDOW:]
            return {"trades": window, "count": len(window)}
        return {"status": self.status, "mode": self._mode, "trades": len(self.trades)}


def _handler(bot: FakeBot) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(bot.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    return Handler
