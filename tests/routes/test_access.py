"""Access to running servers: the token, its ticket, Spring's sessions, the rate limit; no secret is logged."""

import asyncio
import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from cache.base import RedisAddress
from cache.decimal_json import loads
from cache.redis import connect
from journal.dsn import open_journal
from journal.errors import JournalDamaged
from routes.access import Access, AccessMiddleware
from routes.client_limits import AT_ONCE, NETWORKS, ClientRateLimit, LoginGuard
from routes.login import LIFETIME, MARK, RevokedTickets, Ticket, Tickets
from routes.spring import SpringSessions, session_id
from tests.support.eventually import until
from tests.support.neighbours import RedisServer
from tests.support.server import Server, running_server

TOKEN = "correct-horse-battery-staple"
LIVE = "11111111-aaaa-bbbb-cccc-000000000001"
CONTEXT = b"\xac\xed\x00\x05sr\x00=org.springframework.security.core.context.SecurityContextImpl"
ANONYMOUS = "11111111-aaaa-bbbb-cccc-000000000002"


def cookie(session: str) -> str:
    """An id as Spring writes it into a cookie."""
    return base64.b64encode(session.encode()).decode()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that requires the token."""
    with running_server(tmp_path_factory.mktemp("guarded"), API_TOKEN=TOKEN) as server:
        yield server


@pytest.mark.parametrize("path", ["/health", "/portfolio/balance", "/sse/trading", "/docs", "/metrics", "/nothing"])
def test_without_the_token_nothing_is_revealed(guarded: Server, path: str) -> None:
    """401 as a problem with a Bearer challenge for any path, so that not even its existence is revealed."""
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready/", "/session"])
def test_probes_and_the_login_page_are_open(guarded: Server, path: str) -> None:
    """URLs that a load balancer and a user without a token need."""
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xff"], ids=range(6)
)
def test_a_wrong_token_is_refused(guarded: Server, header: str) -> None:
    """Only the whole token opens."""
    assert guarded.get("/health", headers={"Authorization": header.encode("latin-1")}).status_code == 401


def test_a_program_sends_the_token(guarded: Server) -> None:
    """Authorization: Bearer opens everything."""
    assert guarded.get("/health", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("way", ["bearer", "json", "form"])
def test_a_browser_trades_the_token_for_a_cookie(guarded: Server, way: str) -> None:
    """POST /session gives an HttpOnly, SameSite=Strict cookie that opens the rest, streams too; DELETE takes it."""
    more = {
        "bearer": {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        "json": {"json": {"token": TOKEN}},
        "form": {"data": {"token": TOKEN}},
    }[way]
    answer = guarded.get("/session", "POST", **more)
    assert answer.status_code == (303 if way == "form" else 204)
    header = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/api/python"} <= set(header.split("; "))
    assert TOKEN not in header
    stored = {"pi_session": answer.cookies["pi_session"]}
    assert guarded.get("/health", cookies=stored).status_code == 200
    assert guarded.get("/sse/trading", "HEAD", cookies=stored).status_code == 200
    assert 'pi_session="";' in guarded.get("/session", "DELETE").headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"json": {"token": "wrong"}}, 401),
        ({"json": ["token"]}, 400),
        ({"json": {"token": 7}}, 400),
        ({"json": {"token": ["a"]}}, 400),
        ({"data": b'{"token":"\\ud800"}'}, 401),
        ({"data": b"[" * 4000}, 400),
        ({"data": b'{"token":' * 400}, 400),
        ({"data": b"&" * 4000, "headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 400),
        ({"data": b"\xff\xfe"}, 400),
        ({"data": b"x" * 5000}, 413),
        ({}, 400),
    ],
    ids=["wrong", "list", "number", "nested", "surrogate", "brackets", "deep", "fields", "garbage", "large", "empty"],
)
def test_a_bad_login_is_refused(guarded: Server, more: dict[str, object], status: int) -> None:
    """A problem, and no cookie."""
    answer = guarded.get("/session", "POST", **more)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert "Set-Cookie" not in answer.headers


def test_without_a_token_setting_there_is_no_login(server: Server) -> None:
    """404 that names the missing setting; no cookie."""
    answer = server.get("/session", "POST", json={"token": "a guess"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert "API_TOKEN sets the one" in answer.json()["detail"]
    assert "Set-Cookie" not in answer.headers


def test_a_browser_is_shown_the_login_page(guarded: Server) -> None:
    """A browser that opens the dashboard is sent to the login, and gets no problem in JSON."""
    answer = guarded.get("/dashboard", headers={"Accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/python/session")


def test_behind_a_path_of_the_proxys_it_is_the_same(tmp_path: Path) -> None:
    """With --root-path: the probes are open, a person finds the login page, and the cookie comes back to us."""
    command = ["-m", "uvicorn", "server:app", "--port", "{port}", "--root-path", "/front"]
    with running_server(tmp_path, command, API_TOKEN=TOKEN) as server:
        assert [server.get(path).status_code for path in ("/health/live", "/health/ready/", "/session")] == [200] * 3
        shown = server.get("/dashboard", headers={"Accept": "text/html"})
        assert (shown.status_code, shown.headers["Location"]) == (303, "/front/api/python/session")
        entered = server.get("/session/", "POST", data={"token": TOKEN})
        assert (entered.status_code, entered.headers["Location"]) == (303, "/front/api/python/dashboard")
        assert "Path=/front/api/python;" in entered.headers["Set-Cookie"]


def test_the_log_has_no_secret_and_no_address(guarded: Server) -> None:
    """Neither the token nor a whole address stands in anything that was written."""
    text = guarded.log.read_text()
    assert TOKEN not in text
    assert "127.0.0.1:" not in text.replace("http://127.0.0.1:", "")


def test_a_ticket_ends_and_cannot_be_made() -> None:
    """A ticket is good until its end, for its own token alone, and only as it was issued."""
    now = [1000.0]
    tickets = Tickets(TOKEN, lambda: now[0])
    ticket = tickets.issue()
    found = tickets.read(ticket)
    assert found is not None
    assert found.end == 1000 + LIFETIME
    for forged in (
        "",
        "x",
        "\ud800",
        "é.é.é",
        "9999999999.aa.bb",
        ticket[:-1],
        ticket + "0",
        "9" + ticket,
        ticket.replace(".", ":"),
    ):
        assert tickets.read(forged) is None
    assert Tickets("another", lambda: now[0]).read(ticket) is None
    now[0] += LIFETIME
    assert tickets.read(ticket) is None


@pytest.mark.parametrize(
    "text", ["", "%%%", "a", cookie("short"), cookie("../../etc/passwd0000"), cookie("x" * 99), "ÿ"]
)
def test_a_cookie_that_cannot_be_a_session_is_not_looked_up(text: str) -> None:
    """A cookie of another form than Spring's never reaches Redis."""
    assert session_id(text) is None


