"""Access control: public, or holders of the API token or its ticket, or users of Spring."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from routes.client_limits import ClientRateLimit, LoginGuard
from routes.context import PREFIX, PROBES, STREAM_PATHS, mount_path, path_in_app
from routes.login import COOKIE, RevokedTickets, Ticket, Tickets, bearer, cookie_values
from routes.problems import RETRY_AFTER, SECURITY, Problem, render
from streams.event import bye, comment
from streams.sse import HEADERS
from streams.stats import client_network

if TYPE_CHECKING:
    from routes.spring import SpringSessions

CHALLENGE: Final = 'Bearer realm="prediction-investor"'
LOGIN: Final = f"{PREFIX}/session"
OPEN: Final = (*PROBES, LOGIN)
SPRING_COOKIE: Final = "SESSION"
TEMPORARY: Final = {429: "busy", 503: "away"}  # statuses that pass, and the reason in a bye
RETRY: Final = 1.0  # seconds before a browser whose login ended connects again, and is refused
PAGES: Final = (f"{PREFIX}/dashboard", f"{PREFIX}/docs", PREFIX)
TOO_MANY: Final = "too many requests from your network"


class SessionsAway(Exception):
    """The store of sessions does not answer."""


@dataclass(frozen=True, slots=True)
class Access:
    """Requirements for a client. Without any the service is public."""

    tickets: Tickets | None = None
    sessions: "SpringSessions | None" = None
    rates: ClientRateLimit | None = None
    revoked: RevokedTickets | None = None
    guard: LoginGuard = field(default_factory=LoginGuard)

    @property
    def kind(self) -> str:
        """Return public, token, or spring-session."""
        if self.sessions is not None:
            return "spring-session"
        return "public" if self.tickets is None else "token"

    @property
    def is_public(self) -> bool:
        """Return True if every client that reaches the port may read everything."""
        return self.tickets is None and self.sessions is None

    @property
    def is_open(self) -> bool:
        """Return True if no request is ever refused."""
        return self.rates is None and self.is_public

    async def refusal(self, scope: Scope) -> Problem | None:
        """Return the reason to refuse this request; None if it may pass."""
        if self.rates is not None and (wait := self.rates.spend(client_network(scope))):
            return Problem(429, TOO_MANY, {"Retry-After": str(wait)})
        if self.is_public or path_in_app(scope).rstrip("/") in OPEN or scope["method"] == "OPTIONS":
            return None
        return await self.identify(scope)

    async def identify(self, scope: Scope) -> Problem | None:
        """Return None for a client that is known; else the problem: 401, 429 or 503."""
        connection = HTTPConnection(scope)
        if self.tickets is not None:
            if (token := bearer(connection)) is not None:
                return await self.check_token(token, scope)
            if await self.ticket(connection) is not None:
                return None
        if self.sessions is not None:
            try:
                for cookie in cookie_values(connection, SPRING_COOKIE) or [""]:
                    if await self.sessions.is_live(cookie):
                        return None
            except SessionsAway as away:
                return Problem(503, f"your login cannot be checked now: {away}")
        return Problem(401, "a login or the API token is required", {"WWW-Authenticate": CHALLENGE})

    async def check_token(self, token: str, scope: Scope) -> Problem | None:
        """Return None for the API token; 401 for another one, after a delay; 429 for too many at once."""
        if self.tickets is not None and self.tickets.is_token(token):
            return None
        if not await self.guard.record_failure(client_network(scope)):
            return Problem(429, "too many wrong tokens from your network")
        return Problem(401, "this is not the API token", {"WWW-Authenticate": CHALLENGE})

    async def ticket(self, connection: HTTPConnection) -> Ticket | None:
        """Return the first valid ticket in the cookies of a request; None without one."""
        for text in cookie_values(connection, COOKIE):
            found = None if self.tickets is None else self.tickets.read(text)
            if found is not None and not (self.revoked is not None and await self.revoked.contains(found)):
                return found
        return None


async def _refuse(access: Access, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    if problem.status in TEMPORARY and path_in_app(scope).startswith(STREAM_PATHS) and scope["method"] == "GET":
        # A browser's EventSource never reconnects after another status than 200.
        wait = 1.5 * float(problem.headers.get("Retry-After", RETRY_AFTER[problem.status]))
        body = comment(problem.detail) + bye(TEMPORARY[problem.status], wait)
        await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *SECURITY]})
        await send({"type": "http.response.body", "body": body})
        return
    on_page = path_in_app(scope).rstrip("/") in PAGES and "text/html" in HTTPConnection(scope).headers.get("accept", "")
    # Our login page takes the API token alone; users of Spring log in at Spring.
    to_login = access.tickets is not None and problem.status == 401 and on_page
    response = RedirectResponse(mount_path(scope) + LOGIN, 303) if to_login else render(problem, scope)
    await response(scope, receive, send)


class AccessMiddleware:
    """Refuse requests of unknown clients before anything of theirs is read, and end a stream whose login has ended.

    access: the rules, which come with the lifespan. recheck: seconds between two checks of an open stream's client.
    """

    def __init__(self, app: ASGIApp, access: Callable[[Scope], Access], recheck: float = 15.0) -> None:
        self.app, self.access, self.recheck = app, access, recheck

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        access = self.access(scope)
        if access.is_open:
            await self.app(scope, receive, send)
        elif problem := await access.refusal(scope):
            await _refuse(access, problem, scope, receive, send)
        elif access.is_public or not path_in_app(scope).startswith(STREAM_PATHS):
            await self.app(scope, receive, send)
        else:
            await self._serve_while_known(access, scope, receive, send)

    async def _serve_while_known(self, access: Access, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a stream in a task of its own, which ends with its client's login."""
        stream = asyncio.ensure_future(self.app(scope, receive, send))
        try:
            while not (await asyncio.wait([stream], timeout=self.recheck))[0]:
                if await access.identify(scope):
                    stream.cancel()
                    await asyncio.wait([stream])
                    await send({"type": "http.response.body", "body": bye("age", RETRY), "more_body": False})
                    return
            await stream
        finally:
            stream.cancel()
