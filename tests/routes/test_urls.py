"""Every URL of the contract on a running server: both slash forms, HEAD, provenance, schemas, caching, problems."""

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from routes.openapi import document as openapi_document
from routes.table import TABLE
from tests.support.server import Server, running_server

PATHS: dict[str, Any] = json.loads(openapi_document(TABLE, "1"))["paths"]
PAGES = {"/docs", "/dashboard", "/metrics"}
STREAMS = {"/sse/trading", "/sse/trades", "/sse/portfolio", "/sse/status"}
PROVENANCE = {path for path, operation in PATHS.items() if path not in PAGES | STREAMS | {"/openapi.json"}} - {
    "/health",
    "/health/live",
    "/health/ready",
}
SOURCES = {"bot_live", "redis_cache", "memory_cache", "journal", "kalshi_api"}


def fill_in(path: str, traded: str) -> str:
    """The path with a real ticker in it."""
    return path.replace("{ticker}", traded)


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    """The server's own OpenAPI document."""
    found: dict[str, Any] = server.get("/openapi.json").json()
    return found


def validate(document: dict[str, Any], path: str, status: int, media: str, body: Any) -> None:
    """Hold one JSON answer to the schema that the document gives for it."""
    content = document["paths"][path]["get"]["responses"][str(status)]["content"]
    schema = {**content[media]["schema"], "components": document["components"]}
    jsonschema.validate(body, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("path", sorted(set(PATHS) - STREAMS))
def test_a_url_answers_in_both_forms_and_to_head(server: Server, traded: str, path: str) -> None:
    """With and without a trailing slash, GET and HEAD: the same status and type, and never a redirect."""
    bare = fill_in(path, traded).rstrip("/")
    first = server.get(bare)
    assert first.status_code in ((200, 501) if path == "/metrics" else (200,)), first.text
    for method, form in (("GET", bare + "/"), ("HEAD", bare), ("HEAD", bare + "/")):
        again = server.get(form, method)
        assert (again.status_code, again.headers["Content-Type"]) == (first.status_code, first.headers["Content-Type"])
        assert method == "GET" or again.content == b""


@pytest.mark.parametrize("path", sorted(PROVENANCE))
def test_an_answer_names_its_source_and_age(server: Server, traded: str, document: dict[str, Any], path: str) -> None:
    """source, as_of and stale stand in every body, and the body fits its schema in the OpenAPI document."""
    answer = server.get(fill_in(path, traded))
    body = answer.json()
    assert body["source"] in SOURCES
    assert abs(time.time() - body["as_of"]) < 120
    assert body["stale"] in (True, False)
    validate(document, path, 200, "application/json", body)


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_is_as_documented(server: Server, document: dict[str, Any], path: str) -> None:
    """The health URLs answer 200 and hold to their schemas."""
    validate(document, path, 200, "application/json", server.get(path).json())


def test_every_part_names_its_age(server: Server) -> None:
    """Each part of health has a state, an age and a reason; each of the summary a source, an as_of and a stale."""
    for part in server.get("/health").json()["parts"].values():
        assert {"state", "age", "reason"} <= part.keys()
    summary = server.get("/portfolio/summary").json()
    for name in ("balance", "positions", "pnl", "counts", "bot", "trades"):
        assert {"source", "as_of", "stale"} <= summary[name].keys()
        assert summary[name]["stale"] is False
    assert summary["pnl"]["markets"] == "unsettled"


def test_an_unconfirmed_answer_has_no_age(tmp_path: Path, document: dict[str, Any]) -> None:
    """Without any answer of bot and exchange, as_of is null and Age is absent."""
    with running_server(
        tmp_path, BOT_STATUS_ENDPOINT="http://127.0.0.1:1/", KALSHI_API_URL="http://127.0.0.1:1/"
    ) as alone:
        for path in ("/portfolio/trades/live", "/portfolio/summary"):
            answer = alone.get(path)
            body = answer.json()
            assert (body["source"], body["as_of"], body["stale"]) == ("journal", None, True)
            assert "Age" not in answer.headers
            validate(document, path, 200, "application/json", body)
        assert body["bot"]["as_of"] is body["trades"]["as_of"] is None


def test_the_document_and_the_table_have_the_same_urls() -> None:
    """Served and described URLs are the same."""
    served = {endpoint.path or "/" for endpoint in TABLE} - {"/web/{file}"}
    assert {path.rstrip("/") or "/" for path in PATHS} == served


@pytest.mark.parametrize(
    "path", ["/portfolio/balance", "/portfolio/positions", "/portfolio/fills", "/portfolio/summary", "/markets/"]
)
def test_an_unchanged_body_is_not_sent_again(server: Server, path: str) -> None:
    """A weak ETag over the data: 304 for a client that has it, with the same ETag and no body."""
    first = server.get(path)
    assert first.headers["ETag"].startswith('W/"')
    second = server.get(path, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["ETag"] == first.headers["ETag"]
    assert server.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/portfolio/balance", "private, no-cache"),
        ("/portfolio/trades/live", "no-store"),
        ("/markets/", "public, max-age=300"),
        ("/health", "no-store"),
    ],
)
def test_cache_headers(server: Server, path: str, policy: str) -> None:
    """Account data private, live data never, markets for their tier, with the answer's own Age."""
    answer = server.get(path)
    assert answer.headers["Cache-Control"] == policy
    if path != "/health":
        assert int(answer.headers["Age"]) >= 0


