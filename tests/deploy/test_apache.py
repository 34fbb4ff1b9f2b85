"""The site of deploy/apache, seen from outside through a real Apache: requests, streams and answers."""

import asyncio
import gzip
import json
import re
import ssl
import statistics
import time

import aiohttp
import pytest
from yarl import URL

from commands.ports import free_port
from streams.keepalive import PING_SECONDS
from tests.deploy.conftest import Site
from tests.support.apache import FILES, HOST, apache, browser_session
from tests.support.eventsource import EventSource
from tests.support.eventually import eventually

pytestmark = [pytest.mark.apache, pytest.mark.asyncio(loop_scope="module")]

STREAMS = ["trading", "trades", "portfolio", "status"]
REST = ["/", "/health", "/portfolio/balance", "/portfolio/positions", "/markets/", "/markets/PRES24-GOP", "/docs",
        "/openapi.json", "/dashboard", "/sse/stats", "/metrics", "/sse/clients"]  # fmt: skip


async def test_every_url_passes(site: Site) -> None:
    """Each URL reaches the service under its prefix, with and without a slash, and answers as it does directly."""
    direct = f"http://{site.service.address}/api/python"
    for path in {*REST, *(path.rstrip("/") for path in REST)}:
        async with site.session.get(direct + path) as words, site.session.get(site.url(path)) as received:
            assert (received.status, received.content_type) == (words.status, words.content_type), path
            assert received.history == (), path
    for name in STREAMS:
        async with site.session.get(site.url(f"/sse/{name}/")) as answer:
            assert (answer.status, answer.content_type) == (200, "text/event-stream"), name


async def test_the_login_is_beside_it(site: Site) -> None:
    """/api/auth goes to Spring, and sees the site's own name."""
    async with site.session.get(site.apache.url("/api/auth/login")) as answer:
        assert json.loads(await answer.text())["url"] == f"http://{HOST}/api/auth/login"


async def test_forwarded_headers_cannot_be_forged(site: Site) -> None:
    """For any forwarded headers of a client, the upstream receives the true ones."""
    claims = {name: "6.6.6.6" for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Host",
              "X-Forwarded-Server", "X-Forwarded-Port")} | {"X-Forwarded-Proto": "https"}  # fmt: skip
    async with site.session.get(site.apache.url("/api/auth/echo"), headers=claims) as answer:
        text = await answer.text()
        received = json.loads(text)
    assert "6.6.6.6" not in text
    assert received["url"].startswith("http://")
    assert received["client"] == "127.0.0.1"
    assert received["headers"]["x-forwarded-for"] == "127.0.0.1"
    async with site.session.get(site.url("/"), headers=claims) as answer:
        assert (await answer.json())["links"]["docs"] == f"http://{HOST}/api/python/docs"
    clients = site.url("/sse/clients")
    async with site.session.get(site.url("/sse/trading"), headers=claims), site.session.get(clients) as answer:
        assert "6.6.6" not in await answer.text()


async def test_pages(site: Site) -> None:
    """The dashboard and the API page come through with everything that they load from the service."""
    for page in ("/dashboard", "/docs"):
        async with site.session.get(site.url(page)) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html"), page
            text = await answer.text()
        linked = re.findall(r'(?:src|href)="(web/[^"#]+)"', text)
        assert linked, page
        for link in linked:
            async with site.session.get(site.url("/" + link)) as answer:
                assert answer.status == 200, link


async def test_events_are_not_held_back(site: Site) -> None:
    """An event is at the reader as soon as the service has it: not held, not compressed, though gzip was offered."""
    headers = {"Accept-Encoding": "gzip"}
    async with (
        EventSource(site.session, site.url("/sse/trades"), headers=headers) as through,
        EventSource(site.session, f"http://{site.service.address}/api/python/sse/trades") as direct,
    ):
        await eventually(lambda: through.parser.last_id and direct.parser.last_id)
        for number in range(1, 11):
            site.bot.trade()
            await through.saw("new_trades", number)
            await direct.saw("new_trades", number)
    late = [a.at - b.at for a, b in zip(through.named("new_trades"), direct.named("new_trades"), strict=True)]
    assert statistics.median(late) < 0.05
    assert max(late) < 0.5


async def test_json_is_compressed_and_304_still_works(site: Site) -> None:
    """DEFLATE leaves the ETag alone, so that If-None-Match matches the next time."""
    url, headers = site.url("/portfolio/trades/history"), {"Accept-Encoding": "gzip"}
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.get(url, headers=headers) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "Accept-Encoding" in answer.headers["Vary"]
            assert json.loads(gzip.decompress(await answer.read()))
            tag = answer.headers["ETag"]
        async with session.get(url, headers=headers | {"If-None-Match": tag}) as answer:
            assert answer.status == 304


async def test_security_headers_once(site: Site) -> None:
    """Each protective header stands once on every answer."""
    async with site.session.get(site.url("/health")) as answer:
        for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"):
            assert len(answer.headers.getall(name)) == 1, name


