"""What every request passes: faults, signature, token bucket, refusals turned into answers."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from simulator.auth import Doorman
from simulator.desk import Desk
from simulator.faults import edit
from simulator.refusal import Refusal, not_found, refuse

log = logging.getLogger(__name__)
PREFIX: Final = "/trade-api/v2"
PUBLIC: Final = (
    "/exchange/",
    "/markets",
    "/events",
    "/series",
    "/historical/cutoff",
    "/historical/markets",
    "/historical/trades",
    "/account/endpoint_costs",
)
"""Path starts that need no signature (SDK 3.34; recorded demo server)."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")


class Gate:
    """A middleware over the whole of the exchange's port."""

    def __init__(self, desk: Desk, doorman: Doorman) -> None:
        self.desk = desk
        self.doorman = doorman

    def middleware(self) -> Any:
        """For web.Application."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        return gate

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        faults, method, path = self.desk.faults, request.method, request.path
        if fault := faults.hit("latency", method, path):
            await asyncio.sleep(fault.seconds)
        drop = faults.hit("drop", method, path)
        if drop and not drop.after:
            return _hang_up(request)
        response = await self._answer(request, handler)
        if drop:
            return _hang_up(request)
        if not isinstance(response, web.Response) or response.text is None or not response.text:
            return response
        for fault in faults.hits("field", method, path):
            response.text = edit(response.text, fault)
        return await _half(request, response) if faults.hit("half", method, path) else response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._troubles(request)
            self._admit(request)
            return await handler(request)
        except Refusal as refused:
            refusal = refused
        except web.HTTPNotFound:
            refusal = not_found("page not found")
        except web.HTTPMethodNotAllowed:
            refusal = refuse(405, "method_not_allowed")
        except web.HTTPRequestEntityTooLarge:
            refusal = refuse(413, "request_too_large")
        except Exception:  # a mistake of ours must look like one of the exchange's, and be seen here
            log.exception("%s %s", request.method, request.path)
            refusal = refuse(500, "internal_server_error")
        return answer(refusal.body, refusal.status)

    def _troubles(self, request: web.Request) -> None:
        faults, method, path = self.desk.faults, request.method, request.path
        if faults.on("maintenance") and not path.endswith("/exchange/status"):
            raise refuse(503, "service_unavailable")
        if fault := faults.hit("error", method, path):
            raise refuse(fault.status, "internal_server_error" if fault.status == 500 else "service_unavailable")
        if faults.hit("rate_limit", method, path):
            raise Refusal(429, {"error": "too many requests"})

    def _admit(self, request: web.Request) -> None:
        path = request.path.removeprefix(PREFIX)
        signed = "KALSHI-ACCESS-KEY" in request.headers
        if signed or not path.startswith(PUBLIC):
            # whether an encoded path is verified as sent or decoded is not known: both count
            self.doorman.check(request.headers, request.method, request.path, request.rel_url.raw_path)
            resource = request.match_info.route.resource
            route = (resource.canonical if resource else path).removeprefix(PREFIX)
            if not route.endswith(("/batched", "/ws/v2")):  # a batch is billed by its handler, per item
                self.desk.buckets.spend(request.method, route)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _half(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Promise the whole body, send half of it, close."""
    body = (response.text or "").encode()
    part = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    part.content_length = len(body)
    await part.prepare(request)
    await part.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return part
