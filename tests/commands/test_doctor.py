"""The doctor's judgements, each on made-up evidence, and its word for addresses where no service of ours is."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from commands.doctor import address, answers, delivery, handshake, main, reach, run
from commands.doctor.findings import CURES, Finding
from commands.doctor.forwarding import Seen, forwarding, is_local, seen
from commands.doctor.visit import Listened, Page
from streams.event import bye
from streams.talk import GREETING
from tests.support.apache import self_signed
from tests.support.neighbours import free_port

BASE = URL("https://app.example.com/api/python")
WELL = {"parts": {}, "journal": {}, "status": "ok"}


def page(status: int = 200, body: Any = None, **headers: str) -> Page:
    """An answer; a dict becomes JSON, and the header's name has dashes."""
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = {"content-type": "text/html" if isinstance(body, str) else "application/json"}
    return Page(status, kind | {name.replace("_", "-"): value for name, value in headers.items()}, raw, 0.01)


def ours(status: int, instance: str, **more: Any) -> Page:
    """A problem as our service answers it."""
    body = {"type": "/api/python/docs#x", "status": status, "detail": "because", "instance": instance, **more}
    return page(status, body, content_type="application/problem+json")


def wrong(findings: Sequence[Finding] | Any) -> set[str]:
    """The names of what is wrong."""
    return {finding.name for finding in findings if finding.level == "wrong"}


@pytest.mark.parametrize(("health", "with_key", "name", "word"), [
    (page(200, WELL), False, None, ""),
    (page(200, "<html>"), False, "reach", "not this service"),
    (page(200, [1, 2]), False, "reach", "not this service"),
    (page(200, {"status": "UP"}), False, "reach", "not this service"),
    (page(404, "Not Found"), False, "reach", "HTTP 404"),
    (Page(0, {}, b"nothing answers at h port 1", 1), False, "reach", "nothing answers"),
    (page(308, "", location="https://x/"), False, "reach", "https://x/"),
    (page(401, {}, www_authenticate='Bearer realm="prediction-investor"'), False, "token", "--token"),
    (page(401, {}, www_authenticate='Bearer realm="prediction-investor"'), True, "token", "does not accept"),
    (page(401, "", www_authenticate='Basic realm="staff"'), False, "token", "login of its own"),
    (page(429, {}), False, "rate limit", "RATE_LIMIT"),
    (ours(404, "/health"), False, "prefix", "/health"),
    (ours(404, "/api/python/api/python/health"), False, "prefix", "/api/python/api/python/health"),
    (page(503, "<h1>down"), False, "away", "HTTP 503"),
    (page(502, {"status": 502}, content_type="application/problem+json"), False, "away", "HTTP 502"),
])  # fmt: skip
def test_reach(health: Page, with_key: bool, name: str | None, word: str) -> None:
    """Whoever answers in place of the service is named for what it is."""
    found = reach.unreached(BASE, health, with_key)
    assert (found and found.name) == name
    assert found is None or word in found.words


def test_the_prefix_is_proposed_where_it_lacks() -> None:
    """Who leaves the prefix out is told the address that is probably meant."""
    found = reach.unreached(URL("http://h:8000"), page(404, "no"), False)
    assert found is not None
    assert "http://h:8000/api/python" in found.words


def test_state_says_what_is_ill() -> None:
    """A degraded part's reason and a warning are passed on."""
    parts = {"bot": {"state": "degraded", "reason": "refused"}, "feed": {"state": "ok"}, "odd": None}
    words = [f.words for f in reach.state(page(200, {"parts": parts, "warnings": ["open to all"], "journal": {}}))]
    assert words[1] == "bot: refused; open to all"


@pytest.mark.parametrize(("as_of", "level"), [
    (100.5, "ok"), (94.0, "wrong"), (130, "wrong"), (None, "note"), ("x", "note"),
])  # fmt: skip
def test_clock(as_of: object, level: str) -> None:
    """Five seconds are allowed, either way."""
    assert reach.clock(page(200, {"as_of": as_of}), 100.0).level == level


def told(link: str = "https://app.example.com/api/python/health", network: str = "198.51.100.0/24") -> Seen:
    """How the service saw a request."""
    return Seen(URL(link), network)


HTTP = "http://app.example.com/api/python/health"


