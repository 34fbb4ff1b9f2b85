"""The API as an OpenAPI 3.1 document, made from the table of URLs; event streams and errors included."""

from collections.abc import Iterable
from typing import Any, Final

from cache.decimal_json import dumps
from routes.endpoint import Endpoint, Parameter
from routes.prefix import PREFIX
from routes.problems import MEANINGS, kind
from routes.schemas import EVENTS, PRIMITIVES, named, ref

EVERYWHERE: Final = (400, 401, 421, 429, 500)  # errors that any URL may answer


def document(endpoints: Iterable[Endpoint], version: str) -> str:
    """Return the document's JSON text."""
    return dumps({
        "openapi": "3.1.0",
        "info": {"title": "Prediction Investor", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": PREFIX}],
        "paths": {url(endpoint): {"get": operation(endpoint)} for endpoint in endpoints if endpoint.documented},
        "x-problems": [{"status": status, "type": kind(status), "meaning": text} for status, text in MEANINGS.items()],
        "components": {
            "schemas": named(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })  # fmt: skip


def url(endpoint: Endpoint) -> str:
    """Return the path as the documents show it."""
    return f"{endpoint.path}/" if endpoint.path in ("", "/markets") else endpoint.path


def operation(endpoint: Endpoint) -> dict[str, Any]:
    """Return the description of one URL."""
    content = {endpoint.media: {"schema": ref(endpoint.schema) if endpoint.schema else PRIMITIVES["text"]}}
    responses: dict[str, Any] = {"200": {"description": endpoint.summary, "content": content}}
    parameters = [_parameter(each) for each in endpoint.parameters]
    found: dict[str, Any] = {"summary": endpoint.summary, "parameters": parameters}
    if endpoint.csv:
        content["text/csv"] = {"schema": PRIMITIVES["text"]}
    if endpoint.stream:
        responses["200"]["content"] = {"text/event-stream": {"schema": PRIMITIVES["text"]}}
        events = ", ".join(f"`{name}`" for name in endpoint.events)
        found["x-events"] = {name: ref(EVENTS[name]) for name in endpoint.events}
        found["description"] = f"Server-Sent Events: {events}. Comment pings come at most 15 s apart."
    elif endpoint.answer or endpoint.media == "text/html":
        responses["304"] = {"description": "not modified (If-None-Match)"}
    for status in (*EVERYWHERE, *endpoint.errors):
        responses[str(status)] = _problem(status)
    return {**found, "responses": responses}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "schema": parameter.schema,
        "description": parameter.description,
    }


def _problem(status: int) -> dict[str, Any]:
    return {"description": MEANINGS[status], "content": {"application/problem+json": {"schema": ref("Problem")}}}
