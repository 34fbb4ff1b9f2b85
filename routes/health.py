"""How we are: every part with its state, age and reason; the service itself is well while it serves."""

import asyncio
import time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from journal.errors import JournalError
from routes.problems import Problem
from routes.responses import live_json
from routes.services import Services, services

PATIENCE: Final = 2.0  # seconds that the journal may take to say how large it is
WELL: Final = ("ok", "idle", "starting")  # starting: nothing has gone wrong, for nothing was tried yet


async def health(request: Request) -> Response:
    """Always 200 while serving: ok or degraded, and each part."""
    service = services(request)
    books = {part.name: part.as_json() for part in (service.ledgers.health, service.audit.health)}
    parts = {**service.watch.health(), **books, "journal": await _journal(service), **_neighbours(service)}
    well = all(part["state"] in WELL for part in parts.values()) and not service.warnings
    return live_json({
        "status": "ok" if well else "degraded",
        "as_of": round(time.time(), 3),
        "version": service.version,
        "uptime": round(time.time() - service.started, 3),
        "journal": {
            "head": service.hub.head,
            "seq": service.hub.position,
            "size": parts["journal"].get("size"),
        },
        "parts": parts,
        "warnings": list(service.warnings),
    })  # fmt: skip


async def live(request: Request) -> Response:
    """The process answers; neighbours never count."""
    return live_json({"status": "live"})


async def ready(request: Request) -> Response:
    """Whether to send traffic here: the journal is writable and we are not stopping."""
    service = services(request)
    if service.hub.closed:
        raise Problem(503, "not ready: stopping")
    journal = await _journal(service)
    if journal["state"] not in WELL:
        raise Problem(503, f"not ready: {journal['reason']}")
    return live_json({"status": "ready"})


async def _journal(service: Services) -> dict[str, Any]:
    parts = service.watch.health()
    # The lease is a write too, and the only one of a worker that has nothing else to keep.
    writing = parts["lease"] if parts["lease"]["state"] == "degraded" else parts["recorder"]
    try:
        # Far below the journal's own limit: a probe that has to wait that long takes us for dead.
        async with asyncio.timeout(PATIENCE):
            size = await service.journal.size()
    except (JournalError, TimeoutError) as error:
        why = str(error) or f"the journal did not answer within {PATIENCE:g} s"
        return {"state": "degraded", "age": writing["age"], "reason": why}
    if writing["state"] != "degraded":
        return {"state": "ok", "age": writing["age"], "reason": None, "size": size}
    return {"state": "degraded", "age": writing["age"], "reason": writing["reason"], "size": size}


def _neighbours(service: Services) -> dict[str, dict[str, Any]]:
    counters = service.client.calls.counters
    breaker = service.client.calls.breaker
    # Where nothing is down, one read may still be in vain: a key that is refused, a field that was renamed.
    trouble = service.keeper.latest_error() if breaker.state == "closed" else counters.last_error
    exchange = {
        "state": "ok" if breaker.state == "closed" and trouble is None else "degraded",
        "age": None if counters.last_success is None else round(time.time() - counters.last_success, 3),
        "reason": trouble,
        "keys": service.client.calls.signer is not None,
    }
    return {"kalshi": exchange, "cache": _cache(service), "streams": _streams(service)}


def _cache(service: Services) -> dict[str, Any]:
    kind = service.cache.name
    breaker = service.cache.breaker
    if breaker is not None and breaker.state != "closed":
        age = round(time.time() - breaker.since, 3)
        return {"state": "degraded", "age": age, "reason": breaker.reason, "kind": kind}
    return {"state": "ok", "age": None, "reason": None, "kind": kind}


def _streams(service: Services) -> dict[str, Any]:
    full = service.hub.full
    reason = "MAX_STREAMS is reached; further readers are told to come back later" if full else None
    state = "degraded" if full else "ok"
    return {"state": state, "age": None, "reason": reason, "open": len(list(service.hub.subscribers))}
