"""Answers while the journal's database is dead or hung: within a limit, each with what it can."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.eventually import until
from tests.support.fakebot import FakeBot
from tests.support.neighbours import MariaServer
from tests.support.server import Server, running_server

pytestmark = pytest.mark.mysql


@pytest.fixture
def service(tmp_path: Path, mariadb: str, maria_server: MariaServer) -> Iterator[Server]:
    """A server whose journal is on MariaDB and holds three trades."""
    with FakeBot("live", trades=3) as bot, running_server(tmp_path, JOURNAL_URL=mariadb, **bot.settings) as server:
        until(lambda: server.get("/portfolio/trades/live").json()["count"] == 3)
        yield server
    maria_server.wake()


def part(server: Server, name: str) -> dict[str, Any]:
    """Return one part of /health, whose whole body is as documented."""
    answer = server.get("/health")
    assert answer.status_code == 200
    document = server.get("/openapi.json").json()
    content = document["paths"]["/health"]["get"]["responses"]["200"]["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    jsonschema.validate(answer.json(), schema, jsonschema.Draft202012Validator)
    found: dict[str, Any] = answer.json()["parts"][name]
    return found


def timed(server: Server, path: str) -> tuple[int, float]:
    """The status of an answer, and how long it took."""
    begun = time.monotonic()
    return server.get(path).status_code, time.monotonic() - begun


def test_an_unavailable_database_is_reported_without_a_500(service: Server, maria_server: MariaServer) -> None:
    """Health degraded with the reason, not ready, history a 503 problem; data in memory is sent; then it recovers."""
    maria_server.kill()
    try:
        found = part(service, "journal")
        assert found["state"] == "degraded"
        assert "cannot be used now" in found["reason"]
        ready = service.get("/health/ready")
        assert (ready.status_code, ready.headers["Content-Type"]) == (503, "application/problem+json")
        assert "not ready: " in ready.json()["detail"]
        history = service.get("/portfolio/trades/history")
        assert (history.status_code, history.headers["Content-Type"]) == (503, "application/problem+json")
        assert "cannot be used now" in history.json()["detail"]
        assert service.get("/portfolio/trades/live").json()["count"] == 3
        assert service.get("/portfolio/summary").json()["trades"]["count"] == 3
        assert service.get("/health/live").status_code == 200
    finally:
        maria_server.start()
    until(lambda: service.get("/health/ready").status_code == 200, within=20)
    assert part(service, "journal")["state"] == "ok"
    assert service.get("/portfolio/trades/history").json()["count"] == 3


def test_a_hung_database_holds_no_probe_up(service: Server, maria_server: MariaServer) -> None:
    """Probes are answered within seconds: one that waits is taken for a dead server."""
    maria_server.hang()
    status, took = timed(service, "/health")
    assert (status, took < 3.5) == (200, True), took
    assert part(service, "journal")["state"] == "degraded"
    status, took = timed(service, "/health/ready")
    assert (status, took < 3.5) == (503, True), took
    assert timed(service, "/portfolio/trades/live")[0] == 200
    maria_server.wake()
    until(lambda: service.get("/health/ready").status_code == 200, within=20)