def test_money_keeps_its_decimal_text(server: Server, traded: str) -> None:
    """Prices are JSON numbers with their exact text: 0.52, never 0.52000000000000002."""
    text = server.get("/portfolio/fills").text
    assert '"price":0.52,' in text
    fill = json.loads(text)["fills"][0]
    assert (fill["ticker"], fill["side"], fill["quantity"]) == (traded, "BUY", 3)


def test_a_position_has_its_title_and_mark(server: Server, traded: str) -> None:
    """The account's position, with the market's title and a price."""
    (position,) = [row for row in server.get("/portfolio/positions").json()["positions"] if row["ticker"] == traded]
    assert (position["quantity"], position["outcome"], position["average_price"]) == (3, "yes", 0.52)
    assert position["title"]
    assert position["unrealized_pnl"] == pytest.approx(position["value"] - position["cost"])


BAD = [
    ("/portfolio/fills?limit=0", "limit", "an integer from 1 to 1000"),
    ("/portfolio/fills?limit=-1", "limit", "an integer"),
    ("/portfolio/fills?limit=abc", "limit", "an integer"),
    ("/portfolio/fills?limit=1001", "limit", "1 to 1000"),
    ("/portfolio/fills?limit=1e9", "limit", "an integer"),
    ("/portfolio/fills?cursor=%00", "cursor", "`next`"),
    ("/portfolio/orders?status=open", "status", "resting, canceled, executed"),
    ("/portfolio/trades/live?limit=", "limit", "an integer"),
    ("/portfolio/trades/history?after=x", "after", "a cursor of this journal"),
    ("/portfolio/trades/history?before=zzzzzzzz-3", "before", "the present journal"),
    ("/portfolio/trades/history?since=yesterday", "since", "Unix seconds"),
    ("/portfolio/trades/history?until=NaN", "until", "Unix seconds"),
    ("/portfolio/trades/history?ticker=a/b", "ticker", "letters, digits"),
    ("/markets/?status=active", "status", "unopened, open"),
    ("/markets/?tickers=" + ",".join(["A"] * 101), "tickers", "at most 100"),
    ("/markets/" + "A" * 300, "ticker", "1 to 100"),
    ("/markets/A%0AB", "ticker", "letters, digits"),
    ("/markets/caf%C3%A9", "ticker", "letters, digits"),
]


