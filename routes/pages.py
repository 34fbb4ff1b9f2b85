"""The service about itself: index, OpenAPI document, metrics, and the files of the browser pages."""

import mimetypes
import time
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from routes.context import PREFIX, get_services
from routes.problems import Problem
from routes.responses import live_json, matches
from streams.stats import client_network

LINKS: Final = {
    "docs": "docs", "openapi": "openapi.json", "dashboard": "dashboard", "health": "health",
    "summary": "portfolio/summary", "markets": "markets/", "stream": "sse/trading",
}  # fmt: skip
# No inline script and no other host: a page may only use what is served beside it.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SUFFIXES: Final = {".html", ".js", ".css", ".svg", ".json", ".png", ".webmanifest"}


async def index(request: Request) -> Response:
    """Return name, version and absolute links, made of scheme and host as the proxy in front passes them on."""
    base = f"{request.base_url}{PREFIX[1:]}/"
    return live_json({
        "name": "Prediction Investor",
        "version": get_services(request.scope).version,
        "source": "journal",
        "as_of": round(time.time(), 3),
        "stale": False,
        "network": client_network(request.scope),
        "links": {name: base + path for name, path in LINKS.items()},
    })  # fmt: skip


async def openapi(request: Request) -> Response:
    """Return the OpenAPI document; its server is relative, so that it holds behind any proxy."""
    return Response(request.app.state.openapi, 200, {"Cache-Control": "no-cache"}, "application/json")


async def metrics(request: Request) -> Response:
    """Return this worker's numbers for Prometheus; 501 without the extra."""
    try:
        from routes.prometheus import exposition
    except ImportError:
        raise Problem(501, "metrics need prometheus-client: pip install 'prediction-investor[metrics]'") from None
    body, media = exposition(get_services(request.scope))
    return Response(body, 200, {"Cache-Control": "no-store", "Content-Type": media})


@cache
def names() -> frozenset[str]:
    """Return the names of the files that are served: those that exist at the start, and no others."""
    found = (file.name for file in files("web").iterdir() if file.is_file() and file.name != "login.html")
    return frozenset(name for name in found if name[name.rfind(".") :] in SUFFIXES)


@cache
def content(name: str) -> tuple[bytes, str, str]:
    """Return bytes, media type and ETag of a served file."""
    body = files("web").joinpath(name).read_bytes()
    guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
    media = "text/javascript" if name.endswith(".js") else guessed
    return body, media, f'"{blake2b(body, digest_size=12).hexdigest()}"'


async def asset(request: Request, name: str = "") -> Response:
    """Return a file of the pages, by default the one in the path, or 304. Raises HTTPException 404 for others."""
    name = name or request.path_params["file"]
    if name not in names():
        raise HTTPException(404)
    body, media, etag = content(name)
    headers = {"Cache-Control": "no-cache", "ETag": etag, "Content-Security-Policy": POLICY}
    if matches(request.scope, etag.encode()):
        return Response(status_code=304, headers=headers)
    if name.endswith(".html") and request.url.path.endswith("/"):
        body = body.replace(b'="web/', b'="../web/')  # links of the page are relative to the form without the slash
    return Response(body, headers=headers, media_type=media)
