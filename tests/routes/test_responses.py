"""Responses without a server: ETags, caching, parameters of JsonEndpoint, and what a request leaves behind."""

import gc
import json
import time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from cache.base import Answer
from routes.access import Access
from routes.application import Application, Durations
from routes.context import Services
from routes.endpoint import LIMIT, Endpoint, Query
from routes.login import Tickets
from routes.responses import DATES, JsonEndpoint, accepts_csv, encode, live_json, matches, undated
from tests.support.asgi import asgi_request

TOKEN = "correct-horse-battery-staple"
BALANCE = {"balance": Decimal("10.5"), "by_exchange_index": {"0": Decimal("10.5")}}


def etag(value: Any, source: str = "kalshi_api", as_of: float = 1.0, stale: bool = False) -> bytes:
    """Return the ETag of an answer."""
    return encode(Answer(value, source, as_of, stale), b"").etag


@pytest.mark.parametrize(
    "other",
    [
        {**BALANCE, "balance": Decimal("10.51")},
        {**BALANCE, "by_exchange_index": {"0": Decimal("10.51")}},
        {**BALANCE, "by_exchange_index": {"1": Decimal("10.5")}},
        {**BALANCE, "more": None},
        {"balance": Decimal("10.5")},
        {"positions": [BALANCE]},
        {},
    ],
)
def test_other_data_has_another_etag(other: Any) -> None:
    """A changed number, name or depth changes the tag."""
    assert etag(other) != etag(BALANCE)


def test_a_stale_answer_has_another_etag() -> None:
    """The same data marked stale is another answer."""
    assert etag(BALANCE, stale=True) != etag(BALANCE)


