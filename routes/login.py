"""Login of browsers: the API token is exchanged for a cookie, which EventSource sends too, with a signed ticket."""

import base64
import contextlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs

from starlette.endpoints import HTTPEndpoint
from starlette.requests import HTTPConnection, Request, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cache.decimal_json import dumps, loads
from journal.base import Journal
from journal.errors import JournalDamaged, JournalError
from routes.context import PREFIX, get_services, mount_path
from routes.problems import Problem

COOKIE: Final = "pi_session"
LIFETIME: Final = 12 * 3600  # seconds
MARK: Final = "revoked_tickets"  # the journal's bookmark that holds them, so that all workers know, after a restart too
REFRESH: Final = 5.0  # seconds between two reads of it
MOST: Final = 500  # revoked tickets that are stored; each is dropped after its expiry
MOST_COOKIES: Final = 4  # of one name that are read
BODY_LIMIT: Final = 4096  # bytes
PAGE: Final = files("web").joinpath("login.html").read_text("utf-8").rstrip()
STYLE: Final = PAGE.partition("<style>")[2].partition("</style>")[0]
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A genuine ticket: its id, and the Unix seconds of its end."""

    id: str
    end: int


class Tickets:
    """Issue and check tickets. A new API token makes every old ticket invalid; all workers accept each other's."""

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"prediction-investor ticket", "sha256")
        self._clock = clock

    def is_token(self, given: str) -> bool:
        """Return True for the API token; takes the same time for every other text."""
        digest = sha256(given.encode("utf-8", "surrogatepass")).digest()
        return hmac.compare_digest(digest, sha256(self._token).digest())

    def issue(self) -> str:
        """Return a ticket for LIFETIME seconds."""
        text = f"{int(self._clock()) + LIFETIME}.{secrets.token_hex(8)}"
        return f"{text}.{self._sign(text)}"

    def read(self, text: str) -> Ticket | None:
        """Return the ticket in a cookie; None for a forged, cut or expired one."""
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(signed).encode()):
            return None
        end, _, name = signed.partition(".")  # genuine, so it is what issue() wrote
        return Ticket(name, int(end)) if int(end) > self._clock() else None

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), sha256).hexdigest()


class RevokedTickets:
    """Tickets that a logout ended before their time, stored in the journal."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._journal, self._clock = journal, clock
        self._ends: dict[str, int] = {}  # by id
        self._read_at = 0.0  # Unix seconds

    async def contains(self, ticket: Ticket) -> bool:
        """Return True if the ticket was revoked, by any worker, at most REFRESH seconds ago or earlier."""
        if not 0 <= self._clock() - self._read_at < REFRESH:
            self._read_at = self._clock()
            with contextlib.suppress(JournalError):  # what was known stays known; /health shows the failure
                await self._refresh()
        return ticket.id in self._ends

    async def add(self, ticket: Ticket) -> None:
        """Revoke a ticket. Raises JournalError if that cannot be stored; this worker refuses it all the same."""
        self._ends[ticket.id] = ticket.end
        await self._refresh()
        newest = sorted(self._ends.items(), key=lambda item: item[1])[-MOST:]
        await self._journal.append([], marks={MARK: dumps(dict(newest))})

    async def _refresh(self) -> None:
        text, now = (await self._journal.marks()).get(MARK, "{}"), self._clock()
        try:
            self._ends = {name: end for name, end in {**loads(text), **self._ends}.items() if end > now}
        except (ValueError, TypeError, RecursionError):
            raise JournalDamaged(f"the bookmark {MARK} cannot be read: delete its row of the table marks") from None


class SessionEndpoint(HTTPEndpoint):
    """GET the login page, POST the token for a cookie, DELETE the cookie."""

    async def get(self, request: Request) -> Response:
        """Return the login page."""
        _tickets(request)
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def post(self, request: Request) -> Response:
        """Exchange the token (Bearer, JSON {"token": …} or the page's form) for a cookie. 401 for a wrong one."""
        tickets, access = _tickets(request), get_services(request.scope).access
        form = request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded")
        if problem := await access.check_token(await _token(request, form), request.scope):
            raise problem
        base = mount_path(request.scope) + PREFIX
        response = RedirectResponse(f"{base}/dashboard", 303) if form else Response(status_code=204)
        response.set_cookie(
            COOKIE, tickets.issue(), LIFETIME, path=base, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        response.headers["Cache-Control"] = "no-store"
        return response

    async def delete(self, request: Request) -> Response:
        """Revoke the ticket in the cookie, and delete the cookie. Streams opened with it end within a recheck."""
        access = get_services(request.scope).access
        ticket = await access.ticket(request)
        if ticket is not None and access.revoked is not None:
            await access.revoked.add(ticket)
        response = Response(status_code=204, headers={"Cache-Control": "no-store"})
        response.delete_cookie(COOKIE, path=mount_path(request.scope) + PREFIX, httponly=True, samesite="strict")
        return response


def _tickets(request: Request) -> Tickets:
    found = get_services(request.scope).access.tickets
    if found is None:
        raise Problem(404, "no API token is set; API_TOKEN sets the one to log in with")
    return found


def cookie_values(connection: HTTPConnection, name: str) -> list[str]:
    """Return at most MOST_COOKIES values of a cookie: a browser sends one for each path and domain that fits."""
    pairs = ";".join(connection.headers.getlist("cookie")).split(";")
    return [found[name] for found in map(cookie_parser, pairs) if name in found][:MOST_COOKIES]


def bearer(connection: HTTPConnection) -> str | None:
    """Return the token of an Authorization header; None without one."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _token(request: Request, form: bool) -> str:
    if (token := bearer(request)) is not None:
        return token
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_LIMIT:
            raise Problem(413, f"body: expected at most {BODY_LIMIT} bytes")
    try:
        text = body.decode()
        if form:
            return parse_qs(text, max_num_fields=10).get("token", [""])[0]
        token = json.loads(text)["token"]
        if isinstance(token, str):
            return token
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise Problem(400, 'body: expected {"token": "…"}, or a header Authorization: Bearer')