def test_a_network_has_its_own_bucket_and_the_memory_is_bounded() -> None:
    """So many requests a minute each; then the wait is returned; the least recent of too many networks is dropped."""
    now = [0.0]
    rates = ClientRateLimit(2, lambda: now[0])
    assert [rates.spend("a"), rates.spend("a"), rates.spend("a"), rates.spend("b")] == [0, 0, 30, 0]
    now[0] = 30.0
    assert rates.spend("a") == 0
    for number in range(NETWORKS + 5):
        rates.spend(str(number))
    assert rates.bucket.cache_info().currsize <= NETWORKS


def test_too_many_requests_get_a_retry_time(tmp_path: Path) -> None:
    """429 with Retry-After; the probes of a load balancer are counted too, for they come from a network as well."""
    with running_server(tmp_path, RATE_LIMIT="5") as server:
        answers = [server.get("/health") for _ in range(8)]
        stream = server.get("/sse/trading")
    assert [answer.status_code for answer in answers][-1] == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert answers[-1].headers["Content-Type"] == "application/problem+json"
    # A browser's EventSource would never come back after a 429.
    assert (stream.status_code, stream.headers["Content-Type"]) == (200, "text/event-stream")
    assert re.fullmatch(
        r': too many requests .*\nretry: \d+\n: Prediction Investor\nevent: bye\ndata: {"reason":"busy"}\n\n',
        stream.text,
    )


