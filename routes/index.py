"""The way in: the service's name and version, and where everything else is."""

import time

from starlette.requests import Request
from starlette.responses import Response

from routes.prefix import PREFIX
from routes.responses import live_json
from routes.services import services
from streams.stats import network

LINKS = {
    "docs": "docs",
    "openapi": "openapi.json",
    "dashboard": "dashboard",
    "health": "health",
    "summary": "portfolio/summary",
    "markets": "markets/",
    "stream": "sse/trading",
}


async def index(request: Request) -> Response:
    """Name, version, links: absolute, as the proxy in front says they are."""
    base = f"{request.base_url}{PREFIX[1:]}/"
    service = services(request)
    return live_json({
        "name": "Prediction Investor",
        "version": service.version,
        "source": "journal",
        "as_of": round(time.time(), 3),
        "stale": False,
        "network": network((request.scope.get("client") or ("",))[0]),  # all that we see of you
        "links": {name: base + path for name, path in LINKS.items()},
    })  # fmt: skip
