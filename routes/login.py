"""Where a browser trades the API token for a cookie that EventSource carries, and gives it back."""

import base64
import json
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from routes.access import CHALLENGE
from routes.prefix import PREFIX, mount_path
from routes.problems import Problem
from routes.services import services
from routes.tickets import COOKIE, LIFETIME, Tickets

BODY_LIMIT: Final = 4096  # bytes
STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;display:grid;place-items:center;min-height:90vh;margin:0;"
    "color-scheme:light dark}"
    "form{display:grid;gap:.75rem;width:min(20rem,90vw)}input,button{font:inherit;padding:.6rem;border-radius:.4rem;"
    "border:1px solid #8888}button{cursor:pointer}h1{font-size:1.2rem;margin:0}"
)
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE: Final = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Prediction Investor: log in</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style>
<form method="post"><h1>Prediction Investor</h1><label for="token">API token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button></form></html>"""


class Session(HTTPEndpoint):
    """GET the page, POST the token for a cookie, DELETE the cookie."""

    async def get(self, request: Request) -> Response:
        """The login page; it shows nothing and asks for the token."""
        _tickets(request)
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def post(self, request: Request) -> Response:
        """The token, as Bearer, as JSON {"token": …} or as the page's form, for a cookie. 401 for a wrong one."""
        tickets = _tickets(request)
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        if not tickets.is_token(await _token(request, form)):
            raise Problem(401, "that is not the API token", {"WWW-Authenticate": CHALLENGE})
        base = mount_path(request.scope) + PREFIX
        answer = RedirectResponse(f"{base}/dashboard", 303) if form else Response(status_code=204)
        answer.set_cookie(
            COOKIE, tickets.issue(), LIFETIME, path=base, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def delete(self, request: Request) -> Response:
        """Forget the cookie."""
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(COOKIE, path=mount_path(request.scope) + PREFIX, httponly=True, samesite="strict")
        return answer


def _tickets(request: Request) -> Tickets:
    found = services(request).access.tickets
    if found is None:
        raise Problem(404, "there is no API token to trade; API_TOKEN sets one")
    return found


async def _token(request: Request, form: bool) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BODY_LIMIT:
            raise Problem(413, f"a login is at most {BODY_LIMIT} bytes")
    try:
        text = body.decode()
        return parse_qs(text).get("token", [""])[0] if form else str(json.loads(text)["token"])
    except (ValueError, KeyError, TypeError):
        raise Problem(400, 'the body must be {"token": "…"}, or send Authorization: Bearer') from None