def spring_session(accessed: float, inactive: int, context: bytes = CONTEXT) -> dict[Any, Any]:
    """Return the hash of a session as Spring's default serializer writes it. accessed: Unix seconds."""
    number = b"\xac\xed\x00\x05sr\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00xp"
    return {
        "lastAccessedTime": number.replace(b"Number", b"Long") + int(accessed * 1000).to_bytes(8, "big"),
        "maxInactiveInterval": number.replace(b"Number", b"Integer") + inactive.to_bytes(4, "big", signed=True),
        "sessionAttr:SPRING_SECURITY_CONTEXT": context,
    }


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("fields", "live"),
    [
        (spring_session(NOW - 60, 1800), True),
        (spring_session(NOW - 60, -1), True),
        (spring_session(NOW - 1801, 1800), False),
        (spring_session(NOW - 60, 0), False),
        (spring_session(NOW - 60, 1800, b""), False),
        (spring_session(NOW - 60, 1800, b"\xac\xed\x00\x05p"), False),
        (spring_session(NOW - 60, 1800, b"null"), False),
        ({"sessionAttr:SPRING_SECURITY_CONTEXT": CONTEXT}, False),
        ({**spring_session(NOW, 1800), "lastAccessedTime": b"1700000000000", "maxInactiveInterval": b"1800"}, True),
        ({**spring_session(NOW, 1800), "lastAccessedTime": b"\xff\xfe", "maxInactiveInterval": b"1800"}, False),
        ({}, False),
    ],
    ids=[
        "live", "without end", "expired, hash kept", "logged out, hash kept", "context emptied", "context null",
        "context JSON null", "no times", "JSON numbers", "unreadable", "gone",
    ],
)  # fmt: skip
@pytest.mark.parametrize("namespace", ["spring:session", "shop:login"])
@pytest.mark.redis
async def test_a_session_counts_until_its_own_expiry(
    fields: dict[str, bytes], live: bool, namespace: str, redis_server: RedisServer
) -> None:
    """A session is logged in while its context is not empty and its time is not over, for any remaining keys."""
    client = connect(RedisAddress("127.0.0.1", redis_server.port), timeout=5)
    try:
        key = f"{namespace}:sessions:{LIVE}"
        await client.delete(key)
        if fields:
            await client.hset(key, mapping=fields)
        sessions = SpringSessions(client, namespace, lambda: NOW)
        assert await sessions.is_live(cookie(LIVE)) is live
        assert not await SpringSessions(client, "another", lambda: NOW).is_live(cookie(LIVE))
    finally:
        await client.aclose()


@pytest.mark.redis
def test_springs_sessions_open_until_they_expire(tmp_path: Path, redis_server: RedisServer) -> None:
    """A logged-in session opens; an anonymous, unknown or ended one does not; without Redis none does."""
    port = redis_server.port
    client = redis.Redis(port=port)
    client.hset(f"shop:sessions:{LIVE}", mapping=spring_session(time.time(), 1800))
    client.hset(f"shop:sessions:{ANONYMOUS}", mapping=spring_session(time.time(), 1800, b""))
    settings = {"AUTH": "spring-session", "REDIS_HOST": "127.0.0.1", "SPRING_SESSION_NAMESPACE": "shop"}
    with running_server(tmp_path, REDIS_PORT=str(port), **settings) as server:

        def status(value: str) -> int:
            return server.get("/health", cookies={"SESSION": value}).status_code

        assert status(cookie(LIVE)) == 200
        assert [status(cookie(ANONYMOUS)), status(cookie("f" * 36)), status(LIVE), status("")] == [401] * 4
        # Our login page takes the API token alone.
        assert server.get("/dashboard", headers={"Accept": "text/html"}).status_code == 401
        assert server.get("/session").status_code == 404
        with server.get("/sse/status", cookies={"SESSION": cookie(LIVE)}, stream=True) as stream:
            assert stream.status_code == 200
        client.hset(f"shop:sessions:{LIVE}", "maxInactiveInterval", spring_session(0, 0)["maxInactiveInterval"])
        assert status(cookie(LIVE)) == 401
        redis_server.kill()
        assert status(cookie(LIVE)) == 503
        assert server.get("/sse/trading", cookies={"SESSION": cookie(LIVE)}).text.endswith(
            'event: bye\ndata: {"reason":"away"}\n\n'
        )
        assert LIVE not in server.log.read_text()
    client.close()