@pytest.mark.parametrize(("path", "name", "allowed"), BAD, ids=lambda text: str(text)[:40])
def test_a_bad_parameter_is_named(server: Server, document: dict[str, Any], path: str, name: str, allowed: str) -> None:
    """400 as a problem with the name, the value and the expected form."""
    answer = server.get(path)
    problem = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert problem["name"] == name
    assert allowed in problem["allowed"]
    assert problem["type"] == "/api/python/docs#bad-request"
    validate(document, "/portfolio/fills", 400, "application/problem+json", problem)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nothing", "GET", 404),
        ("/markets/a/b", "GET", 404),
        ("/markets/NOSUCH-MARKET", "GET", 404),
        ("/portfolio/balance", "POST", 405),
        ("/sse/trading", "DELETE", 405),
        ("/web/..%2fserver.py", "GET", 404),
        ("/web/__init__.py", "GET", 404),
        ("/web/" + "a" * 7900 + ".js", "GET", 404),
        ("/web/%00.js", "GET", 404),
    ],
)
def test_errors_are_problems(server: Server, path: str, method: str, status: int) -> None:
    """404 and 405 are problems too, and 405 names the allowed methods."""
    answer = server.get(path, method)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status
    assert status != 405 or "GET" in answer.headers["Allow"]


def test_a_problem_carries_the_id_of_its_request(server: Server) -> None:
    """The proxy's own where it gives one that can be printed, else ours; the log line has it too."""
    requested = server.get("/markets/NOSUCH-MARKET", headers={"X-Request-ID": "from-the-proxy.1"})
    assert requested.json()["request_id"] == requested.headers["X-Request-ID"] == "from-the-proxy.1"
    forged = server.get("/nothing", headers={"X-Request-ID": 'a"b{}'})
    assert re.fullmatch("[0-9a-f]{16}", forged.json()["request_id"])


def test_outside_the_prefix_there_is_a_problem_too(server: Server) -> None:
    """A path without the prefix is a 404 problem, not a bare text."""
    answer = server.get("/../../somewhere")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_a_websocket_is_refused(server: Server) -> None:
    """There is none: a client that opens one gets a refusal, and the log no traceback."""
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==", "Sec-WebSocket-Version": "13",
    }  # fmt: skip
    # Without a library for websockets uvicorn answers as if nobody had asked for an upgrade.
    assert server.get("/health/live", headers=upgrade).status_code in (200, 403)
    assert "Traceback" not in server.log.read_text()


def test_unknown_query_names_are_ignored(server: Server) -> None:
    """An unknown parameter changes nothing."""
    assert server.get("/portfolio/balance?color=blue&limit=x").status_code == 200


def test_links_are_right_behind_a_proxy(server: Server) -> None:
    """The index's links have the scheme and host that the trusted proxy forwards."""
    headers = {"Host": f"localhost:{server.port}", "X-Forwarded-Proto": "https"}
    links = server.get("/", headers=headers).json()["links"]
    assert links["summary"] == f"https://localhost:{server.port}/api/python/portfolio/summary"


def test_every_answer_carries_the_security_headers(server: Server) -> None:
    """Errors, pages and streams included."""
    for path in ("/health", "/nothing", "/docs"):
        headers = server.get(path).headers
        assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
        assert "Server" not in headers


@pytest.mark.parametrize("path", ["/portfolio/fills", "/portfolio/orders", "/portfolio/settlements", "/markets/"])
def test_next_leads_to_the_end(server: Server, path: str) -> None:
    """Any `next` is accepted as a cursor, also one into the exchange's historical tier."""
    requested, seen = {"limit": "1000"}, set()
    while True:
        answer = server.get(path, params=requested)
        assert answer.status_code == 200, answer.text
        following = answer.json()["next"]
        assert following not in seen
        if following is None:
            break
        seen.add(following)
        requested["cursor"] = following
    assert seen or path != "/portfolio/fills"


def test_live_trades_have_the_cursor_of_the_head(server: Server, traded: str) -> None:
    """The cursor has the digits of the head's checksum, so that a stream from it notices a journal that went back."""
    live, history = (server.get(f"/portfolio/trades/{name}").json() for name in ("live", "history"))
    assert live["cursor"] == history["cursor"]
    assert len(live["cursor"].split("-")) == 3


def test_history_pages_have_no_gaps(server: Server) -> None:
    """Walking by next gives every entry once, in order, and its cursor is the head."""
    seen: list[int] = []
    after = "0"
    while after:
        page = server.get(f"/portfolio/trades/history?after={after}&limit=2").json()
        seen += [entry["seq"] for entry in page["entries"]]
        after = page["next"]
    assert seen == list(range(1, len(seen) + 1))
    assert page["cursor"].split("-")[1] == str(seen[-1])
