"""What the service says of itself: its name and links, its health, its streams."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from routes.replies import live_json
from routes.services import services
from streams.stats import client

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
    base = f"{request.base_url}api/python/"
    service = services(request)
    return live_json({
        "name": "Prediction Investor",
        "version": service.version,
        "source": "journal",
        "as_of": round(time.time(), 3),
        "stale": False,
        "links": {name: base + path for name, path in LINKS.items()},
    })  # fmt: skip


async def stats(request: Request) -> Response:
    """What the streams did since the start."""
    service = services(request)
    body = service.hub.stats.view(len(list(service.hub.subscribers)), service.hub.position)
    return live_json({**_now(), **body, "uptime": round(time.time() - service.started, 3)})


async def clients(request: Request) -> Response:
    """Who listens now, with no more of an address than its network."""
    hub = services(request).hub
    found = [client(reader, hub.position, hub.clock()) for reader in hub.subscribers]
    return live_json({**_now(), "clients": found, "count": len(found)})


def _now() -> dict[str, Any]:
    return {"source": "memory_cache", "as_of": round(time.time(), 3), "stale": False}
