"""Counts and readers of the streams, added up over the workers that share a Redis."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ingest.supervisor import Supervisor
from routes.responses import live_json
from routes.services import services
from streams.hub import Hub
from streams.stats import add_up, client


async def stats(request: Request) -> Response:
    """Return the counts since the start, added up over the workers that share a Redis."""
    service = services(request)
    views = [snapshot(service.hub, service.supervisor), *await service.supervisor.workers.gather()]
    total = add_up([view["stats"] for view in views])
    return live_json({**_now(), **total, "workers": len(views), "uptime": service.uptime()})


async def clients(request: Request) -> Response:
    """Return the open streams of all workers, with the network of each client only."""
    service = services(request)
    views = [snapshot(service.hub, service.supervisor), *await service.supervisor.workers.gather()]
    found = [reader for view in views for reader in view["clients"]]
    return live_json({**_now(), "clients": found, "count": len(found), "workers": len(views)})


def snapshot(hub: Hub, supervisor: Supervisor) -> dict[str, Any]:
    """Return this worker's part of both, which other workers read."""
    readers = list(hub.subscribers)
    parts = supervisor.health()
    counts = {"polls": parts["poller"].get("polls", 0), "gaps": parts["recorder"].get("gaps", 0)}
    return {
        "stats": {**hub.stats.view(len(readers), hub.position), **counts},
        "clients": [client(reader, hub.position, hub.clock()) for reader in readers],
    }


def _now() -> dict[str, Any]:
    # Counted in the memory of this process: of the five sources that an answer may name, the one that says so.
    return {"source": "memory_cache", "as_of": round(time.time(), 3), "stale": False}
