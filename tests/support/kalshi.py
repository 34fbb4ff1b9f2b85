"""A scripted Kalshi over HTTP: it checks signatures with the public half and sends the answers that a test sets.

    async with FakeKalshi() as kalshi:
        kalshi.answer("GET /portfolio/balance", payloads.BALANCE)            # JSON, 200, from now on
        kalshi.answer("GET /markets", Reply(500), Reply(json={...}))          # one after the other, the last stays
        client = kalshi.client(session)                                       # signed with kalshi.signer
        kalshi.calls                                                          # each Call(method, path, query, body)

An answer may also be a function of the Call, sync or async, giving a Reply or a JSON value. Paths are matched below
/trade-api/v2. A signed path (/portfolio, /account/limits, the socket) without a good signature is answered 401.
The socket: `kalshi.push(frame)` sends a frame to every open one, `kalshi.cut()` drops them all.
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from kalshi.auth import Signer
from kalshi.client import KalshiClient

ROOT = "/trade-api/v2"
SOCKET = "/trade-api/ws/v2"
KEY_ID = "11111111-2222-3333-4444-555555555555"
_SIGNED = ("/portfolio", "/account/limits", "/historical/fills", "/historical/orders")


@dataclass
class Call:
    """One request as it came. path is below /trade-api/v2; headers keep their case-insensitive names."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: Any = field(repr=False)


@dataclass
class Reply:
    """A scripted response: json or raw bytes. wait: seconds before it. cut: close after half of the body."""

    status: int = 200
    json: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    cut: bool = False
    drip: float = 0.0  # seconds between single bytes

    def body(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.json).encode()


Script = Reply | Callable[[Call], Any] | Any


class FakeKalshi:
    """State: the script by "METHOD /path", the calls that came, the open sockets."""

    def __init__(self, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | None = None, check: bool = True) -> None:
        self.key = key or ed25519.Ed25519PrivateKey.generate()
        self.signer = Signer(KEY_ID, self.key)
        self.check = check
        self.calls: list[Call] = []
        self.commands: list[dict[str, Any]] = []  # what sockets sent
        self.sockets: set[web.WebSocketResponse] = set()
        self.handshakes = 0
        self.refuse_sockets = False
        self.silent = False  # sockets answer nothing and send no pings
        self._script: dict[str, list[Script]] = {}

    async def __aenter__(self) -> "FakeKalshi":
        app = web.Application(client_max_size=1 << 24)
        app.router.add_get(SOCKET, self._socket)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port: int = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The REST base."""
        return f"http://127.0.0.1:{self.port}{ROOT}"

    @property
    def ws_url(self) -> str:
        """The socket."""
        return f"ws://127.0.0.1:{self.port}{SOCKET}"

    def client(self, session: aiohttp.ClientSession, subaccount: int = 0) -> KalshiClient:
        """A client that knows the right key."""
        return KalshiClient.over(session, self.url, self.signer, subaccount)

    def answer(self, call: str, *replies: Script) -> None:
        """From now on "METHOD /path" is answered with these, in turn; the last one stays."""
        self._script[call] = list(replies)

    def requested(self, path: str) -> list[Call]:
        """The calls that came for this path."""
        return [call for call in self.calls if call.path == path]

    async def push(self, frame: dict[str, Any] | str) -> None:
        """Send a frame to every open socket."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        for socket in list(self.sockets):
            await socket.send_str(text)

    async def cut(self) -> None:
        """Drop every open socket."""
        for socket in list(self.sockets):
            await socket.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        path = request.rel_url.raw_path.removeprefix(ROOT)
        call = Call(request.method, path, dict(request.query), json.loads(raw) if raw else None, request.headers)
        self.calls.append(call)
        if self.check and (path.startswith(_SIGNED) or request.method != "GET"):
            details = self._verdict(request)
            if details:
                error = {"code": "authentication_error", "message": "authentication_error", "details": details}
                return web.json_response({"error": error}, status=401)
        script = self._script.get(f"{call.method} {path}")
        if script is None:
            return web.json_response({"error": {"code": "not_found", "message": "not found"}}, status=404)
        output = script.pop(0) if len(script) > 1 else script[0]
        if callable(output):
            output = output(call)
            if isinstance(output, Awaitable):
                output = await output
        return await self._send(request, output if isinstance(output, Reply) else Reply(json=output))

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        await asyncio.sleep(reply.wait)
        body = reply.body()
        headers = {"Content-Type": "application/json"} | reply.headers
        if not (reply.cut or reply.drip):
            return web.Response(status=reply.status, body=body, headers=headers)
        response = web.StreamResponse(status=reply.status, headers=headers | {"Content-Length": str(len(body))})
        await response.prepare(request)
        for place in range(len(body) // 2 if reply.cut else len(body)):
            await response.write(body[place : place + 1])
            if reply.drip:
                await asyncio.sleep(reply.drip)
        if reply.cut and request.transport is not None:
            request.transport.abort()
        return response

    def _verdict(self, request: web.Request) -> str:
        """ "" for a good signature, else what Kalshi puts into `details`."""
        headers = request.headers
        stamp = headers.get("KALSHI-ACCESS-TIMESTAMP", "")
        if headers.get("KALSHI-ACCESS-KEY") != KEY_ID:
            return "NOT_FOUND"
        text = f"{stamp}{request.method}{request.rel_url.raw_path}".encode()
        try:
            fresh = abs(int(stamp) / 1000 - time.time()) < 20
            verify(self.key, base64.b64decode(headers.get("KALSHI-ACCESS-SIGNATURE", "")), text)
        except (InvalidSignature, ValueError):
            return "INCORRECT_API_KEY_SIGNATURE"
        return "" if fresh else "INCORRECT_API_KEY_SIGNATURE"

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self.handshakes += 1
        details = self._verdict(request)
        if self.refuse_sockets or details:
            return web.json_response({"error": {"code": "authentication_error", "details": details}}, status=401)
        socket = web.WebSocketResponse(autoping=not self.silent)
        await socket.prepare(request)
        self.sockets.add(socket)
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue  # a pong, which only a socket without autoping sees
                command = json.loads(message.data)
                self.commands.append(command)
                for place, channel in enumerate(command["params"]["channels"], 1):
                    output = {"type": "subscribed", "id": command["id"], "msg": {"channel": channel, "sid": place}}
                    if not self.silent:
                        await socket.send_json(output)
        finally:
            self.sockets.discard(socket)
        return socket


def verify(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, signature: bytes, text: bytes) -> None:
    """Check a signature with the public half, as the exchange does. Raises InvalidSignature."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
        public.verify(signature, text, pss, hashes.SHA256())
    else:
        public.verify(signature, text)
