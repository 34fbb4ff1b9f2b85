"""A trading bot as the brief describes it, and nothing more: /status, /health and the last 100 trades over HTTP."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web


class FakeBot:
    """Trades when told to; `url` answers while `serving()` is open."""

    def __init__(self) -> None:
        self.trades: list[dict[str, Any]] = []
        self.url = ""
        self.status = "online"

    def trade(self, count: int = 1) -> list[str]:
        """Make so many trades; their ids."""
        start = len(self.trades)
        for number in range(start, start + count):
            what = {"ticker": "PRES24-GOP", "side": "BUY", "quantity": 1 + number % 9, "price": 0.65}
            self.trades.append({"timestamp": round(time.time(), 3), "trade_id": f"t-{number:05}"} | what)
        return [trade["trade_id"] for trade in self.trades[start:]]

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[FakeBot]:
        """Answer on a free port until left."""
        app = web.Application()
        app.router.add_get("/status", self._status)
        app.router.add_get("/health", self._status)
        app.router.add_get("/trades", self._trades)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://127.0.0.1:{1}".format(*runner.addresses[0])
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"status": self.status, "mode": "paper", "trades": len(self.trades)})

    async def _trades(self, _: web.Request) -> web.Response:
        return web.json_response({"trades": self.trades[-100:], "count": len(self.trades[-100:])})
