"""Allowed hosts: a page of another name cannot read the account through DNS rebinding."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routes.hosts import AllowedHostsMiddleware, host_name
from tests.support.asgi import asgi_request
from tests.support.server import Server, running_server

LOOPBACK, PUBLIC = ("127.0.0.1", 8000), ("192.0.2.7", 8000)


async def ok(scope: Any, receive: Any, send: Any) -> None:
    """Answer 200."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def status(allowed: tuple[str, ...], host: str | None, server: Any, path: str = "/api/python/health") -> int:
    """Return the status for a Host on a connection to an address."""
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    app = AllowedHostsMiddleware(ok, allowed)

    async def with_headers(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "headers": headers}, receive, send)

    return (await asgi_request(with_headers, path, server=server)).status


@pytest.mark.parametrize(
    ("allowed", "host", "server", "expected"),
    [
        ((), "localhost:8000", LOOPBACK, 200),
        ((), "LOCALHOST", LOOPBACK, 200),
        ((), "localhost.:8000", LOOPBACK, 200),
        ((), "127.0.0.1:8000", LOOPBACK, 200),
        ((), "127.8.9.1", LOOPBACK, 200),
        ((), "[::1]:8000", ("::1", 8000), 200),
        ((), "evil.example:8000", LOOPBACK, 421),
        ((), "localhost.evil.example", LOOPBACK, 421),
        ((), "127.0.0.1.evil.example", LOOPBACK, 421),
        ((), "192.0.2.7", LOOPBACK, 421),
        ((), "", LOOPBACK, 421),
        ((), None, LOOPBACK, 421),
        ((), "evil.example", PUBLIC, 200),
        ((), None, None, 200),
        (("app.example.com",), "app.example.com", PUBLIC, 200),
        (("app.example.com",), "App.Example.com:443", PUBLIC, 200),
        (("app.example.com",), "app.example.com.", PUBLIC, 200),
        (("app.example.com",), "evil.example", PUBLIC, 421),
        (("app.example.com",), "xapp.example.com", PUBLIC, 421),
        (("app.example.com",), "localhost", LOOPBACK, 421),
        (("app.example.com",), "app.example.com@evil.example", PUBLIC, 421),
        (("*.example.com",), "a.b.example.com", PUBLIC, 200),
        (("*.example.com",), "example.com", PUBLIC, 421),
        (("*.example.com",), "evilexample.com", PUBLIC, 421),
        (("*.example.com",), "evil.example/.example.com", PUBLIC, 421),
        (("*.example.com",), "evil.example#.example.com", PUBLIC, 421),
        (("*.example.com",), ".example.com", PUBLIC, 421),
        ((), "[::ffff:127.0.0.1]", ("::1", 8000), 421),
        ((), "localhost/evil.example", LOOPBACK, 421),
        ((), "2130706433", LOOPBACK, 421),
        (("::1",), "[::1]:80", PUBLIC, 200),
    ],
)
async def test_a_host_is_allowed_or_refused(
    allowed: tuple[str, ...], host: str | None, server: Any, expected: int
) -> None:
    """The setting decides; without it, loopback names alone on loopback addresses, and any name elsewhere."""
    assert await status(allowed, host, server) == expected


@pytest.mark.parametrize("path", ["/api/python/health/live", "/api/python/health/ready/"])
async def test_probes_are_exempt(path: str) -> None:
    """A load balancer probes by address."""
    assert await status(("app.example.com",), "10.0.0.7:8000", PUBLIC, path) == 200


async def test_two_hosts_are_refused() -> None:
    """A second Host header could be the one that a proxy looked at."""
    app = AllowedHostsMiddleware(ok, ("a.example",))

    async def twice(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "headers": [(b"host", b"a.example"), (b"host", b"a.example")]}, receive, send)

    assert (await asgi_request(twice, "/api/python/health", server=PUBLIC)).status == 421


@given(st.text(max_size=40))
def test_any_host_header_can_be_read(host: str) -> None:
    """No text raises, and the name has neither port nor capitals."""
    name = host_name(host)
    assert name == name.lower()


@pytest.mark.parametrize("path", ["/portfolio/balance", "/sse/trading", "/health", "/dashboard", "/nothing"])
def test_a_rebound_name_reads_nothing(server: Server, path: str) -> None:
    """REST, streams and pages answer a problem that names the setting, without a redirect or a link."""
    answer = server.get(path, headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (421, "application/problem+json")
    assert "ALLOWED_HOSTS" in answer.json()["detail"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_setting_reaches_the_server(tmp_path: Path) -> None:
    """ALLOWED_HOSTS of the environment is in force."""
    with running_server(tmp_path, ALLOWED_HOSTS="app.example.com,*.example.net") as server:
        hosts = ("app.example.com", "a.example.net", "127.0.0.1")
        answers = [server.get("/", headers={"Host": host}).status_code for host in hosts]
    assert answers == [200, 200, 421]
