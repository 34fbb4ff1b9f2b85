"""The service about itself: index, OpenAPI document, metrics."""

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from routes.prefix import PREFIX
from routes.problems import Problem
from routes.responses import live_json
from routes.services import services
from streams.stats import network

LINKS: Final = {
    "docs": "docs",
    "openapi": "openapi.json",
    "dashboard": "dashboard",
    "health": "health",
    "summary": "portfolio/summary",
    "markets": "markets/",
    "stream": "sse/trading",
}


async def index(request: Request) -> Response:
    """Return name, version and absolute links, made of scheme and host as the proxy in front passes them on."""
    base = f"{request.base_url}{PREFIX[1:]}/"
    return live_json({
        "name": "Prediction Investor",
        "version": services(request).version,
        "source": "journal",
        "as_of": round(time.time(), 3),
        "stale": False,
        "network": network((request.scope.get("client") or ("",))[0]),
        "links": {name: base + path for name, path in LINKS.items()},
    })  # fmt: skip


async def openapi(request: Request) -> Response:
    """Return the OpenAPI document; its server is relative, so that it holds behind any proxy."""
    return Response(request.app.state.openapi, 200, {"Cache-Control": "no-cache"}, "application/json")


async def metrics(request: Request) -> Response:
    """Return this worker's numbers for Prometheus; 501 without the extra."""
    try:
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        from routes.prometheus import ServiceCollector
    except ImportError:
        raise Problem(501, "metrics need prometheus-client: pip install 'prediction-investor[metrics]'") from None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector(services(request)))
    return Response(generate_latest(registry), 200, {"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST})
