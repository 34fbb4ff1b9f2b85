"""The REST API and the sockets behind an aiohttp server, and the faults that need a connection."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from simulator.api.rest_api import SOCKET_PATH, RestApi
from simulator.api.routing import ApiRequest, ApiResponse
from simulator.api.websocket_server import WebSocketServer
from simulator.errors import ApiError, nested_error
from simulator.faults import FaultTable

SocketHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read_request(request: web.Request) -> ApiRequest:
    """Return an aiohttp request as an ApiRequest. Raises ApiError 413 for a body that is too large."""
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise nested_error(413, "request_too_large") from None
    return ApiRequest(request.method, request.path, request.query, body)


def to_web_response(response: ApiResponse) -> web.Response:
    """Return an ApiResponse as an aiohttp response."""
    if response.body is None:
        return web.Response(status=response.status)
    return web.Response(text=json.dumps(response.body), status=response.status, content_type="application/json")


class HttpServer:
    """Serve one exchange: REST on every path, the socket on its own."""

    def __init__(self, api: RestApi, sockets: WebSocketServer) -> None:
        self.api = api
        self.sockets = sockets
        self.faults: FaultTable = api.exchange.faults

    def app(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.serve)
        return app

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, with the faults that delay, cut or redirect it."""
        faults, method, path = self.faults, request.method, request.path
        if fault := faults.hit("latency", method, path):
            await asyncio.sleep(fault.seconds)
        drop = faults.hit("drop", method, path)
        if drop and not drop.after:
            return _abort(request)
        if fault := faults.hit("redirect", method, path):
            return web.Response(status=fault.status or 302, headers={"Location": fault.to})
        if path == SOCKET_PATH:
            return await self._serve_socket(request)
        response = to_web_response(await self._respond(request, request.headers))
        if drop:
            return _abort(request)
        return await _send_half(request, response) if faults.hit("half", method, path) else response

    async def _respond(self, request: web.Request, headers: Mapping[str, str]) -> ApiResponse:
        try:
            received = await read_request(request)
        except ApiError as error:
            return ApiResponse(error.body, error.status)
        return self.api.handle(received, headers, request.rel_url.raw_path)

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        try:
            handshake = ApiRequest(request.method, request.path)
            self.api.raise_fault(handshake)
            self.api.authenticate(handshake, request.headers, request.rel_url.raw_path)
        except ApiError as error:
            return to_web_response(ApiResponse(error.body, error.status))
        return await self.sockets.serve(request)


def _abort(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _send_half(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Announce the whole body, send half of it and close the connection."""
    body = (response.text or "").encode()
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half
