"""Which other sites' pages may call: the named origins. Their browsers ask first, and a refusal is a problem too."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from routes.problems import Problem, render


class Refusal(Response):
    """Becomes a problem when it is sent, since only then its request is known."""

    def __init__(self, plain: Response) -> None:
        super().__init__(status_code=plain.status_code)
        kept = {name: value for name, value in plain.headers.items() if not name.startswith("content-")}
        what = bytes(plain.body).decode().removeprefix("Disallowed CORS ")
        detail = f"not allowed to pages of other sites: this {what}; CORS_ORIGINS names the origins that may call"
        self._problem = Problem(plain.status_code, detail, kept)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await render(self._problem, scope)(scope, receive, send)


class Cors(CORSMiddleware):
    """Starlette's, which would refuse in plain text."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a browser that asks whether it may ask."""
        answer = super().preflight_response(request_headers)
        return answer if answer.status_code == 200 else Refusal(answer)


def cors(origins: Sequence[str]) -> Middleware:
    """Browsers on these origins may read; what they need for caching and patience is exposed."""
    return Middleware(
        Cors,
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST", "DELETE"],
        allow_headers=["Authorization", "Last-Event-ID", "If-None-Match"],
        allow_credentials=True,
        expose_headers=["ETag", "Age", "Retry-After"],
    )
