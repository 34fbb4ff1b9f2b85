"""A real HTTP server before a simulated exchange in this process, which can answer as broken servers and proxies do."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import abc, web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.transport import RetryingClient, Transport
from simulator.in_process import InProcessExchange

ORDERS = "/portfolio/events/orders"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultyFront:
    """Passes requests to the exchange, except those that `answer` is set for: all, or creates alone."""

    def __init__(self, exchange: InProcessExchange) -> None:
        self.exchange = exchange
        self.answer: Answer | None = None
        self.creates_only = False
        self.host = ""  # "host:port" once it listens

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        create = (request.method, request.path) == ("POST", ORDERS)
        if self.answer is not None and (create or not self.creates_only):
            return await self.answer(request)
        body = await request.json() if request.can_read_body else None
        response = self.exchange.request(request.method, request.path, request.query, body)
        return web.json_response(response.body, status=response.status)


class NoResolver(abc.AbstractResolver):
    """A name service that knows no name."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[abc.ResolveResult]:
        raise OSError(-2, "Name or service not known")

    async def close(self) -> None:
        return


@asynccontextmanager
async def listening(exchange: InProcessExchange) -> AsyncIterator[FaultyFront]:
    """A front on a free port."""
    front = FaultyFront(exchange)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", front.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        front.host = f"{host}:{port}"
        yield front
    finally:
        await runner.cleanup()


@asynccontextmanager
async def front_client(front: FaultyFront, attempt: float) -> AsyncIterator[tuple[KalshiClient, Transport]]:
    """The bot's own client of the front, with a key of its own; names other than numbers do not resolve."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=NoResolver())) as session:
        transport = Transport(session, f"http://{front.host}")
        signer = Signer.from_pem("key", pem)
        yield KalshiClient(RetryingClient(transport, signer, attempt=attempt, total=attempt)), transport


def text(status: int, body: str, **headers: str) -> Answer:
    """Answer with a text, of a type that fits its first character."""

    async def answer(request: web.Request) -> web.StreamResponse:
        kind = "application/json" if body[:1] == "{" else "text/html"
        return web.Response(status=status, text=body, content_type=kind, headers=headers)

    return answer


def coded(status: int, code: str, details: str = "") -> Answer:
    """Answer with an error of the exchange."""
    return text(status, json.dumps({"error": {"code": code, "message": code.replace("_", " "), "details": details}}))


async def reset(request: web.Request) -> web.StreamResponse:
    """Cut the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def silent(request: web.Request) -> web.StreamResponse:
    """Answer nothing for longer than any test waits."""
    await asyncio.sleep(60)
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    """Answer a byte at a time, more slowly than a client may wait."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


async def cut_short(request: web.Request) -> web.StreamResponse:
    """Answer half of what the headers promise."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"markets":[')
    return await reset(request)
