"""Rules of access without a server: the clients that pass, and refusals on a page, a stream and the API."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from routes.access import Access, AccessMiddleware, SessionsAway
from routes.client_limits import AT_ONCE, ClientRateLimit, LoginGuard
from routes.login import LIFETIME, Tickets
from tests.support.asgi import AsgiResponse, asgi_request
from tests.support.clock import Clock

TOKEN = "correct-horse-battery-staple"
HOLDER = {"authorization": f"Bearer {TOKEN}"}
STREAM = "/api/python/sse/trading"
PAGE = {"accept": "text/html,*/*"}


class Sessions:
    """Logins at Spring: one is live, and the store may be away."""

    def __init__(self) -> None:
        self.away = False

    async def is_live(self, cookie: str) -> bool:
        """Return True for the one that is live."""
        if self.away:
            raise SessionsAway("no answer")
        return cookie == "live"


def token_access(**more: Any) -> Access:
    """Access by the API token, without the delay of a wrong one."""
    return Access(Tickets(TOKEN), guard=LoginGuard(0.0), **more)


async def served(scope: Any, receive: Any, send: Any) -> None:
    """The application behind the rules."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


async def ask(access: Access, path: str = "/api/python/health", method: str = "GET", **headers: str) -> AsgiResponse:
    """Return the response to one request."""
    return await asgi_request(AccessMiddleware(served, lambda scope: access), path, b"", method, headers)


def test_the_kind_and_what_is_open() -> None:
    """A rate limit alone leaves the service public, yet some requests are refused."""
    sessions: Any = Sessions()
    kinds = [Access(), token_access(), Access(sessions=sessions), token_access(sessions=sessions)]
    assert [access.kind for access in kinds] == ["public", "token", "spring-session", "spring-session"]
    assert [access.is_public for access in kinds] == [True, False, False, False]
    assert [access.is_open for access in kinds] == [True, False, False, False]
    limited = Access(rates=ClientRateLimit(1))
    assert (limited.is_public, limited.is_open) == (True, False)


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/api/python/health", "GET", {}, 401),
        ("/api/python/health", "GET", HOLDER, 200),
        ("/api/python/health", "GET", {"authorization": f"bearer  {TOKEN} "}, 200),
        ("/api/python/health", "GET", {"authorization": f"Basic {TOKEN}"}, 401),
        ("/api/python/health", "GET", {"authorization": "Bearer wrong"}, 401),
        ("/api/python/health", "GET", {"cookie": "pi_session=forged"}, 401),
        ("/api/python/health", "OPTIONS", {}, 200),
        ("/api/python/health/live", "GET", {}, 200),
        ("/api/python/health/ready/", "GET", {}, 200),
        ("/api/python/session", "POST", {}, 200),
        ("/api/python/portfolio/balance", "POST", {}, 401),
        (STREAM, "GET", HOLDER, 200),
        (STREAM, "GET", {}, 401),
    ],
)
async def test_a_token_is_required(path: str, method: str, headers: dict[str, str], status: int) -> None:
    """Except for probes, the login and the preflight of another origin."""
    response = await ask(token_access(), path, method, **headers)
    assert response.status == status
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert (response.body == b"served") == (status == 200)


async def test_a_ticket_passes_until_its_end() -> None:
    """It is worth as much as the token that it was issued for."""
    clock = Clock()
    access = Access(Tickets(TOKEN, clock))
    cookie = f"pi_session={Tickets(TOKEN, clock).issue()}"
    assert (await ask(access, cookie=cookie)).status == 200
    clock.now += LIFETIME
    assert (await ask(access, cookie=cookie)).status == 401


async def test_a_revoked_ticket_does_not_pass() -> None:
    """A logout ends it before its time."""

    class Revoked:
        async def contains(self, ticket: Any) -> bool:
            return bool(ticket.id == revoked)

    tickets = Tickets(TOKEN)
    one, two = tickets.issue(), tickets.issue()
    found = tickets.read(one)
    assert found is not None
    revoked = found.id
    everything: Any = Revoked()
    access = token_access(revoked=everything)
    assert [(await ask(access, cookie=f"pi_session={each}")).status for each in (one, two)] == [401, 200]


