"""Schemas of all JSON bodies and events, for OpenAPI: schemas.txt and the reader of its notation.

The tests hold every answer against them.
"""

import re
from collections import deque
from importlib.resources import files
from typing import Any, Final

Schema = dict[str, Any]

PRIMITIVES: Final[dict[str, Schema]] = {
    "text": {"type": "string"}, "int": {"type": "integer"}, "number": {"type": "number"}, "bool": {"type": "boolean"},
    "object": {"type": "object"},
}  # fmt: skip
CURSOR: Final[Schema] = {
    "type": "string",
    "pattern": "^[a-z0-9]{8}-[0-9]+(-[0-9a-f]{4})?$",
    "description": "a place in the journal",
}
EVENTS: Final = {  # by the name of the event
    "new_trades": "NewTrades", "correction": "Correction", "settlement": "SettlementEntry", "transfer": "Transfer",
    "gap": "Gap", "baseline": "Baseline", "reset": "Reset", "heartbeat": "Heartbeat", "bye": "Bye",
    "bot_status": "BotStatus",
}  # fmt: skip
ENTRIES: Final = ("Trade", "Correction", "SettlementEntry", "Transfer", "Gap", "Baseline")


def named() -> dict[str, Schema]:
    """Return the schemas by name."""
    found = {"Cursor": CURSOR, "JournalEntry": {"oneOf": [ref(name) for name in ENTRIES]}}
    text = files("routes").joinpath("schemas.txt").read_text("utf-8")
    for name, definition in re.findall(r"^(\w+): (.+(?:\n .+)*)", text, re.MULTILINE):
        notation, _, description = definition.partition(" -- ")
        found[name] = {**schema(notation), **({"description": description} if description else {})}
    return found


def schema(text: str) -> Schema:
    """Return the schema that a text in the notation stands for."""
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
