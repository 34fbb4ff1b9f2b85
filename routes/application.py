"""The ASGI application: Starlette with the table's routes and our middleware; streams are served before its stack."""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler, Message, Receive, Scope, Send

from routes import login
from routes.access import AccessMiddleware
from routes.context import PREFIX, get_services, path_in_app
from routes.endpoint import Endpoint
from routes.hosts import AllowedHostsMiddleware, cors
from routes.openapi import document
from routes.problems import EXPECTED, SECURITY, from_exception, render
from routes.responses import JsonEndpoint
from routes.table import TABLE
from streams.subscriber import AsgiSend

SLASHES: Final = ("", "/")  # at the end of a URL: both forms are served, and none redirects
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Durations:
    """Counts by bucket, and the sum in seconds, for each (URL pattern, status)."""

    def __init__(self) -> None:
        self.buckets: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self.sums: defaultdict[tuple[str, int], float] = defaultdict(float)

    def add(self, url: str, status: int, seconds: float) -> None:
        """Count one response."""
        self.buckets[url, status][bisect_left(BOUNDS, seconds)] += 1
        self.sums[url, status] += seconds


class ResponseMiddleware:
    """Add the security headers, answer an error as a problem, and record the duration.

    An unexpected error is raised again, for the server's log. Strict-Transport-Security is left to the proxy with TLS.
    """

    def __init__(self, app: ASGIApp, durations: Durations) -> None:
        self.app, self.durations = app, durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status < 400:  # problems have them already
                    message = {**message, "headers": [*message["headers"], *SECURITY]}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if status:  # part of a response has left
                raise
            await render(from_exception(error), scope)(scope, receive, send_with_headers)
            if not isinstance(error, EXPECTED):
                raise
        finally:
            # A path that no URL has is `other`, so that clients cannot add labels.
            url = getattr(scope.get("endpoint"), "label", "other")
            self.durations.add(url, status or 500, time.perf_counter() - started)


class PlainEndpoint:
    """ASGI application of an endpoint without an answer: it serves the stream, or sends the handler's response."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.label, self.stream, self.handler = endpoint.path, endpoint.stream, endpoint.respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.handler is None:
            await get_services(scope).streams[self.stream](scope, receive, cast(AsgiSend, send))
        else:
            response = await self.handler(Request(scope, receive))
            await response(scope, receive, send)


class Application:
    """The whole service as one ASGI application.

    Streams and answers without a parameter in their path are found in a dictionary, behind the same guards as the rest
    but before Starlette's stack: its two wrappers of send() cost 14 % of each delivery, and it takes a fifth of the
    time of an answer.
    """

    def __init__(
        self, durations: Durations, version: str, allowed_hosts: Sequence[str] = (), cors_origins: Sequence[str] = ()
    ) -> None:
        guards = [
            Middleware(AllowedHostsMiddleware, allowed_hosts),
            *([cors(cors_origins)] if cors_origins else []),
            Middleware(AccessMiddleware, lambda scope: get_services(scope).access),
        ]
        answering = [Middleware(ResponseMiddleware, durations), *guards]
        handlers: dict[Any, ExceptionHandler] = dict.fromkeys(EXPECTED, problem_response)
        apps = [(each, JsonEndpoint(each) if each.answer else PlainEndpoint(each)) for each in TABLE]
        routes = [Route(PREFIX + each.path + slash, app, methods=["GET"]) for each, app in apps for slash in SLASHES]
        routes += [Route(f"{PREFIX}/session{slash}", login.SessionEndpoint) for slash in SLASHES]
        self.rest = Starlette(routes=routes, middleware=answering, exception_handlers=handlers)
        if cors_origins:  # the headers of CORS are for problems too
            answering = [*answering, Middleware(ExceptionMiddleware, handlers)]
        self.rest.router.redirect_slashes = False
        self.rest.state.openapi = document(TABLE, version)
        self.direct = {
            f"{PREFIX}{each.path}{slash}": guarded(app, guards if each.stream else answering)
            for each, app in apps
            if each.stream or (each.answer and "{" not in each.path)
            for slash in SLASHES
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.rest.router(scope, receive, send)  # which closes a WebSocket
            return
        direct = self.direct.get(path_in_app(scope)) if scope["method"] in ("GET", "HEAD") else None
        await (direct or self.rest)(scope, receive, send)


def guarded(app: ASGIApp, guards: Sequence[Middleware]) -> ASGIApp:
    """Return the application behind the middleware, the first one outermost."""
    for middleware in reversed(guards):
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)
    return app


async def problem_response(request: Request, error: Exception) -> Response:
    """Return an expected error as a problem."""
    return render(from_exception(error), request.scope)