async def test_a_login_at_spring_passes_and_a_store_that_is_away_is_named() -> None:
    """401 without a login; 503 for every client while it cannot be checked."""
    sessions: Any = Sessions()
    access = Access(sessions=sessions)
    assert (await ask(access, cookie="SESSION=live")).status == 200
    assert (await ask(access, cookie="SESSION=other")).status == 401
    assert (await ask(access)).status == 401
    both = replace(access, tickets=Tickets(TOKEN))
    assert [(await ask(both, **headers)).status for headers in (HOLDER, {"cookie": "SESSION=live"}, {})] == [
        200,
        200,
        401,
    ]
    sessions.away = True
    response = await ask(access, cookie="SESSION=live")
    assert (response.status, b"your login cannot be checked now: no answer" in response.body) == (503, True)


@pytest.mark.parametrize(
    "form", ["{0}={1}; {0}={2}", "{0}={2}; {0}={1}", "a=b; {0}={2};{0}={2}; {0}={1}; c", '{0}="{1}"']
)
async def test_any_of_several_cookies_of_one_name_counts(form: str) -> None:
    """A browser sends one for each path and domain that fits, the oldest last, as Spring reads them too."""
    sessions: Any = Sessions()
    assert (await ask(Access(sessions=sessions), cookie=form.format("SESSION", "live", "old"))).status == 200
    ticket = Tickets(TOKEN).issue()
    assert (await ask(token_access(), cookie=form.format("pi_session", ticket, "1.2.3"))).status == 200
    assert (await ask(token_access(), cookie=form.format("pi_session", "4.5.6", "1.2.3"))).status == 401


async def test_a_flood_of_cookies_is_not_looked_up() -> None:
    """The first few of a name are read, since each is a request to the store."""
    sessions: Any = Sessions()
    cookies = "SESSION=old; " * 100 + "SESSION=live"
    assert (await ask(Access(sessions=sessions), cookie=cookies)).status == 401


async def test_a_client_without_an_address_is_checked_like_any_other() -> None:
    """A Unix socket gives no address; wrong tokens and rates of its clients are counted as of one network."""
    app = AccessMiddleware(served, lambda scope: access)
    access = token_access(rates=ClientRateLimit(2))
    statuses = [(await asgi_request(app, "/api/python/health", headers=headers, client=None)).status
                for headers in ({"authorization": "Bearer wrong"}, HOLDER, HOLDER)]  # fmt: skip
    assert statuses == [401, 200, 429]


async def test_too_many_wrong_tokens_at_once_are_refused() -> None:
    """429 for those beyond AT_ONCE of one network; the right token passes meanwhile."""
    access = Access(Tickets(TOKEN), guard=LoginGuard(3600.0))
    waiting = [asyncio.create_task(ask(access, authorization="Bearer wrong")) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    assert (await ask(access, authorization="Bearer wrong")).status == 429
    assert (await ask(access, **HOLDER)).status == 200
    assert access.guard.failures == AT_ONCE + 1
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


@pytest.mark.parametrize(
    ("path", "method", "status", "reason"),
    [
        (STREAM, "GET", 200, b'"reason":"busy"'),
        (STREAM, "HEAD", 429, None),
        ("/api/python/health", "GET", 429, None),
    ],
)
async def test_a_stream_beyond_the_rate_ends_with_a_bye(path: str, method: str, status: int, reason: Any) -> None:
    """200 and a bye, for a browser never opens a stream again after another status; elsewhere 429 with Retry-After."""
    access = Access(rates=ClientRateLimit(1))
    assert (await ask(access, path, method)).body == b"served"
    response = await ask(access, path, method)
    assert (response.status, "retry-after" in response.headers) == (status, status == 429)
    if reason is not None:
        assert reason in response.body
        assert b"retry: " in response.body
        assert response.headers["content-type"].startswith("text/event-stream")


async def test_a_stream_whose_login_cannot_be_checked_ends_with_away() -> None:
    """The browser comes back when the store does."""
    sessions: Any = Sessions()
    sessions.away = True
    response = await ask(Access(sessions=sessions), STREAM)
    assert (response.status, b'"reason":"away"' in response.body) == (200, True)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/python/dashboard", PAGE, 303),
        ("/api/python/docs/", PAGE, 303),
        ("/api/python/", PAGE, 303),
        ("/api/python/dashboard", {"accept": "*/*"}, 401),
        ("/api/python/dashboard", {}, 401),
        ("/api/python/health", PAGE, 401),
        ("/api/python/dashboard", PAGE | {"authorization": "Bearer wrong"}, 303),
    ],
)
async def test_a_browser_on_a_page_is_sent_to_the_login(path: str, headers: dict[str, str], status: int) -> None:
    """Only a browser, and only where a page is; a service of Spring's users has no login page of its own."""
    response = await ask(token_access(), path, **headers)
    assert response.status == status
    assert response.headers.get("location") == ("/api/python/session" if status == 303 else None)
    sessions: Any = Sessions()
    assert (await ask(Access(sessions=sessions), path, **headers)).status == 401


