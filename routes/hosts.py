"""Names and origins: the Host under which this service may be called, and the pages that may read it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kalshi.environments import is_loopback
from routes.context import PROBES, path_in_app
from routes.problems import Problem, render

REMEMBERED: Final = 256  # decisions
_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")  # of a host: `evil.example/.ours` ends with a suffix too


class AllowedHostsMiddleware:
    """Refuse a request whose Host is not allowed with a 421, against DNS rebinding; the probes are exempt.

    allowed: names or addresses, `*.name` for all subdomains. Without any, only loopback names are allowed on a
    connection to a loopback address, and every name on another one.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str]) -> None:
        self.app = app
        self.names = frozenset(name for name in allowed if not name.startswith("*."))
        self.suffixes = tuple(name[1:] for name in allowed if name.startswith("*."))
        self._remembered = lru_cache(REMEMBERED)(self._is_allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0] if len(hosts) == 1 else b""
        if self._remembered(host, scope.get("server")) or path_in_app(scope).rstrip("/") in PROBES:
            await self.app(scope, receive, send)
            return
        shown = b", ".join(hosts).decode("latin-1")[:60]
        detail = f"Host: expected a name that ALLOWED_HOSTS lists, got {shown!r}"
        await render(Problem(421, detail), scope)(scope, receive, send)

    def _is_allowed(self, host: bytes, server: tuple[str, int | None] | None) -> bool:
        name = host_name(host.decode("latin-1"))
        if self.names or self.suffixes:
            # never a suffix where none is allowed
            return name in self.names or (name.endswith(self.suffixes) and _NAME.fullmatch(name) is not None)
        on_loopback = server is not None and is_loopback(str(server[0]))
        return is_loopback(name) if on_loopback else True


def host_name(host: str) -> str:
    """Return the name in a Host header: without port, dot at the end and brackets, in lower case."""
    name, colon, port = host.strip().lower().rpartition(":")
    if not colon or not port.isdigit():
        name = host.strip().lower()
    return name.strip("[]").removesuffix(".")


class Cors(CORSMiddleware):
    """Starlette's middleware with a problem instead of plain text for a refusal."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a preflight. Raises Problem for a refused one."""
        answer = super().preflight_response(request_headers)
        if answer.status_code == 200:
            return answer
        kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        what = bytes(answer.body).decode().removeprefix("Disallowed CORS ")
        detail = f"not allowed to pages of other sites: this {what}; CORS_ORIGINS names the origins that may call"
        raise Problem(answer.status_code, detail, kept)


def cors(origins: Sequence[str]) -> Middleware:
    """Return the middleware for these origins; it exposes the headers that pages need for caching and retries."""
    return Middleware(
        Cors,
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST", "DELETE"],
        allow_headers=["Authorization", "Last-Event-ID", "If-None-Match"],
        allow_credentials=True,
        expose_headers=["ETag", "Age", "Retry-After"],
    )
