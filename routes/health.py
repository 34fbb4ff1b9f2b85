"""State of the service: health of every part with reason and next step, counts and readers of the streams."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ingest.supervisor import Supervisor
from journal.errors import JournalError
from routes.context import Services, get_services
from routes.problems import Problem
from routes.responses import live_json
from streams.hub import Hub
from streams.stats import add_up, client

JOURNAL_SECONDS: Final = 2.0  # that the journal may take to tell its size; a probe that waits longer counts us as dead
HEALTHY: Final = ("ok", "idle", "starting")
NEXT_STEPS: Final = {
    "poller": "check that the bot runs and that BOT_STATUS_ENDPOINT and BOT_TRADES_ENDPOINT are its URLs",
    "bot": "look at the bot's own status and log",
    **dict.fromkeys(("recorder", "journal", "feed"), "check the journal's disk or database; JOURNAL_URL names it"),
    "lease": "check the journal's database and the clocks of the hosts",
    "relay": "check REDIS_HOST; until then workers read the journal",
    "cache": "check REDIS_HOST; until then answers are cached in memory",
    **dict.fromkeys(("healer", "push", "kalshi"), "run `python server.py check`: it tries the exchange and the keys"),
    "streams": "raise MAX_STREAMS, or look at /sse/clients for a network that holds most of them",
}


async def health(request: Request) -> Response:
    """Return 200 while serving: ok or degraded, and each part."""
    service = get_services(request.scope)
    books = {part.name: part.as_json() for part in (service.ledgers.health, service.audit.health)}
    parts = {**service.supervisor.health(), **books, "journal": await _journal(service), **_upstreams(service)}
    for name, part in parts.items():
        if part["state"] not in HEALTHY:
            part["next_step"] = NEXT_STEPS.get(name, "see docs/operating.md")
    healthy = all(part["state"] in HEALTHY for part in parts.values()) and not service.warnings
    return live_json({
        "status": "ok" if healthy else "degraded",
        "as_of": round(time.time(), 3),
        "version": service.version,
        "uptime": service.uptime(),
        "access": service.access.kind,
        "journal": {"head": service.hub.head, "seq": service.hub.position, "size": parts["journal"].get("size")},
        "parts": parts,
        "warnings": list(service.warnings),
    })  # fmt: skip


async def live(request: Request) -> Response:
    """Return 200: the process answers; other programs never count."""
    return live_json({"status": "live"})


async def ready(request: Request) -> Response:
    """Return 200 if traffic may be sent here: the journal is writable and the service is not stopping."""
    service = get_services(request.scope)
    if service.hub.closed:
        raise Problem(503, "not ready: stopping")
    journal = await _journal(service)
    if journal["state"] not in HEALTHY:
        raise Problem(503, f"not ready: {journal['reason']}")
    return live_json({"status": "ready"})


def _part(reason: str | None, age: float | None = None, **more: Any) -> dict[str, Any]:
    """Return a part, degraded if there is a reason. age: seconds since its last success or change."""
    return {"state": "ok" if reason is None else "degraded", "age": age, "reason": reason, **more}


def _age(since: float | None) -> float | None:
    return None if since is None else round(max(0.0, time.time() - since), 3)


async def _journal(service: Services) -> dict[str, Any]:
    parts: Mapping[str, Any] = service.supervisor.health()
    # The lease is a write too, and the only one of a worker that records nothing.
    failing = [parts[name] for name in ("integrity", "lease", "recorder") if parts[name]["state"] == "degraded"]
    writing = failing[0] if failing else parts["recorder"]
    try:
        async with asyncio.timeout(JOURNAL_SECONDS):
            size = await service.journal.size()
    except (JournalError, TimeoutError) as error:
        return _part(str(error) or f"the journal did not answer within {JOURNAL_SECONDS:g} s", writing["age"])
    return _part(writing["reason"] if failing else None, writing["age"], size=size)


def _upstreams(service: Services) -> dict[str, dict[str, Any]]:
    calls, store, hub = service.client.calls, service.cache.store, service.hub
    # With the breaker closed a read may still fail alone: a refused key, a renamed field.
    closed = calls.breaker.state == "closed"
    trouble = service.cache.latest_error() if closed else calls.counters.last_error
    away = store.breaker if store.breaker is not None and store.breaker.state != "closed" else None
    full = "MAX_STREAMS is reached; further readers are asked to come back later" if hub.full else None
    return {
        "kalshi": _part(
            trouble,
            _age(calls.counters.last_success),
            keys=calls.signer is not None,
            failed_in_a_row=calls.breaker.in_a_row,
        ),  # fmt: skip
        "cache": _part(away.reason if away else None, _age(away.since if away else None), kind=store.name),
        "streams": _part(full, open=len(list(hub.subscribers))),
    }


async def stats(request: Request) -> Response:
    """Return the counts since the start, added up over the workers that share a Redis."""
    service = get_services(request.scope)
    views = await _views(service)
    return _counted({**add_up([view["stats"] for view in views]), "workers": len(views), "uptime": service.uptime()})


async def clients(request: Request) -> Response:
    """Return the open streams of all workers, with the network of each client only."""
    views = await _views(get_services(request.scope))
    found = [reader for view in views for reader in view["clients"]]
    return _counted({"clients": found, "count": len(found), "workers": len(views)})


async def _views(service: Services) -> list[dict[str, Any]]:
    return [snapshot(service.hub, service.supervisor), *await service.supervisor.workers.gather()]


def snapshot(hub: Hub, supervisor: Supervisor) -> dict[str, Any]:
    """Return this worker's part of both, which other workers read."""
    readers = list(hub.subscribers)
    parts = supervisor.health()
    counts = {"polls": parts["poller"].get("polls", 0), "gaps": parts["recorder"].get("gaps", 0)}
    return {
        "stats": {**hub.stats.view(len(readers), hub.position), **counts},
        "clients": [client(reader, hub.position, hub.clock()) for reader in readers],
    }


def _counted(numbers: dict[str, Any]) -> Response:
    # Counted in the memory of this process, so of the five sources it is memory_cache.
    return live_json({"source": "memory_cache", "as_of": round(time.time(), 3), "stale": False, **numbers})
