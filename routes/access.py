"""Who may come in: everybody, holders of the token or its ticket, or whoever is logged in at Spring."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from routes import tickets
from routes.prefix import PREFIX, PROBES, STREAM_PATHS, mount_path, path_in_app
from routes.problems import RETRY_AFTER, Problem, render
from routes.rate_limit import TOO_MANY, ClientRateLimit
from routes.tickets import Tickets
from streams.event import bye, comment
from streams.sse import HEADERS
from streams.stats import network

CHALLENGE: Final = 'Bearer realm="prediction-investor"'
LOGIN: Final = f"{PREFIX}/session"
OPEN: Final = (*PROBES, LOGIN)
COOKIE: Final = "SESSION"  # of Spring
PASSING: Final = {429: "busy", 503: "away"}  # statuses that pass, and the reason in a bye
RETRY: Final = 1.0  # seconds before the browser comes back, and is turned away
PAGES: Final = (f"{PREFIX}/dashboard", f"{PREFIX}/docs", PREFIX)


class SessionsAway(Exception):
    """The store of sessions does not answer."""


class Sessions(Protocol):
    """Login sessions of another service."""

    async def is_live(self, cookie: str) -> bool:
        """Return True if the cookie names a session that exists and is logged in. Raises SessionsAway."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """What is asked of a visitor. Nothing set: the service is public, as the brief has it."""

    tickets: Tickets | None = None
    sessions: Sessions | None = None
    rates: ClientRateLimit | None = None

    @property
    def is_public(self) -> bool:
        """Whether anybody who reaches the port may read everything."""
        return self.tickets is None and self.sessions is None

    @property
    def is_open(self) -> bool:
        """Whether no request is ever refused."""
        return self.rates is None and self.is_public

    async def refusal(self, scope: Scope) -> Problem | None:
        """Why this request is turned away; None when it may pass."""
        client = scope.get("client") or ("",)
        if self.rates is not None and (wait := self.rates.spend(network(client[0]))):
            return Problem(429, TOO_MANY, {"Retry-After": str(wait)})
        if self.is_public or path_in_app(scope).rstrip("/") in OPEN or scope["method"] == "OPTIONS":
            return None
        return await self.stranger(scope)

    async def stranger(self, scope: Scope) -> Problem | None:
        """Why this visitor is not known, or not any more; None when it is."""
        connection = HTTPConnection(scope)
        if self.tickets is not None and self._holds_ticket(self.tickets, connection):
            return None
        if self.sessions is not None:
            try:
                if await self.sessions.is_live(_cookie(connection, COOKIE)):
                    return None
            except SessionsAway as away:
                return Problem(503, f"who you are cannot be checked now: {away}")
        return Problem(401, "this needs a login or the API token", {"WWW-Authenticate": CHALLENGE})

    def _holds_ticket(self, known: Tickets, connection: HTTPConnection) -> bool:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return known.is_token(token.strip())
        return known.expires(_cookie(connection, tickets.COOKIE)) is not None


def _cookie(connection: HTTPConnection, name: str) -> str:
    return connection.cookies.get(name, "")


def _is_person(scope: Scope, problem: Problem) -> bool:
    """Whether a browser asks for a page that a login would show."""
    pages = path_in_app(scope).rstrip("/") in PAGES
    return problem.status == 401 and pages and "text/html" in HTTPConnection(scope).headers.get("accept", "")


async def _turn_away(access: Access, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    if problem.status in PASSING and path_in_app(scope).startswith(STREAM_PATHS) and scope["method"] == "GET":
        # A browser's EventSource gives up for good on any other status, and this will pass.
        wait = 1.5 * float(problem.headers.get("Retry-After", RETRY_AFTER[problem.status]))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        body = comment(problem.detail) + bye(PASSING[problem.status], wait)
        await send({"type": "http.response.body", "body": body})
        return
    # Only a token can be traded on our page; whoever needs Spring's session logs in at Spring.
    shown = access.tickets is not None and _is_person(scope, problem)
    answer = RedirectResponse(mount_path(scope) + LOGIN, 303) if shown else render(problem, scope)
    await answer(scope, receive, send)


class AccessMiddleware:
    """Turns visitors away before anything of theirs is read, and ends a stream whose visitor is known no more.

    The access rules come with the lifespan. recheck: seconds between two looks at the visitor of an open stream.
    """

    def __init__(self, app: ASGIApp, access: Callable[[Scope], Access], recheck: float = 15.0) -> None:
        self.app = app
        self.access = access
        self.recheck = recheck

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        access = self.access(scope)
        if access.is_open:
            await self.app(scope, receive, send)
        elif problem := await access.refusal(scope):
            await _turn_away(access, problem, scope, receive, send)
        elif access.is_public or not path_in_app(scope).startswith(STREAM_PATHS):
            await self.app(scope, receive, send)
        else:
            await self._watched(access, scope, receive, send)

    async def _watched(self, access: Access, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a stream in a task of its own, which ends when its visitor's login does."""
        stream = asyncio.ensure_future(self.app(scope, receive, send))
        try:
            while not (await asyncio.wait([stream], timeout=self.recheck))[0]:
                if await access.stranger(scope):
                    stream.cancel()
                    await asyncio.wait([stream])
                    await send({"type": "http.response.body", "body": bye("age", RETRY), "more_body": False})
                    return
            await stream
        finally:
            stream.cancel()
