"""Login of browsers: the API token is exchanged for a cookie, which EventSource sends too."""

import base64
import json
from hashlib import sha256
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from routes.access import bearer
from routes.prefix import PREFIX, get_services, mount_path
from routes.problems import Problem
from routes.tickets import COOKIE, LIFETIME, Tickets

BODY_LIMIT: Final = 4096  # bytes
PAGE: Final = files("web").joinpath("login.html").read_text("utf-8").rstrip()
STYLE: Final = PAGE.partition("<style>")[2].partition("</style>")[0]
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class SessionEndpoint(HTTPEndpoint):
    """GET the login page, POST the token for a cookie, DELETE the cookie."""

    async def get(self, request: Request) -> Response:
        """Return the login page."""
        _tickets(request)
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def post(self, request: Request) -> Response:
        """Exchange the token (Bearer, JSON {"token": …} or the page's form) for a cookie. 401 for a wrong one."""
        tickets, access = _tickets(request), get_services(request.scope).access
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
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
