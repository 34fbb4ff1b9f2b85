"""Checks of plain answers: complete, cached, compressed, or closed to those without rights."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from commands.doctor.findings import Diagnosis, hint, note, well, wrong
from commands.doctor.probe import ProbedPage
from commands.doctor.reachability import AWAY, problem

PAGES: Final = ("/docs", "/dashboard")
URLS: Final = (
    "/", "/health", "/health/ready", "/portfolio/balance", "/portfolio/positions", "/portfolio/fills",
    "/portfolio/orders", "/portfolio/settlements", "/portfolio/trades/live", "/portfolio/trades/history",
    "/portfolio/summary", "/markets/", "/sse/stats", *PAGES, "/openapi.json",
)  # fmt: skip
CLOSED: Final = ("/metrics", "/sse/clients")  # for operators alone
HEADERS: Final = ("x-content-type-options", "x-frame-options", "referrer-policy")


def answer(url: str, page: ProbedPage) -> Diagnosis:
    """Check an answer of one URL; an exchange that is down or has no keys is only a note."""
    came = f"{page.shown} in {page.seconds * 1000:.0f} ms, {len(page.body)} bytes"
    expected = "text/html" if url in PAGES else "application/json"
    if page.status == 200 and page.kind == expected:
        return well(url, came)
    if page.status == 200:
        return wrong(url, f"{came}, but {page.kind or 'of no type'} and not {expected}: somebody else answers")
    mine = problem(page)
    if page.status == 503 and "missing" in mine:
        return well(url, f"{came}: {mine.get('detail')}")
    if page.status in (429, *AWAY) and mine:
        return note(url, f"{came}: {mine.get('detail')}")
    return wrong(url, f"{page.shown}: {' '.join(page.text.split())[:120]}" if page.status else page.shown)


def slashes(page: ProbedPage) -> Iterator[Diagnosis]:
    """Check /health/, which must be the same as /health."""
    if page.status not in (200, 429):
        yield wrong("prefix", f"/health/ answers {page.shown}, and must be the same as /health")


def caching(first: ProbedPage, again: ProbedPage) -> Diagnosis:
    """Check two answers of one URL, the second requested with the ETag of the first, both with gzip."""
    etag = first.headers.get("etag")
    if first.status != 200 or not etag:
        return note("not modified", f"not judged: {first.shown}, ETag {etag}")
    if again.status == 304:
        return well("not modified", "304 for what a visitor holds already")
    if again.headers.get("etag") == etag:
        return wrong("not modified", f"If-None-Match: {etag} brings the whole body again")
    return note("not modified", "not judged: it changed while we looked")


def compression(page: ProbedPage) -> Diagnosis:
    """Check JSON that was requested with gzip."""
    how = page.headers.get("content-encoding", "identity")
    if how != "identity" or not page.proxy:
        return well("json compression", f"{how}, {len(page.body)} bytes of {page.kind}")
    return hint("json compression", f"JSON comes uncompressed ({len(page.body)} bytes)")


def hosts(renamed: ProbedPage) -> Diagnosis:
    """Check an answer to a request that names another host: a page of that name could read it by DNS rebinding."""
    if renamed.status == 200 and "links" in renamed.json:
        return wrong("any host", "the service answers to any Host: a page of another name can read the account")
    return well("any host", f"another Host gets {renamed.shown}")


def exposure(pages: Mapping[str, ProbedPage], home: bool) -> Diagnosis:
    """Check the answers of operators' URLs without a key. home: the service takes us for its own machine."""
    found = [url for url, page in pages.items() if page.status == 200]
    if not found:
        return well("exposure", f"{' and '.join(pages)} are closed from here")
    if home:
        return note(
            "exposure", f"{' and '.join(found)} open, but you are the service's own machine: ask from elsewhere"
        )
    if any(pages[url].proxy for url in found):
        return wrong("exposed", f"{' and '.join(found)} can be read by anybody")
    return note("exposure", f"{' and '.join(found)} can be read from here, and no proxy is in front to close them")


def access(health: ProbedPage, home: bool) -> Iterator[Diagnosis]:
    """Note that clients without a key may read."""
    if health.status == 200 and not home:
        yield note("access", "anybody who reaches this address can read balance and positions: see API_TOKEN and AUTH")


def protection(page: ProbedPage, tls: bool, home: bool) -> Iterator[Diagnosis]:
    """Check the security headers and TLS."""
    missing: Sequence[str] = [name for name in HEADERS if name not in page.headers]
    if missing:
        yield wrong("security headers", f"taken away on the way: {', '.join(missing)}")
    else:
        yield well("security headers", ", ".join(HEADERS))
    if tls and "strict-transport-security" not in page.headers:
        yield hint("hsts", "browsers are not told to stay with https")
    if not tls and not home:
        yield note("tls", "plain http: whoever is on the way reads everything, tokens included")
    if "/" in page.headers.get("server", ""):
        yield note("server version", f"{page.headers['server']}: ServerTokens Prod would tell less")
