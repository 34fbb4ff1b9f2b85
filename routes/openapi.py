"""The API as an OpenAPI 3.1 document, event streams and errors included."""

from functools import cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from cache.decimal_json import dumps
from routes import markets, portfolio
from routes.prefix import PREFIX
from routes.problems import MEANINGS, kind
from routes.schemas import NAMED, NUMBER, TEXT, Schema, ref, words
from routes.services import services

Operation = dict[str, Any]

LIMIT: Final = ("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "how many, 1 to 1000")
CURSOR: Final = ("cursor", TEXT, "what `next` held in an earlier answer")
TICKER: Final = ("ticker", {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,100}$"}, "one market's ticker")
RESUME: Final = ("last_event_id", TEXT, "the cursor to go on from, where no Last-Event-ID header can be sent")
PLACE: Final = {"type": "string", "pattern": "^([a-z0-9]{8}-)?[0-9]{1,18}$"}

Parameter = tuple[str, Schema, str]


def _get(
    summary: str, schema: str, *parameters: Parameter, media: str = "application/json", errors: str = ""
) -> Operation:
    return {
        "summary": summary,
        "parameters": [_parameter(*each) for each in parameters],
        "responses": {
            "200": {"description": summary, "content": {media: {"schema": ref(schema) if schema else TEXT}}},
            "304": {"description": "what you hold is still right (If-None-Match)"},
            **{code: _problem(code) for code in ("400 429 500 " + errors).split()},
        },
    }


def _parameter(name: str, schema: Schema, description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _problem(code: str) -> dict[str, Any]:
    return {"description": MEANINGS[int(code)], "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _stream(summary: str, events: str, resumable: bool = True) -> Operation:
    found = _get(summary, "", *([RESUME] if resumable else []), media="text/event-stream")
    found["description"] = f"Server-Sent Events: {events}. Comment pings come at most 15 s apart."
    found["responses"].pop("304")
    return found


ENTRIES: Final = (
    "`new_trades`, `settlement`, `gap`, `baseline` (each with an `id`: the cursor), `reset`, `heartbeat`, `bye`"
)
EXCHANGE: Final = "404 502 503"

PATHS: Final[dict[str, Operation]] = {
    "/": _get("Name, version, links", "Index"),
    "/portfolio/balance": _get("Cash, in dollars", "Balance", errors="502 503"),
    "/portfolio/positions": _get("What is held, with marks and P&L", "Positions", errors="502 503"),
    "/portfolio/fills": _get("The account's fills, newest first", "Fills", LIMIT, CURSOR, errors="502 503"),
    "/portfolio/orders": _get(
        "The account's orders",
        "Orders",
        LIMIT,
        CURSOR,
        ("status", words(*portfolio.ORDER_STATUSES), "orders in this state"),
        errors="502 503",
    ),
    "/portfolio/settlements": _get("Markets that paid out", "Settlements", LIMIT, CURSOR, errors="502 503"),
    "/portfolio/trades/live": _get("The newest trades, newest first", "Live", LIMIT, errors="503"),
    "/portfolio/trades/history": _get(
        "Entries of the journal by cursor or time",
        "History",
        ("after", PLACE, "entries after this cursor, oldest first"),
        ("before", PLACE, "entries before this cursor, newest first"),
        ("since", NUMBER, "not older than this, in Unix seconds"),
        ("until", NUMBER, "not newer than this, in Unix seconds"),
        TICKER,
        LIMIT,
        errors="503",
    ),
    "/portfolio/summary": _get("Everything at a glance, each part with its own age", "Summary"),
    "/markets/": _get(
        "Markets",
        "Markets",
        ("status", words(*markets.STATUSES), "markets in this state"),
        ("event_ticker", TICKER[1], "markets of one event"),
        ("series_ticker", TICKER[1], "markets of one series"),
        ("tickers", TEXT, "these markets: tickers with commas between"),
        LIMIT,
        CURSOR,
        errors=EXCHANGE,
    ),
    "/markets/{ticker}": _get("One market", "OneMarket", errors=EXCHANGE),
    "/sse/trading": _stream("Everything: journal entries and the bot's status", ENTRIES + ", `bot_status`"),
    "/sse/trades": _stream("Journal entries", ENTRIES),
    "/sse/portfolio": _stream("Journal entries, under the brief's second name", ENTRIES),
    "/sse/status": _stream("The bot's status", "`bot_status`, `heartbeat`, `bye`", resumable=False),
    "/sse/stats": _get("What the streams did since the start", "Stats"),
    "/sse/clients": _get("Who listens now, by network", "Clients"),
    "/health": _get("Health of every part; 200 while serving", "Health"),
    "/health/live": _get("The process answers", "State"),
    "/health/ready": _get("Whether to send traffic here", "State", errors="503"),
    "/openapi.json": _get("This document", ""),
    "/docs": _get("The API page", "", media="text/html"),
    "/dashboard": _get("The browser page", "", media="text/html"),
    "/metrics": _get("Metrics for Prometheus", "", media="text/plain", errors="501"),
}


@cache
def document(version: str) -> str:
    """The document's JSON text."""
    paths: dict[str, Any] = {path: {"get": operation} for path, operation in PATHS.items()}
    paths["/markets/{ticker}"]["parameters"] = [
        {"name": "ticker", "in": "path", "required": True, "schema": TICKER[1], "description": TICKER[2]}
    ]
    paths["/openapi.json"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "object"}
    return dumps({
        "openapi": "3.1.0",
        "info": {"title": "Prediction Investor", "version": version, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "x-problems": [{"status": status, "type": kind(status), "meaning": text} for status, text in MEANINGS.items()],
        "components": {"schemas": NAMED, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    })  # fmt: skip


async def openapi(request: Request) -> Response:
    """The document; servers is relative, so that it holds behind any proxy."""
    return Response(document(services(request).version), 200, {"Cache-Control": "no-cache"}, "application/json")
