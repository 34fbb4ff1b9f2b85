"""A small scripted bot over HTTP: it sends the answers that the test sets, however wrong."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from cache.decimal_json import dumps, loads

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def trade(number: int, **changes: Any) -> dict[str, Any]:
    """One record with the six fields, distinguished by number."""
    record = {
        "timestamp": 1_700_000_000 + number, "ticker": f"KXBOT-{number % 7}", "side": "BUY" if number % 2 else "SELL",
        "quantity": 1 + number % 50, "price": 0.65, "trade_id": f"t{number}",
    }  # fmt: skip
    return record | changes


def wire(value: Any) -> Any:
    """The value as it comes out of our reader at the other end."""
    return loads(dumps(value))


class ScriptedBot:
    """Its trades, its status and its manners are plain attributes. numbered: it gives boot_id and seq like ours."""

    def __init__(self, numbered: bool = False, window: int = 100) -> None:
        self.trades: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {"status": "ok", "mode": "live"}
        self.window = window
        self.numbered = numbered
        self.boot_id = "boot1"
        self.asked: list[str] = []  # path and query of each request
        self.answers: dict[str, Answer] = {}  # by path: what replaces the honest answer
        self.url = ""
        self._made = asyncio.Event()

    def make(self, *records: dict[str, Any]) -> None:
        """Execute trades."""
        for record in records:
            if self.numbered:
                record = {"boot_id": self.boot_id, "seq": len(self.trades) + 1} | record
            self.trades.append(record)
        self._made.set()
        self._made = asyncio.Event()

    def restart(self, boot_id: str = "boot2") -> None:
        """Drop all state, as a new process does."""
        self.trades, self.boot_id = [], boot_id

    async def _status(self, request: web.Request) -> web.StreamResponse:
        known = {"boot_id": self.boot_id, "seq": len(self.trades)} if self.numbered else {}
        return web.json_response(self.status | known)

    async def _trades(self, request: web.Request) -> web.StreamResponse:
        if not self.numbered or "after" not in request.query:
            return web.json_response({"trades": self.trades[-self.window :]})
        after, made = int(request.query["after"]), self._made
        if len(self.trades) <= after and (wait := float(request.query.get("wait", 0))):
            try:
                async with asyncio.timeout(wait):
                    await made.wait()
            except TimeoutError:
                pass
        return web.json_response({"trades": self.trades[after : after + int(request.query.get("limit", 100))]})

    async def _any(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if request.path in self.answers:
            return await self.answers[request.path](request)
        if request.path == "/status":
            return await self._status(request)
        if request.path == "/trades":
            return await self._trades(request)
        raise web.HTTPNotFound


@asynccontextmanager
async def serving(bot: ScriptedBot, port: int = 0) -> AsyncIterator[ScriptedBot]:
    """Serve it on a port of this machine; its url is known inside."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", bot._any)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    bot.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bot
    finally:
        await runner.cleanup()


def text_answer(body: str | bytes, **changes: Any) -> Answer:
    """Return an answer with exactly this body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        raw = body.encode() if isinstance(body, str) else body
        return web.Response(body=raw, **({"content_type": "application/json"} | changes))

    return answer


def json_answer(value: Any) -> Answer:
    """Return an answer with this value as JSON; NaN and Infinity as Python writes them."""
    return text_answer(json.dumps(value))


async def drip(request: web.Request) -> web.StreamResponse:
    """One byte now and then, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        await response.write(b" ")
        await asyncio.sleep(0.05)
    return response


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Close the socket without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
