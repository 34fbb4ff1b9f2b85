"""The ASGI application: Starlette with the table's routes and our middleware; streams are served before its stack."""

from collections.abc import Sequence
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from routes import login
from routes.access import AccessMiddleware
from routes.endpoint import Endpoint
from routes.hosts import AllowedHostsMiddleware, cors
from routes.openapi import document
from routes.prefix import PREFIX, get_services, path_in_app
from routes.problems import EXPECTED, from_exception, render
from routes.response_headers import Durations, ResponseMiddleware
from routes.responses import JsonEndpoint
from routes.table import TABLE
from streams.subscriber import AsgiSend

SLASHES: Final = ("", "/")  # at the end of a URL: both forms are served, and none redirects


class ResponseEndpoint:
    """ASGI application that sends the response of a handler."""

    def __init__(self, endpoint: Endpoint) -> None:
        assert endpoint.respond is not None
        self.label, self.handler = endpoint.path, endpoint.respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.handler(Request(scope, receive))
        await response(scope, receive, send)


class StreamEndpoint:
    """ASGI application that serves one kind of stream, as the lifespan made it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.label, self.name = endpoint.path, endpoint.stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await get_services(scope).streams[self.name](scope, receive, cast(AsgiSend, send))


class Application:
    """The whole service as one ASGI application.

    Streams and answers without a parameter in their path are found in a dictionary, behind the same guards as the rest
    but before Starlette's stack: its two wrappers of send() cost 14 % of each delivery, and it takes a fifth of the
    time of an answer.
    """

    def __init__(
        self,
        durations: Durations,
        version: str,
        allowed_hosts: Sequence[str] = (),
        cors_origins: Sequence[str] = (),
    ) -> None:
        guards = [
            Middleware(AllowedHostsMiddleware, allowed_hosts),
            *([cors(cors_origins)] if cors_origins else []),
            Middleware(AccessMiddleware, lambda scope: get_services(scope).access),
        ]
        answering = [Middleware(ResponseMiddleware, durations), *guards]
        handlers: dict[Any, ExceptionHandler] = dict.fromkeys(EXPECTED, problem_response)
        self.rest = Starlette(routes=routes(), middleware=answering, exception_handlers=handlers)
        if cors_origins:  # the headers of CORS are for problems too
            answering = [*answering, Middleware(ExceptionMiddleware, handlers)]
        self.rest.router.redirect_slashes = False
        self.rest.state.openapi = document(TABLE, version)
        self.direct = {
            f"{PREFIX}{endpoint.path}{slash}": guarded(served(endpoint), guards if endpoint.stream else answering)
            for endpoint in TABLE
            if endpoint.stream or (endpoint.answer and "{" not in endpoint.path)
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


def routes() -> list[Route]:
    """Return a route for each form of each endpoint."""
    apps = [(endpoint.path, served(endpoint)) for endpoint in TABLE]
    found = [Route(PREFIX + path + slash, app, methods=["GET"]) for path, app in apps for slash in SLASHES]
    return [*found, *(Route(f"{PREFIX}/session{slash}", login.SessionEndpoint) for slash in SLASHES)]


def served(endpoint: Endpoint) -> ASGIApp:
    """Return the ASGI application that answers an endpoint."""
    if endpoint.stream:
        return StreamEndpoint(endpoint)
    return JsonEndpoint(endpoint) if endpoint.answer else ResponseEndpoint(endpoint)


async def problem_response(request: Request, error: Exception) -> Response:
    """Return an expected error as a problem."""
    return render(from_exception(error), request.scope)