async def test_a_stream_of_a_known_client_goes_on() -> None:
    """Its client is looked at again and again, and the stream ends by itself as it would without rules."""
    looked: list[str] = []
    done = asyncio.Event()

    class Counted(Sessions):
        async def is_live(self, cookie: str) -> bool:
            looked.append(cookie)
            if len(looked) == 5:
                done.set()
            return True

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await done.wait()
        await served(scope, receive, send)

    sessions: Any = Counted()
    app = AccessMiddleware(stream, lambda scope: Access(sessions=sessions), recheck=0.001)
    response = await asyncio.wait_for(asgi_request(app, STREAM, headers={"cookie": "SESSION=live"}), 20)
    assert (response.body, set(looked)) == (b"served", {"live"})


async def test_a_stream_whose_client_leaves_is_cancelled() -> None:
    """The task of the stream ends with the request, and its failure is the request's."""
    ended: list[str] = []

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stream")

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    access = token_access()
    task = asyncio.create_task(asgi_request(AccessMiddleware(stream, lambda scope: access), STREAM, headers=HOLDER))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    for _ in range(5):
        await asyncio.sleep(0)
    assert ended == ["stream"]
    with pytest.raises(ZeroDivisionError):
        await asgi_request(AccessMiddleware(failing, lambda scope: access), STREAM, headers=HOLDER)


async def test_a_stream_whose_login_ends_gets_a_bye(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its task is cancelled, and the reader returns after a second, then to be refused."""
    monkeypatch.setattr("random.uniform", lambda least, greatest: greatest)
    ended = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    class Ending(Sessions):
        checks = 0

        async def is_live(self, cookie: str) -> bool:
            self.checks += 1
            return self.checks < 3

    sessions: Any = Ending()
    app = AccessMiddleware(stream, lambda scope: Access(sessions=sessions), recheck=0.001)
    response = await asyncio.wait_for(asgi_request(app, STREAM, headers={"cookie": "SESSION=live"}), 20)
    assert ended.is_set()
    assert sessions.checks == 3
    assert b"retry: 1500\n" in response.body
    assert b'"reason":"age"' in response.body
    assert response.messages[-1]["more_body"] is False


async def test_a_refused_stream_returns_after_its_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One and a half times the Retry-After of the refusal; 5 seconds where it has none."""
    monkeypatch.setattr("random.uniform", lambda least, greatest: 1.0)
    clock = Clock()
    access = Access(rates=ClientRateLimit(2, clock))
    for _ in range(2):
        assert (await ask(access, STREAM)).body == b"served"
    response = await ask(access, STREAM)
    assert b"retry: 45000\n" in response.body
    clock.now += 29
    assert (await ask(access, "/api/python/health")).headers["retry-after"] == "1"
    clock.now += 1
    assert (await ask(access, STREAM)).body == b"served"
    away: Any = Sessions()
    away.away = True
    assert b"retry: 7500\n" in (await ask(Access(sessions=away), STREAM)).body
