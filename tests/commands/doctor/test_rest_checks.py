"""Checks of plain answers through every proxy."""

from collections.abc import Mapping

import pytest

from commands.doctor import rest_checks
from commands.doctor.probe import ProbedPage
from tests.support.evidence import ours, page


@pytest.mark.parametrize(("url", "came", "level"), [
    ("/health", page(200, {}), "ok"),
    ("/docs", page(200, "<html>"), "ok"),
    ("/health", page(200, "<html>"), "wrong"),
    ("/portfolio/fills", ours(503, "/x", missing=["KALSHI_API_KEY"]), "ok"),
    ("/markets/", ours(502, "/x"), "note"),
    ("/markets/", ours(500, "/x"), "wrong"),
    ("/markets/", ours(404, "/x"), "wrong"),
    ("/markets/", page(503, "<h1>down"), "wrong"),
    ("/markets/", ProbedPage(0, {}, b"no answer within 7 s", 7), "wrong"),
], ids=[
    "json", "page", "html for json", "no keys", "exchange away", "bug", "not there", "proxy error", "silence",
])  # fmt: skip
def test_answers(url: str, came: ProbedPage, level: str) -> None:
    """A failure of the exchange does not count against the proxies."""
    assert rest_checks.answer(url, came).level == level


@pytest.mark.parametrize(("first", "again", "level"), [
    (page(200, {}, etag='W/"a"'), page(304, ""), "ok"),
    (page(200, {}, etag='W/"a-gzip"'), page(200, {}, etag='W/"a-gzip"'), "wrong"),
    (page(200, {}, etag='W/"a"'), page(200, {}, etag='W/"b"'), "note"),
    (page(200, {}), page(200, {}), "note"),
    (page(503, {}), page(503, {}), "note"),
], ids=["304", "again in full", "changed", "no etag", "no answer"])  # fmt: skip
def test_caching(first: ProbedPage, again: ProbedPage, level: str) -> None:
    """The same ETag twice with a body is a 304 that was lost."""
    assert rest_checks.caching(first, again).level == level


@pytest.mark.parametrize(("came", "level"), [
    (page(200, {}, server="Apache", content_encoding="gzip"), "ok"), (page(200, {}, server="Apache"), "note"),
    (page(200, {}), "ok"), (page(200, {}, server="uvicorn"), "ok"), (page(200, {}, via="1.1 cache"), "note"),
], ids=["gzip", "apache", "bare", "uvicorn", "via"])  # fmt: skip
def test_compression_of_json(came: ProbedPage, level: str) -> None:
    """Only a proxy is expected to compress."""
    assert rest_checks.compression(came).level == level


@pytest.mark.parametrize(("status", "server", "home", "level"), [
    (403, "Apache", False, "ok"), (401, "", False, "ok"), (200, "Apache", False, "wrong"),
    (200, "Apache", True, "note"), (200, "", False, "note"), (200, "", True, "note"),
])  # fmt: skip
def test_exposure(status: int, server: str, home: bool, level: str) -> None:
    """Operators' URLs are closed by the proxy, to all but the machine itself."""
    pages = {"/metrics": page(status, {}, server=server), "/sse/clients": page(403, {}, server=server)}
    assert rest_checks.exposure(pages, home).level == level


SAFE = {"x_content_type_options": "nosniff", "x_frame_options": "DENY", "referrer_policy": "same-origin"}


@pytest.mark.parametrize(("headers", "tls", "home", "names"), [
    (SAFE, False, True, []), (SAFE, False, False, ["tls"]), (SAFE, True, False, ["hsts"]),
    ({}, False, True, ["security headers"]), (SAFE | {"server": "Apache/2.4.71"}, False, True, ["server version"]),
], ids=["at home", "clear", "no hsts", "none", "version"])  # fmt: skip
def test_protection(headers: Mapping[str, str], tls: bool, home: bool, names: list[str]) -> None:
    """Headers that were taken away are missed; TLS is missed from afar alone."""
    found = rest_checks.protection(page(200, {}, **headers), tls, home)
    assert [finding.name for finding in found if finding.level != "ok"] == names


@pytest.mark.parametrize(("status", "names"), [(200, []), (429, []), (404, ["prefix"]), (307, ["prefix"])])
def test_slashes(status: int, names: list[str]) -> None:
    """A proxy that treats the form with the slash in another way is wrong; a rate limit is not a finding."""
    assert [finding.name for finding in rest_checks.slashes(page(status, {}))] == names
