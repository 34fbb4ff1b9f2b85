"""The API as an OpenAPI 3.1 document: URLs from the table, bodies and events from schemas.txt, in its notation."""

import re
from collections import deque
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final

from cache.decimal_json import dumps
from routes.context import PREFIX
from routes.endpoint import Endpoint
from routes.problems import MEANINGS, kind

Schema = dict[str, Any]

PRIMITIVES: Final[dict[str, Schema]] = {
    "text": {"type": "string"}, "int": {"type": "integer"}, "number": {"type": "number"}, "bool": {"type": "boolean"},
    "object": {"type": "object"},
}  # fmt: skip
CURSOR: Final[Schema] = {
    "type": "string", "pattern": "^[a-z0-9]{8}-[0-9]+(-[0-9a-f]{4})?$", "description": "a position in the journal",
}  # fmt: skip
EVENTS: Final = {  # by the name of the event
    "new_trades": "NewTrades", "correction": "Correction", "settlement": "SettlementEntry", "transfer": "Transfer",
    "gap": "Gap", "baseline": "Baseline", "reset": "Reset", "heartbeat": "Heartbeat", "bye": "Bye",
    "bot_status": "BotStatus",
}  # fmt: skip
ENTRIES: Final = ("Trade", "Correction", "SettlementEntry", "Transfer", "Gap", "Baseline")
EVERYWHERE: Final = (400, 401, 421, 429, 500)  # errors that any URL may answer


def document(endpoints: Iterable[Endpoint], version: str) -> str:
    """Return the document's JSON text."""
    return dumps({
        "openapi": "3.1.0",
        "info": {"title": "Prediction Investor", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": PREFIX}],
        "paths": {  # with the slash where the documents show one
            f"{each.path}/" if each.path in ("", "/markets") else each.path: {"get": operation(each)}
            for each in endpoints if each.documented
        },
        "x-problems": [{"status": status, "type": kind(status), "meaning": text} for status, text in MEANINGS.items()],
        "components": {"schemas": named(), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    })  # fmt: skip


def operation(endpoint: Endpoint) -> dict[str, Any]:
    """Return the description of one URL."""
    content = {endpoint.media: {"schema": ref(endpoint.schema) if endpoint.schema else PRIMITIVES["text"]}}
    responses: dict[str, Any] = {"200": {"description": endpoint.summary, "content": content}}
    parameters = [
        {"name": each.name, "in": each.place, "required": each.place == "path", "schema": each.schema,
         "description": each.description}
        for each in endpoint.parameters
    ]  # fmt: skip
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
        problem = {"application/problem+json": {"schema": ref("Problem")}}
        responses[str(status)] = {"description": MEANINGS[status], "content": problem}
    return {**found, "responses": responses}


def named() -> dict[str, Schema]:
    """Return the schemas by name."""
    found = {"Cursor": CURSOR, "JournalEntry": {"oneOf": [ref(name) for name in ENTRIES]}}
    text = files("routes").joinpath("schemas.txt").read_text("utf-8")
    for name, definition in re.findall(r"^(\w+): (.+(?:\n .+)*)", text, re.MULTILINE):
        notation, _, description = definition.partition(" -- ")
        found[name] = {**schema(notation), **({"description": description} if description else {})}
    return found


def schema(text: str) -> Schema:
    """Return the schema of a text in the notation of schemas.txt."""
    found = re.findall(r"[{}\[\],:?|&]|[^{}\[\],:?|&]+", text)
    return _union(deque(token for each in found if (token := each.strip())))


def ref(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _union(tokens: deque[str]) -> Schema:
    parts, operator = [_single(tokens)], ""
    while tokens and tokens[0] in ("|", "&"):
        operator = tokens.popleft()
        parts.append(_single(tokens))
    if operator == "|" and "enum" in parts[0]:
        found: Schema = {"type": "string", "enum": [word for part in parts for word in part["enum"]]}
    else:
        found = {"allOf" if operator == "&" else "anyOf": parts} if operator else parts[0]
    if tokens and tokens[0] == "?":
        tokens.popleft()
        return {"anyOf": [found, {"type": "null"}]}
    return found


def _single(tokens: deque[str]) -> Schema:
    token = tokens.popleft()
    if token == "[":
        items = _union(tokens)
        tokens.popleft()
        return {"type": "array", "items": items}
    if token == "answer":
        tokens.popleft()
        return _object(tokens, source=ref("Source"), as_of=ref("Time"), stale=PRIMITIVES["bool"])
    if token == "{":
        return _object(tokens)
    if token in PRIMITIVES:
        return PRIMITIVES[token]
    return ref(token) if re.match("[A-Z][a-z]", token) else {"type": "string", "enum": [token]}


def _object(tokens: deque[str], **members: Schema) -> Schema:
    required = list(members)
    while (name := tokens.popleft()) != "}":
        if name == ",":
            continue
        if tokens.popleft() == "?":
            tokens.popleft()
        elif name not in members:
            required.append(name)
        members[name] = _union(tokens)
    if "*" in members:
        return {"type": "object", "additionalProperties": members["*"]}
    return {"type": "object", "required": required, "properties": members}