@pytest.mark.parametrize(("plain", "lied", "forged", "expected"), [
    (told(), told(), told(), set()),
    (told("https://APP.example.com:443/x"), told(), told(), set()),
    (told("https://127.0.0.1:8000/x"), told(), told(), {"host"}),
    (told("https://app.example.com:8443/x"), told(), told(), {"host"}),
    (told(HTTP), told(HTTP), told(HTTP), {"scheme"}),
    (told(), told(HTTP), told(), {"scheme"}),
    (told(), told(), told(network="203.0.113.0/24"), {"forged address"}),
    (told(network="127.0.0.0/24"), told(), told(), {"address"}),
    (told(network="::/48"), told(), told(), {"address"}),
])  # fmt: skip
def test_forwarding(plain: Seen, lied: Seen, forged: Seen, expected: set[str]) -> None:
    """Host, scheme and address are the connection's own, whatever a visitor claims."""
    assert wrong(forwarding(BASE, plain, lied, forged, direct=False)) == expected


def test_forwarding_without_a_proxy() -> None:
    """On its own machine the service believes forwarded headers, as it must: that is no fault."""
    base, here = URL("http://127.0.0.1:8000/api/python"), "http://127.0.0.1:8000/api/python/health"
    answers_ = told(here, "127.0.0.0/24"), told("https://127.0.0.1:8000/x"), told(here, "203.0.113.0/24")
    assert wrong(forwarding(base, *answers_, direct=True)) == set()
    assert wrong(forwarding(base, *answers_, direct=False)) == {"scheme", "forged address"}


@pytest.mark.parametrize("body", ["<html>", [], {}, {"links": 1}, {"links": {}}, {"links": {"health": "http://["}}])
def test_an_index_that_tells_nothing(body: Any) -> None:
    """No links: not judged, and no traceback."""
    assert seen(page(200, body)) is None
    assert [f.level for f in forwarding(BASE, seen(page(200, body)), None, None, direct=False)] == ["note"]


@pytest.mark.parametrize(("url", "expected"), [
    ("http://127.0.0.1/", True), ("http://[::1]/", True), ("http://localhost/", True), ("http://192.0.2.1/", False),
    ("https://app.example.com/", False),
])  # fmt: skip
def test_local(url: str, expected: bool) -> None:
    """Which URLs name the machine itself."""
    assert is_local(URL(url)) is expected


@pytest.mark.parametrize(("url", "came", "level"), [
    ("/health", page(200, {}), "ok"),
    ("/docs", page(200, "<html>"), "ok"),
    ("/health", page(200, "<html>"), "wrong"),
    ("/portfolio/fills", ours(503, "/x", missing=["KALSHI_API_KEY"]), "ok"),
    ("/markets/", ours(502, "/x"), "note"),
    ("/markets/", ours(500, "/x"), "wrong"),
    ("/markets/", ours(404, "/x"), "wrong"),
    ("/markets/", page(503, "<h1>down"), "wrong"),
    ("/markets/", Page(0, {}, b"no answer within 7 s", 7), "wrong"),
])  # fmt: skip
def test_answers(url: str, came: Page, level: str) -> None:
    """What only the exchange lacks is no fault of the way."""
    assert answers.answer(url, came).level == level


@pytest.mark.parametrize(("first", "again", "level"), [
    (page(200, {}, etag='W/"a"'), page(304, ""), "ok"),
    (page(200, {}, etag='W/"a-gzip"'), page(200, {}, etag='W/"a-gzip"'), "wrong"),
    (page(200, {}, etag='W/"a"'), page(200, {}, etag='W/"b"'), "note"),
    (page(200, {}), page(200, {}), "note"),
    (page(503, {}), page(503, {}), "note"),
])  # fmt: skip
def test_caching(first: Page, again: Page, level: str) -> None:
    """The same ETag twice with a body is a 304 that was lost."""
    assert answers.caching(first, again).level == level


@pytest.mark.parametrize(("came", "level"), [
    (page(200, {}, server="Apache", content_encoding="gzip"), "ok"), (page(200, {}, server="Apache"), "note"),
    (page(200, {}), "ok"), (page(200, {}, server="uvicorn"), "ok"), (page(200, {}, via="1.1 cache"), "note"),
])  # fmt: skip
def test_compression_of_json(came: Page, level: str) -> None:
    """Only a proxy is expected to compress."""
    assert answers.compression(came).level == level


@pytest.mark.parametrize(("status", "server", "home", "level"), [
    (403, "Apache", False, "ok"), (401, "", False, "ok"), (200, "Apache", False, "wrong"),
    (200, "Apache", True, "note"), (200, "", False, "note"), (200, "", True, "note"),
])  # fmt: skip
def test_exposure(status: int, server: str, home: bool, level: str) -> None:
    """Operators' URLs are closed by the proxy, to all but the machine itself."""
    pages = {"/metrics": page(status, {}, server=server), "/sse/clients": page(403, {}, server=server)}
    assert answers.exposure(pages, home).level == level


