"""Made-up evidence for the doctor: pages, problems of ours, streams that were received."""

import json
from collections.abc import Iterable
from typing import Any

from commands.doctor.findings import Diagnosis
from commands.doctor.probe import ProbedPage, ProbedStream
from streams.event import heartbeat

EVENTS = {"content-type": "text/event-stream"}
HELLO = heartbeat(1.0, None, None, retry=2.0)


def page(status: int = 200, body: Any = None, **headers: str) -> ProbedPage:
    """An answer; a dict becomes JSON, and the header's name has dashes."""
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = {"content-type": "text/html" if isinstance(body, str) else "application/json"}
    return ProbedPage(status, kind | {name.replace("_", "-"): value for name, value in headers.items()}, raw, 0.01)


def ours(status: int, instance: str, **more: Any) -> ProbedPage:
    """A problem as our service answers it."""
    body = {"type": "/api/python/docs#x", "status": status, "detail": "because", "instance": instance, **more}
    return page(status, body, content_type="application/problem+json")


def wrong(findings: Iterable[Diagnosis]) -> set[str]:
    """The names of what is wrong."""
    return {finding.name for finding in findings if finding.level == "wrong"}


def stream(*pieces: tuple[float, bytes], ended: float | None = None, status: int = 200, **headers: str) -> ProbedStream:
    """A received stream; pieces with their times."""
    return ProbedStream(status, EVENTS | {k.replace("_", "-"): v for k, v in headers.items()}, list(pieces), ended)
