"""Browsers of other sites: the named origin may read, and a refusal is a readable problem."""

import pytest

from tests.support.server import Server

NAMED = "https://app.example.com"


def preflight(origin: str, method: str = "GET", header: str = "last-event-id") -> dict[str, str]:
    """Return the preflight of a browser."""
    return {
        "Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": header,
    }  # fmt: skip


def test_only_the_named_origin_may_read(server: Server) -> None:
    """CORS: the exact origin is allowed and sees ETag, Age and Retry-After; another gets nothing."""
    named = server.get("/portfolio/balance", headers={"Origin": "https://app.example.com"})
    assert named.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Origin" in named.headers["Vary"]
    assert {"ETag", "Age", "Retry-After"} <= set(named.headers["Access-Control-Expose-Headers"].split(", "))
    other = server.get("/portfolio/balance", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/portfolio/fills?limit=0", 400, id="a parameter"),
        pytest.param("/markets/NO-SUCH-MARKET", 404, id="an error of the exchange"),
        pytest.param("/nothing", 404, id="a path that does not exist"),
        pytest.param("/sse/nothing", 404, id="a stream that does not exist"),
    ],
)
def test_the_named_origin_may_read_problems(server: Server, path: str, status: int) -> None:
    """A page of the allowed origin sees the status and the detail of an error, and when to ask again."""
    answer = server.get(path, headers={"Origin": NAMED})
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.headers["Access-Control-Allow-Origin"] == NAMED
    assert "Origin" in answer.headers["Vary"]
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_a_preflight_of_the_named_origin_is_granted(server: Server) -> None:
    """With the headers that our client sends."""
    granted = server.get("/sse/trading", "OPTIONS", headers=preflight(NAMED))
    assert granted.status_code == 200
    assert granted.headers["Access-Control-Allow-Origin"] == NAMED
    assert "Last-Event-ID" in granted.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("origin", "method", "header", "refused"),
    [
        pytest.param("https://evil.example", "GET", "last-event-id", "origin", id="another site"),
        pytest.param(NAMED, "PUT", "last-event-id", "method", id="another method"),
        pytest.param(NAMED, "GET", "x-magic", "headers", id="another header"),
    ],
)
def test_a_preflight_that_is_refused_is_a_problem(
    server: Server, origin: str, method: str, header: str, refused: str
) -> None:
    """As every error: its detail names what is not allowed, and no header allows it."""
    answer = server.get("/portfolio/balance", "OPTIONS", headers=preflight(origin, method, header))
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "/api/python/docs#bad-request"
    assert problem["instance"] == "/api/python/portfolio/balance"
    assert refused in problem["detail"]
    assert "Origin" in answer.headers["Vary"]
    assert ("Access-Control-Allow-Origin" in answer.headers) == (origin == NAMED)