@pytest.mark.parametrize("name", DATES)
def test_the_time_of_confirmation_keeps_the_etag(name: str) -> None:
    """The same data confirmed again, at any depth, is the same answer."""
    first = {"rows": [{"price": 1, name: 1.0}], name: 1.0}
    second = {"rows": [{"price": 1, name: 2.0}], name: 2.0}
    assert etag(first, as_of=1.0) == etag(second, "memory_cache", as_of=2.0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_etags_are_equal_only_for_equal_data(first: Any, second: Any) -> None:
    """Two values have one tag if and only if they are the same without their times of confirmation."""
    one, two = {"value": first}, {"value": second}
    same = json.dumps(undated(one)) == json.dumps(undated(two))
    assert (etag(one) == etag(two)) == same


def services(**more: Any) -> Any:
    """Return services of which only some exist."""
    markets = SimpleNamespace(ttl=300.0)
    return {"services": SimpleNamespace(access=Access(), markets=markets, **more)}


@pytest.mark.parametrize(
    ("caching", "access", "stale", "policy"),
    [
        ("market", Access(), False, "public, max-age=300"),
        ("market", Access(), True, "public, no-cache"),
        ("market", Access(Tickets(TOKEN)), False, "private, max-age=300"),
        ("market", Access(Tickets(TOKEN)), True, "private, no-cache"),
        ("account", Access(), False, "private, no-cache"),
        ("live", Access(), False, "no-store"),
    ],
)
async def test_shared_caches_may_keep_only_public_market_data(
    caching: Any, access: Access, stale: bool, policy: str
) -> None:
    """Cache-Control by kind of data; a service that requires a token allows no shared cache."""

    async def handler(services: Services, query: Query) -> Answer:
        return Answer({}, "kalshi_api", time.time(), stale)

    endpoint = JsonEndpoint(Endpoint("/x", "x", answer=handler, caching=caching))
    state = {"services": SimpleNamespace(access=access, markets=SimpleNamespace(ttl=300.0))}
    response = await asgi_request(endpoint, "/api/python/x", state=state)
    assert response.headers["cache-control"] == policy


async def test_an_answer_is_kept_for_its_own_query() -> None:
    """Two queries of one URL do not share an encoded answer; a query that is written differently does."""
    answers = {limit: Answer({"limit": limit}, "journal", 1.0) for limit in (1, 2, 100)}

    async def handler(services: Services, query: Query) -> Answer:
        return answers[query["limit"]]

    endpoint = JsonEndpoint(Endpoint("/x", "x", "", (LIMIT,), handler))
    for query, limit in ((b"limit=1", 1), (b"limit=2", 2), (b"limit=1&color=blue", 1), (b"", 100), (b"limit=0001", 1)):
        response = await asgi_request(endpoint, "/api/python/x", query, state=services())
        assert json.loads(response.body)["limit"] == limit


async def test_requests_leave_no_garbage_in_cycles() -> None:
    """After 1 000 requests of each kind the collector finds no object that refers to itself."""
    balance = Answer({"balance": 1}, "kalshi_api", time.time())

    async def read_balance() -> Answer:
        return balance

    app = Application(Durations(), "1")
    state = services(portfolio=SimpleNamespace(balance=read_balance), version="1")
    paths = [
        ("/portfolio/balance", {}, 200),
        ("/portfolio/balance", {"if-none-match": "*"}, 304),
        ("/portfolio/fills", {}, 400),
        ("/nothing", {}, 404),
        ("/portfolio/balance", {"host": "evil.example"}, 421),
        ("/portfolio/balance", {"origin": "https://evil.example"}, 200),
        ("", {}, 200),
    ]
    for path, headers, status in paths:
        query = b"limit=x" if status == 400 else b""
        for _ in range(3):  # whatever is made once is made now
            assert (await asgi_request(app, f"/api/python{path}", query, headers=headers, state=state)).status == status
        gc.collect()
        gc.disable()
        try:
            for _ in range(1000):
                await asgi_request(app, f"/api/python{path}", query, headers=headers, state=state)
            assert gc.collect() < 50, path
        finally:
            gc.enable()


async def fetched(endpoint: JsonEndpoint, query: bytes = b"", **headers: str) -> Any:
    """Return the response to a request with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await asgi_request(endpoint, "/api/python/x", query, headers=named, state=services())


def endpoint_of(answer: Any, *parameters: Any) -> JsonEndpoint:
    """Return an endpoint that answers with what answer() returns."""

    async def handler(services: Services, query: Query) -> Answer:
        made: Answer = answer()
        return made

    return JsonEndpoint(Endpoint("/x", "x", "", parameters, handler))


@pytest.mark.parametrize(("seconds", "age"), [(0.5, "0"), (7.5, "7"), (-30.0, "0")])
async def test_age_is_the_seconds_since_the_confirmation(seconds: float, age: str) -> None:
    """In whole seconds, in a 200 and in a 304; a confirmation from the future is 0 seconds old."""
    answer = Answer({"a": 1}, "kalshi_api", time.time() - seconds)
    endpoint = endpoint_of(lambda: answer)
    response = await fetched(endpoint)
    assert (response.status, response.headers["age"]) == (200, age)
    assert response.headers["content-length"] == str(len(response.body))
    assert response.headers["content-type"] == "application/json"
    unchanged = await fetched(endpoint, if_none_match=response.headers["etag"])
    assert (unchanged.status, unchanged.headers["age"], unchanged.body) == (304, age, b"")
    assert "content-length" not in unchanged.headers


async def test_age_goes_on_while_the_answer_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headers are made again when a second has passed, the body is not."""
    answer, now = Answer({}, "kalshi_api", 100.0), [100.0]
    monkeypatch.setattr("routes.responses.time.time", lambda: now[0])
    endpoint = endpoint_of(lambda: answer)
    for moment, age in ((100.0, "0"), (100.9, "0"), (101.0, "1"), (160.0, "60")):
        now[0] = moment
        assert (await fetched(endpoint)).headers["age"] == age


def test_headers_are_made_anew_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a second the requests of one answer share them."""
    now = [100.0]
    monkeypatch.setattr("routes.responses.time.time", lambda: now[0])
    encoded = encode(Answer({}, "kalshi_api", 100.0), b"no-store")
    first = encoded.ok()
    assert encoded.ok() is first
    now[0] = 101.0
    second = encoded.ok()
    assert dict(second)[b"age"] == b"1"
    assert encoded.ok() is second


async def test_a_new_answer_is_encoded_anew() -> None:
    """Of one query the newest answer is sent; the same answer is encoded once."""
    answers = [Answer({"balance": number}, "kalshi_api", 1.0) for number in (1, 1, 2)]
    sent = iter([answers[0], answers[0], answers[1], answers[2], answers[0]])
    endpoint = endpoint_of(lambda: next(sent))
    bodies, encodings = [], []
    for _ in range(5):
        bodies.append(json.loads((await fetched(endpoint)).body)["balance"])
        encodings.append(endpoint._encoded[()])
    assert bodies == [1, 1, 1, 2, 1]
    assert [one is other for one, other in zip(encodings, encodings[1:], strict=False)] == [True, False, False, False]


async def test_an_unchanged_answer_ends_without_a_body() -> None:
    """A 304 is complete: its empty body is sent, as servers require."""
    response = await fetched(endpoint_of(lambda: Answer({}, "journal", 1.0)), if_none_match="*")
    assert [message["type"] for message in response.messages] == ["http.response.start", "http.response.body"]


@pytest.mark.parametrize(("accept", "sent"), [("text/csv", b"a,b"), ("application/json", b'"limit":7'), ("", b"7")])
async def test_csv_is_sent_where_it_is_accepted(accept: str, sent: bytes) -> None:
    """An endpoint without CSV always sends JSON; one with it reads the query in the same way."""

    async def handler(services: Services, query: Query) -> Answer:
        return Answer({"limit": query["limit"]}, "journal", 1.0)

    def table(services: Services, query: Query) -> Any:
        return Response(f"a,b\r\n{query['limit']}")

    for csv in (table, None):
        endpoint = JsonEndpoint(Endpoint("/x", "x", "", (LIMIT,), handler, csv=csv))
        response = await fetched(endpoint, b"limit=7", accept=accept)
        expected = sent if csv else b'"limit":7'
        assert expected in response.body
        assert b"7" in response.body


async def test_the_scope_names_the_endpoint() -> None:
    """So that durations and counters are kept by the path of the table and not by the URL."""
    endpoint = endpoint_of(lambda: Answer({}, "journal", 1.0))
    scope: dict[str, Any] = {"type": "http", "headers": [], "query_string": b"", "state": services()}

    async def send(message: Any) -> None:
        assert scope["endpoint"].label == "/x"

    await endpoint(scope, no_message, send)
    assert scope["endpoint"] is endpoint


async def no_message() -> Any:
    """Return a request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_an_answer_that_was_never_confirmed_has_no_age() -> None:
    """as_of is null, and the response has no Age header."""
    response = await fetched(endpoint_of(lambda: Answer({"a": 1}, "journal", 0.0)))
    assert "age" not in response.headers
    assert json.loads(response.body) == {"source": "journal", "as_of": None, "stale": False, "a": 1}


async def test_an_answer_without_data_is_its_provenance() -> None:
    """as_of has milliseconds, and an empty value adds nothing."""
    response = await fetched(endpoint_of(lambda: Answer({}, "kalshi_api", 5.12345, stale=True)))
    assert json.loads(response.body) == {"source": "kalshi_api", "as_of": 5.123, "stale": True}


@pytest.mark.parametrize(
    ("sent", "status"),
    [("{}", 304), ("W/{}", 304), ('"x", {}', 304), ("*", 304), ('"x"', 200), ("", 200), ("x{}", 200)],
)
async def test_if_none_match_names_the_etag(sent: str, status: int) -> None:
    """Alone, in a list, weak or not, or any; another tag gets the whole answer."""
    endpoint = endpoint_of(lambda: Answer({"a": 1}, "journal", 1.0))
    tag = (await fetched(endpoint)).headers["etag"]
    assert tag.startswith('W/"')
    assert (await fetched(endpoint, if_none_match=sent.format(tag.removeprefix("W/")))).status == status


@pytest.mark.parametrize(
    ("accept", "csv"),
    [("text/csv", True), ("TEXT/CSV", True), ("text/csv, */*", True), ("application/json", False), ("*/*", False),
     ("text/csv, application/json", False), ("", False)],
)  # fmt: skip
def test_csv_is_sent_for_its_accept_header(accept: str, csv: bool) -> None:
    """JSON is sent if it is accepted too."""
    assert accepts_csv({"headers": [(b"host", b"text/csv"), (b"accept", accept.encode())]}) is csv


async def test_only_the_newest_queries_keep_their_encoded_answer() -> None:
    """64 of them; the one that was sent longest ago is encoded again."""
    answers = {limit: Answer({"limit": limit}, "journal", 1.0) for limit in range(1, 1000)}

    async def handler(services: Services, query: Query) -> Answer:
        return answers[query["limit"]]

    endpoint = JsonEndpoint(Endpoint("/x", "x", "", (LIMIT,), handler))
    for limit in range(1, 65):
        await fetched(endpoint, b"limit=%d" % limit)
    assert len(endpoint._encoded) == 64
    answers[1] = Answer({"limit": 1}, "journal", 2.0)
    await fetched(endpoint, b"limit=1")
    await fetched(endpoint, b"limit=900")
    assert (len(endpoint._encoded), (1,) in endpoint._encoded, (2,) in endpoint._encoded) == (64, True, False)


def test_json_of_the_moment_is_not_cached() -> None:
    """no-store, with the requested status."""
    response = live_json({"a": Decimal("0.50")}, 503)
    assert (response.status_code, response.headers["cache-control"], response.body) == (503, "no-store", b'{"a":0.5}')
    assert live_json([]).status_code == 200


def test_a_request_without_an_etag_matches_none() -> None:
    """No other header counts."""
    assert matches({"headers": [(b"if-match", b"*")]}, b'W/"a"') is False
