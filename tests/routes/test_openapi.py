"""The OpenAPI document: valid by a public validator, and true under a public fuzzer."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from journal.entries import KINDS
from routes.openapi import EVENTS, named
from tests.support.server import Server


def test_the_document_is_valid(server: Server) -> None:
    """A public validator for OpenAPI 3.1 finds nothing wrong."""
    document = server.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_streams_are_described(server: Server) -> None:
    """Every stream has the type text/event-stream and names its events."""
    paths = server.get("/openapi.json").json()["paths"]
    for name in ("trading", "trades", "portfolio", "status"):
        operation = paths[f"/sse/{name}"]["get"]
        assert "text/event-stream" in operation["responses"]["200"]["content"]
        assert "`heartbeat`" in operation["description"]


def test_every_event_has_the_schema_of_its_payload(server: Server) -> None:
    """Each event of a stream refers to a schema of the document, and an entry is one of six kinds."""
    document = server.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    events = document["paths"]["/sse/trading"]["get"]["x-events"]
    assert {"new_trades", "correction", "transfer", "bot_status", "heartbeat"} <= set(events)
    assert all(event["$ref"].rsplit("/", 1)[1] in schemas for event in events.values())
    assert len(schemas["JournalEntry"]["oneOf"]) == 6
    assert schemas["Entry"]["properties"]["kind"]["enum"] == list(KINDS)


def test_every_name_is_a_schema() -> None:
    """Each name that a schema or an event refers to is defined."""
    schemas = named()
    referred = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(schemas)))
    assert referred | set(EVENTS.values()) <= set(schemas)


@pytest.mark.slow
def test_a_fuzzer_finds_no_5xx_and_no_undocumented_status(server: Server, tmp_path: Path) -> None:
    """schemathesis over the REST part, beside a Kalshi that answers."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "run",
        f"{server.base}/openapi.json",
        "--url",
        server.base,
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--exclude-path-regex",
        "^/sse/(trading|trades|portfolio|status)|/metrics",
        "--max-examples",
        "25",
        "--phases",
        "examples,coverage,fuzzing",
        "--seed",
        "1",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
