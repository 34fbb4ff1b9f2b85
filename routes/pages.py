"""The files of the browser pages: dashboard, API page, their modules and styles."""

import mimetypes
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from routes.responses import matches

# No inline script and no other host: a page may only use what is served beside it.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SUFFIXES: Final = {".html", ".js", ".css", ".svg", ".json", ".png", ".webmanifest"}


@cache
def names() -> frozenset[str]:
    """Return the names of the files that are served: those that exist at the start, and no others."""
    found = (file.name for file in files("web").iterdir() if file.is_file())
    return frozenset(name for name in found if name[name.rfind(".") :] in SUFFIXES)


@cache
def content(name: str) -> tuple[bytes, str, str]:
    """Return bytes, media type and ETag of a served file."""
    body = files("web").joinpath(name).read_bytes()
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    media = "text/javascript" if name.endswith(".js") else guessed
    return body, media, f'"{blake2b(body, digest_size=12).hexdigest()}"'


def file_response(request: Request, name: str) -> Response:
    """Return a file, or 304. Raises HTTPException 404 for any other name."""
    if name not in names():
        raise HTTPException(404)
    body, media, etag = content(name)
    headers = {"Cache-Control": "no-cache", "ETag": etag, "Content-Security-Policy": POLICY}
    if matches(request.scope, etag.encode()):
        return Response(status_code=304, headers=headers)
    if name.endswith(".html") and request.url.path.endswith("/"):
        body = body.replace(b'="web/', b'="../web/')  # links of the page are relative to the form without the slash
    return Response(body, headers=headers, media_type=media)


async def dashboard(request: Request) -> Response:
    """Return the browser page."""
    return file_response(request, "dashboard.html")


async def docs(request: Request) -> Response:
    """Return the API page, which reads openapi.json beside it and works offline."""
    return file_response(request, "docs.html")


async def asset(request: Request) -> Response:
    """Return a module or style of the pages."""
    return file_response(request, request.path_params["file"])
