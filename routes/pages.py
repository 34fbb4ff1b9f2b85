"""The files that a browser asks for: the dashboard, the API page, their modules and styles."""

import mimetypes
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from routes.responses import matches

# No inline script, no other host: what the page may do is what we serve beside it.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SERVED: Final = {".html", ".js", ".css", ".svg", ".json", ".png", ".webmanifest"}
# The list of files is fixed at start: an invented name is a 404 that leaves nothing behind.
NAMES: Final = frozenset(file.name for file in files("web").iterdir() if file.name[file.name.rfind(".") :] in SERVED)


@cache
def _content(name: str) -> tuple[bytes, str, str]:
    body = files("web").joinpath(name).read_bytes()
    media = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
    return body, media, f'"{blake2b(body, digest_size=12).hexdigest()}"'


def _file(request: Request, name: str) -> Response:
    if name not in NAMES:
        raise HTTPException(404)
    body, media, etag = _content(name)
    headers = {"Cache-Control": "no-cache", "ETag": etag, "Content-Security-Policy": POLICY}
    if matches(request.scope, etag.encode()):
        return Response(status_code=304, headers=headers)
    if name.endswith(".html") and request.url.path.endswith("/"):
        body = body.replace(b'="web/', b'="../web/')  # the page's own links are relative to the form without the slash
    return Response(body, headers=headers, media_type=media)


async def dashboard(request: Request) -> Response:
    """Return the dashboard."""
    return _file(request, "dashboard.html")


async def docs(request: Request) -> Response:
    """Return the API page, which reads openapi.json beside it, offline and behind any prefix."""
    return _file(request, "docs.html")


async def asset(request: Request) -> Response:
    """Return a module or style of the pages."""
    return _file(request, request.path_params["file"])