SAFE = {"x_content_type_options": "nosniff", "x_frame_options": "DENY", "referrer_policy": "same-origin"}


@pytest.mark.parametrize(("headers", "tls", "home", "names"), [
    (SAFE, False, True, []), (SAFE, False, False, ["tls"]), (SAFE, True, False, ["hsts"]),
    ({}, False, True, ["security headers"]), (SAFE | {"server": "Apache/2.4.71"}, False, True, ["server version"]),
])  # fmt: skip
def test_protection(headers: Mapping[str, str], tls: bool, home: bool, names: list[str]) -> None:
    """Headers that were taken away are missed; TLS is missed from afar alone."""
    found = answers.protection(page(200, {}, **headers), tls, home)
    assert [finding.name for finding in found if finding.level != "ok"] == names


EVENTS = {"content-type": "text/event-stream"}
HELLO = b"retry: 2000\n" + GREETING


def stream(*pieces: tuple[float, bytes], ended: float | None = None, status: int = 200, **headers: str) -> Listened:
    """A stream that was heard; pieces with their times."""
    return Listened(status, EVENTS | {k.replace("_", "-"): v for k, v in headers.items()}, list(pieces), ended)


GOOD = stream((0.01, HELLO), (9.0, b":\n\n"))


@pytest.mark.parametrize(("heard", "level", "name"), [
    (GOOD, "ok", "/sse/trading"),
    (stream((0.1, b"\x1f\x8b"), (9.0, b"\x00"), content_encoding="gzip"), "wrong", "compression"),
    (Listened(), "wrong", "buffering"),
    (stream(), "wrong", "buffering"),
    (stream((8.0, HELLO), (16.0, b":\n\n")), "wrong", "buffering"),
    (stream((0.01, HELLO)), "wrong", "buffering"),
    (stream((0.01, HELLO), ended=5.01), "wrong", "idle cut"),
    (stream((0.01, HELLO), (9.0, b":\n\n"), ended=9.1), "wrong", "broken off"),
    (stream((0.01, b"retry: 1500\n: the service is not there\n\n"), ended=0.02), "wrong", "standby"),
    (stream((0.01, HELLO), (3.0, bye("shutdown", 2)), ended=3.0), "note", "ended"),
    (stream((0.01, bye("full", 20)), ended=0.02), "note", "ended"),
    (stream(ended=0.1, status=503, content_type="text/html"), "wrong", "stream refused"),
    (stream(ended=0.1, content_type="text/html"), "wrong", "stream refused"),
    (stream(ended=0.1, status=429), "note", "rate limit"),
    (Listened(ended=0.0, why="nothing answers"), "wrong", "stream refused"),
])  # fmt: skip
def test_streams(heard: Listened, level: str, name: str) -> None:
    """How a stream arrived and ended has one name."""
    (found,) = delivery.streams({"trading": heard}, 17, starved=False)
    assert (found.level, found.name) == (level, name)


def test_streams_together() -> None:
    """One fault of several streams is told once; what starvation explains is not called buffering."""
    heard = {"trading": Listened(), "trades": Listened(), "status": GOOD}
    names = [finding.name for finding in delivery.streams(heard, 17, starved=False)]
    assert names == ["/sse/status", "buffering"]
    assert [finding.name for finding in delivery.streams(heard, 17, starved=True)] == ["/sse/status"]


ANSWERED, SILENT = page(200, {}), Page(0, {}, b"no answer within 2.4 s", 2.4)
AWAY = stream((0.01, b"retry: 1500\n\n"), ended=0.02)
FULL = stream((0.01, bye("full", 20)), ended=0.02)


@pytest.mark.parametrize(("heard", "rest", "prompt", "level", "name"), [
    ([GOOD, GOOD], ANSWERED, True, "ok", "threads"),
    ([GOOD, GOOD], SILENT, True, "wrong", "threads"),
    ([GOOD, Listened()], ANSWERED, True, "wrong", "threads"),
    ([Listened(), Listened()], ANSWERED, False, "ok", "threads"),  # buffered: that is said elsewhere
    ([GOOD, stream(status=503)], ANSWERED, True, "wrong", "stream refused"),
    ([GOOD, AWAY], ANSWERED, True, "note", "stream limit"),
    ([GOOD, FULL], ANSWERED, True, "note", "stream limit"),
    ([GOOD, stream(status=429)], ANSWERED, True, "note", "rate limit"),
])  # fmt: skip
def test_crowd(heard: list[Listened], rest: Page, prompt: bool, level: str, name: str) -> None:
    """What many streams at once do to each other and to a plain request."""
    found = delivery.crowd(delivery.Crowd(heard, rest), prompt)
    assert (found.level, found.name) == (level, name)


