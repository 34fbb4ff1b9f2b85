"""Redirects: no signed request follows one, over REST and over the WebSocket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kalshi.auth import Signer
from kalshi.errors import BadAnswer, ExchangeFault
from kalshi.fill_socket import Disconnected, FillSocket
from kalshi.transport import Transport


@contextlib.asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """Run a server for every path; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_signature_follows_no_redirect(status: int, scheme: str) -> None:
    """Neither a REST request nor the handshake of the fill socket reaches the place it is redirected to."""
    visits: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        visits.append(request.path)
        return web.Response()

    async with serving(thief) as elsewhere:

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"http://{elsewhere}/stolen"})

        async with serving(redirect) as address, aiohttp.ClientSession() as session:
            signer = Signer("id", Ed25519PrivateKey.generate())
            if scheme == "http":
                with pytest.raises(BadAnswer, match="redirect"):
                    await Transport(session, f"http://{address}").send("GET", "/x", None, None, signer, 5.0)
            else:
                socket = FillSocket(session, f"ws://{address}/ws", signer)
                async with asyncio.timeout(5), aclosing(socket.events()) as events:
                    event = await anext(events)
                assert isinstance(event, Disconnected)
                assert f"redirected with HTTP {status}" in event.reason
    assert visits == []


async def test_text_of_the_exchange_is_printable() -> None:
    """Escape codes, bells and line breaks in an error of the exchange reach neither terminal nor log."""

    async def fault(request: web.Request) -> web.Response:
        return web.json_response(
            {"error": {"code": "a\x1b[31m", "message": "b\x07\r\nERROR forged: line", "details": "\u202ec\u2028d"}},
            status=500,
        )

    async with serving(fault) as address, aiohttp.ClientSession() as session:
        with pytest.raises(ExchangeFault) as caught:
            await Transport(session, f"http://{address}").send("GET", "/x", None, None, None, 5.0)
    assert str(caught.value).isprintable()
    assert caught.value.code.isprintable()
    assert caught.value.details.isprintable()
    assert "forged" in str(caught.value)