def test_a_logout_revokes_the_ticket(tmp_path: Path) -> None:
    """A copied cookie is worth nothing after the logout, also after a restart and at another worker."""
    with running_server(tmp_path, API_TOKEN=TOKEN) as server, running_server(tmp_path, API_TOKEN=TOKEN) as other:
        copied = {"pi_session": server.get("/session", "POST", json={"token": TOKEN}).cookies["pi_session"]}
        kept = {"pi_session": server.get("/session", "POST", json={"token": TOKEN}).cookies["pi_session"]}
        assert other.get("/health", cookies=copied).status_code == 200
        assert server.get("/session", "DELETE", cookies=copied).status_code == 204
        assert server.get("/health", cookies=copied).status_code == 401
        until(lambda: other.get("/health", cookies=copied).status_code == 401)
        assert other.get("/health", cookies=kept).status_code == 200
    with running_server(tmp_path, API_TOKEN=TOKEN) as again:
        assert again.get("/health", cookies=copied).status_code == 401
        assert again.get("/health", cookies=kept).status_code == 200
        again.stop()
    with running_server(tmp_path, API_TOKEN=TOKEN[::-1]) as rotated:
        assert rotated.get("/health", cookies=kept).status_code == 401
        assert rotated.get("/health", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401
        assert rotated.get("/health", headers={"Authorization": f"Bearer {TOKEN[::-1]}"}).status_code == 200


async def test_revoked_tickets_are_dropped_after_their_expiry(path: Path) -> None:
    """The store stays small: an expired ticket needs no revocation."""
    now = [1000.0]
    journal = open_journal(f"sqlite:///{path}")
    await journal.open()
    try:
        first = RevokedTickets(journal, lambda: now[0])
        await first.add(Ticket("a", 2000))
        await first.add(Ticket("b", 3000))
        assert await RevokedTickets(journal, lambda: now[0]).contains(Ticket("a", 2000))
        now[0] = 2500.0
        await first.add(Ticket("c", 3000))
        assert set(loads((await journal.marks())[MARK])) == {"b", "c"}
    finally:
        await journal.close()


@pytest.mark.parametrize("text", ["[1", "[]", "5", "null", '{"z":"b"}', "[" * 50_000])
async def test_damaged_revocations_are_an_error_of_the_journal(text: str, path: Path) -> None:
    """A login goes on with what is known; a logout that cannot be stored is a 503, never a mistake of ours."""
    journal = open_journal(f"sqlite:///{path}")
    await journal.open()
    try:
        await journal.append([], marks={MARK: text})
        revoked = RevokedTickets(journal, lambda: 1000.0)
        assert not await revoked.contains(Ticket("a", 2000))
        with pytest.raises(JournalDamaged, match=MARK):
            await revoked.add(Ticket("a", 2000))
        assert await revoked.contains(Ticket("a", 2000))
    finally:
        await journal.close()


async def test_wrong_tokens_are_delayed_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each is delayed; more than a few at once are refused; one line a minute names the network alone."""
    now = [0.0]
    guard = LoginGuard(0.01, lambda: now[0])
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await guard.record_failure("192.0.2.0/24")
    assert loop.time() - begun >= 0.01
    results = await asyncio.gather(*(guard.record_failure("192.0.2.0/24") for _ in range(50)))
    assert (results.count(True), guard.failures) == (AT_ONCE, 51)
    now[0] = 61.0
    await guard.record_failure("192.0.2.0/24")
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "login: refused a wrong token from 192.0.2.0/24", "login: refused 51 wrong tokens from 192.0.2.0/24",
    ]  # fmt: skip


async def test_a_right_token_is_never_delayed() -> None:
    """A client with the token passes, for any tries of others of its network."""
    access = Access(Tickets(TOKEN), guard=LoginGuard(3600.0))
    scope = {"type": "http", "client": ("192.0.2.7", 1), "headers": [], "method": "GET", "path": "/"}
    wrong = [asyncio.create_task(access.check_token("wrong", scope)) for _ in range(20)]
    await asyncio.sleep(0)
    assert await access.check_token(TOKEN, scope) is None
    for task in wrong:
        task.cancel()
    await asyncio.wait(wrong)


async def test_a_stream_ends_with_its_login() -> None:
    """A visitor of an open stream is looked at again; when it is known no more, the stream ends with a bye."""
    now = [1000.0]
    tickets = Tickets(TOKEN, lambda: now[0])
    ended: list[str] = []
    sent: list[Any] = []

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stream")

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    headers = [(b"cookie", f"pi_session={tickets.issue()}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/api/python/sse/trading", "headers": headers}
    guard = AccessMiddleware(endless, lambda scope: Access(tickets), recheck=0.01)
    serving = asyncio.create_task(guard(scope, receive, send))
    await asyncio.sleep(0.05)
    assert not serving.done()
    now[0] += LIFETIME
    await asyncio.wait_for(serving, 2)
    assert ended == ["stream"]
    assert b"event: bye" in sent[-1]["body"]
    assert sent[-1]["more_body"] is False