@pytest.mark.parametrize(("heard", "level"), [
    (AWAY, "ok"), (stream(status=503, content_type="text/html"), "wrong"), (Listened(ended=1.0, why="gone"), "note"),
])  # fmt: skip
def test_standby(heard: Listened, level: str) -> None:
    """While the service is away a stream's URL must still be an event stream."""
    assert delivery.standby(heard).level == level


def test_announced() -> None:
    """The stream limit stands in HTTP/2's SETTINGS, among others or not at all."""
    limit, window = bytes.fromhex("000300000064"), bytes.fromhex("000400100000")
    assert handshake.announced(window + limit) == 100
    assert handshake.announced(window) is None
    assert handshake.announced(b"\x00\x03") is None


@pytest.mark.parametrize(("shaken", "proxy", "levels"), [
    (None, "", ["ok"]),
    (handshake.Handshake("http/1.1", None, 90), "Apache", ["ok"]),
    (handshake.Handshake("http/1.1", None, 3), "Apache", ["ok", "note"]),
    (handshake.Handshake("h2", 100, 90), "Apache", ["wrong"]),
    (handshake.Handshake("h2", 100, 90), "", ["wrong"]),
    (handshake.Handshake("h2", 128, 90), "nginx", ["ok"]),
    (handshake.Handshake("h2", 6, 90), "nginx", ["note"]),
])  # fmt: skip
def test_offered(shaken: handshake.Handshake | None, proxy: str, levels: list[str]) -> None:
    """HTTP/2 is a fault of Apache's alone; a certificate's last days are told."""
    assert [finding.level for finding in handshake.offered(shaken, proxy)] == levels


@pytest.mark.parametrize("text", ["", "app.example.com", "ftp://h/", "http://", "http://h:99999/", "http://[/"])
def test_what_is_no_url(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped address is a mistake of the command line, told in words."""
    with pytest.raises(SystemExit) as left:
        main([text])
    assert left.value.code == 2
    assert "argument url" in capsys.readouterr().err


def test_address() -> None:
    """Slashes at the end, query and fragment do not count."""
    assert str(address("http://h:8000/api/python/?x=1#y")) == "http://h:8000/api/python"


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 and a plain word."""
    assert main([f"http://127.0.0.1:{free_port()}/api/python"]) == 1
    assert "wrong reach: nothing answers at 127.0.0.1 port" in capsys.readouterr().out


def test_no_such_host(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that does not resolve."""
    assert main(["http://prediction-investor.invalid/api/python"]) == 1
    assert "wrong reach: there is no host named prediction-investor.invalid" in capsys.readouterr().out


@contextlib.asynccontextmanager
async def stranger(says: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A port where everybody is told the same, whatever is asked."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(65536):
            writer.write(says)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(body: bytes, head: bytes = b"") -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(("says", "word"), [
    (b"", "closed without an answer"),
    (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP"),
    (http(b"<html>Welcome to nginx!"), "not this service"),
    (http(b"{"), "not this service"),
    (http(b"[" * 100_000), "not this service"),
    (http(b"\xff\xfe"), "not this service"),
    (http(b'{"parts": {}}'), "not this service"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", "wrong reach: "),
], ids=["hangs up", "ssh", "html", "half json", "deep json", "bytes", "other json", "half an answer"])  # fmt: skip
async def test_somebody_else(says: bytes, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever listens there instead: one finding, in words."""
    async with stranger(says) as there:
        findings = await run(URL(f"http://{there}/api/python"), {})
    assert [finding.name for finding in findings] == ["reach"]
    assert word in capsys.readouterr().out


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    """Refused with the way around it; with --insecure the look goes on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    async with stranger(http(b"hello"), context) as there:
        (found,) = await run(URL(f"https://{there}/api/python"), {})
        assert "--insecure" in found.words
        (found,) = await run(URL(f"https://{there}/api/python"), {}, insecure=True)
        assert "not this service" in found.words
    async with stranger(http(b"hello")) as there:
        (found,) = await run(URL(f"https://{there}/api/python"), {})
        assert "does not speak TLS" in found.words


def test_every_cure_has_lines() -> None:
    """A cure is lines for a file, none of them too long to read."""
    assert all(len(line) <= 120 for cure in CURES.values() for line in cure.splitlines())
