"""CORS: pages of the named origins may read; a refused preflight is a problem."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from routes.problems import Problem, render


class Refusal(Response):
    """A refused preflight, which becomes a problem when it is sent, because its request is known only then."""

    def __init__(self, plain: Response) -> None:
        super().__init__(status_code=plain.status_code)
        kept = {name: value for name, value in plain.headers.items() if not name.startswith("content-")}
        what = bytes(plain.body).decode().removeprefix("Disallowed CORS ")
        detail = f"not allowed to pages of other sites: this {what}; CORS_ORIGINS names the origins that may call"
        self._problem = Problem(plain.status_code, detail, kept)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await render(self._problem, scope)(scope, receive, send)


class Cors(CORSMiddleware):
    """Starlette's middleware with a problem instead of plain text for a refusal."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a preflight."""
        answer = super().preflight_response(request_headers)
        return answer if answer.status_code == 200 else Refusal(answer)


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