async def test_closed_to_the_outside(site: Site) -> None:
    """Metrics and the list of readers are for operators, however the path is written; the answer is a problem."""
    paths = ["/metrics", "/metrics/", "//metrics", "/%6Detrics", "/sse/clients", "/sse/x/../clients", "/sse/clients/"]
    values = {"PI_BACKEND": site.service.address, "PI_OPERATORS": "192.0.2.1"}
    async with apache(values) as server, browser_session() as session:
        for path in paths:
            async with session.get(URL(server.url("/api/python" + path), encoded=True)) as answer:
                assert (answer.status, answer.content_type) == (403, "application/problem+json"), path
                assert set(await answer.json(content_type=None)) >= {"type", "title", "status", "detail"}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_foreign_host_name_is_refused(site: Site, tls: bool) -> None:
    """A page of another name that resolves here reads nothing and opens no stream: 421, from Apache itself."""
    async with apache({"PI_BACKEND": site.service.address}, tls=tls) as server, browser_session() as session:
        base = f"https://127.0.0.1:{server.tls_port}" if tls else server.url("")
        for name, status in ((HOST, 200), (f"{HOST}:8443", 200), ("localhost", 200), ("evil.example", 421), ("", 400)):
            for path in ("/api/python/health/live", "/api/python/sse/trading"):
                async with session.get(base + path, headers={"Host": name}) as answer:
                    assert answer.status == status, (name, path)
                    if status == 421:
                        assert answer.content_type == "application/problem+json"
                        assert (await answer.json())["status"] == 421


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "login.invalid:{port}"], ids=["refused", "no such name"])
async def test_a_login_that_is_away_is_a_problem(address: str) -> None:
    """Without a login service, or with one whose name is unknown, /api/auth gets a problem with Retry-After."""
    settings = {"PI_SPRING": address.format(port=free_port())}
    async with (
        apache(settings) as server,
        browser_session() as session,
        session.get(server.url("/api/auth/login")) as answer,
    ):
        assert (answer.status, answer.content_type) == (503, "application/problem+json")
        assert answer.headers["Retry-After"] == "2"


async def test_service_away() -> None:
    """Without a service, REST gets a problem with Retry-After, a stream URL a stream with a retry time."""
    async with apache({"PI_BACKEND": f"127.0.0.1:{free_port()}"}) as server, browser_session() as session:
        for path in ("/health", "/sse/stats", "/sse/clients"):
            async with session.get(server.url("/api/python" + path)) as answer:
                assert (answer.status, answer.content_type) == (503, "application/problem+json"), path
                assert answer.headers["Retry-After"] == "2"
                assert answer.headers["Cache-Control"] == "no-store"
                problem = await answer.json(content_type=None)
                assert problem["status"] == 503
                assert set(problem) >= {"type", "title", "status", "detail"}
        drawn = set()
        for name in STREAMS * 5:
            async with session.get(server.url(f"/api/python/sse/{name}?last_event_id=a-1")) as answer:
                assert (answer.status, answer.content_type) == (200, "text/event-stream")
                assert answer.headers["Cache-Control"] == "no-store, no-transform"
                drawn.add(standby_retry(await answer.text()))
        assert all(1000 <= retry < 4000 for retry in drawn)
        assert len(drawn) > 15  # of 20: jitter, not a constant
        async with session.get(server.url("/prediction-investor-down/503.asis")) as answer:
            assert answer.status == 403


def standby_retry(text: str) -> int:
    """Return the milliseconds of a standby's answer, which must be one event with data and nothing else."""
    found = re.fullmatch(r'event: bye\ndata: {"reason": "away"}\nretry: (\d+)\n\n+', text)
    assert found, text
    return int(found[1])


async def test_broken_answer_is_a_problem() -> None:
    """A service that hangs up in the middle of a header is a 502 in the service's own shape."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 2")
        writer.close()

    backend = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = backend.sockets[0].getsockname()[1]
    async with backend, apache({"PI_BACKEND": f"127.0.0.1:{port}"}) as server, browser_session() as session:
        async with session.get(server.url("/api/python/health")) as answer:
            assert (answer.status, answer.content_type) == (502, "application/problem+json")
        async with session.get(server.url("/api/python/sse/trading")) as answer:
            assert (answer.status, answer.content_type) == (200, "text/event-stream")


async def protocol_offered(port: int) -> str | None:
    """Return the protocol that the server picks when a browser offers HTTP/2 first."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    picked: str | None = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    writer.close()
    return picked


async def test_tls(site: Site) -> None:
    """The TLS site: HTTP/1.1 alone, HSTS, streams, the true scheme upstream; the plain port only sends you there."""
    values = {"PI_BACKEND": site.service.address, "PI_SPRING": site.spring.address}
    async with apache(values, tls=True) as server, browser_session() as session:
        base = f"https://127.0.0.1:{server.tls_port}"
        async with session.get(base + "/api/auth/echo", headers={"X-Forwarded-Proto": "http"}) as answer:
            assert json.loads(await answer.text())["url"] == f"https://{HOST}/api/auth/echo"
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        async with EventSource(session, base + "/api/python/sse/trades") as page:
            await eventually(lambda: page.parser.last_id)
            site.bot.trade()
            await page.saw("new_trades")
        async with session.get(server.url("/api/python/health"), allow_redirects=False) as answer:
            assert answer.status == 308
            assert answer.headers["Location"] == f"https://{HOST}/api/python/health"
        assert await protocol_offered(server.tls_port) in (None, "http/1.1")


async def test_latency_of_rest(site: Site) -> None:
    """A request through Apache costs a few milliseconds, not more."""
    took = []
    for _ in range(50):
        start = time.monotonic()
        async with site.session.get(site.url("/health")) as answer:
            await answer.read()
        took.append(time.monotonic() - start)
    assert statistics.median(took) < 0.03


async def test_no_time_limit_is_shorter_than_three_pings() -> None:
    """A stream is never cut between two pings, not even when two of them come late."""
    limits = re.findall(r"timeout=(\d+) .*max=", (FILES / "prediction-investor.conf").read_text())
    assert limits
    assert all(int(limit) >= 3 * PING_SECONDS for limit in limits)
