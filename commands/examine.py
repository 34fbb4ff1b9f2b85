"""What the doctor looks at: the way to the service and back, each look with its own judgement."""

import asyncio
import email.utils
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from commands.findings import Finding, note, well, wrong
from commands.visit import Listened, Page, Visit

URLS = (
    "/", "/health", "/portfolio/balance", "/portfolio/positions", "/portfolio/fills", "/portfolio/orders",
    "/portfolio/settlements", "/portfolio/trades/live", "/portfolio/trades/history", "/portfolio/summary", "/markets/",
    "/sse/stats", "/docs", "/dashboard", "/openapi.json",
)  # fmt: skip
STREAMS = ("trading", "trades", "portfolio", "status")
LISTEN = 17.0  # seconds: a ping comes within 15
FORGED = "203.0.113.77"  # an address of the documentation range, that nobody has
CROWD = 24  # streams opened at once to see whether REST still answers


async def examine(visit: Visit) -> AsyncIterator[Finding]:
    """Everything, in about twenty seconds; the streams are listened to while the rest is asked."""
    health = await visit.get("/health")
    if health.status == 0 or b'"parts"' not in health.body:
        yield wrong("prefix", f"{visit.base}/health does not answer as this service does: {_shown(health)}")
        return
    yield well("reach", f"answers in {health.seconds * 1000:.0f} ms: {json.loads(health.body)['status']}")
    listening = [asyncio.create_task(visit.listen(f"/sse/{name}", LISTEN, Accept_Encoding="gzip")) for name in STREAMS]
    for look in (_clock(health), await _version(visit)):
        yield look
    async for finding in _urls(visit):
        yield finding
    async for finding in _forwarding(visit):
        yield finding
    async for finding in _caching(visit):
        yield finding
    async for finding in _exposure(visit):
        yield finding
    async for finding in _crowd(visit):
        yield finding
    for name, heard in zip(STREAMS, await asyncio.gather(*listening), strict=True):
        yield _stream(name, heard)


def _shown(page: Page) -> str:
    return f"HTTP {page.status}" if page.status else page.body.decode("utf-8", "replace")


def _clock(health: Page) -> Finding:
    try:
        there = email.utils.parsedate_to_datetime(health.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return note("clock", "the answer has no Date")
    off = abs(time.time() - there)
    return well("clock", f"within {off:.1f} s of ours") if off < 5 else wrong("clock", f"{off:.0f} s away from ours")


async def _version(visit: Visit) -> Finding:
    version = await visit.negotiated()
    if version == "h2":
        return wrong("http version", "browsers get HTTP/2 here, where Apache blocks REST behind six open streams")
    return well("http version", version or "http/1.1")


async def _urls(visit: Visit) -> AsyncIterator[Finding]:
    for url in URLS:
        page = await visit.get(url)
        problem = page.headers.get("content-type", "").startswith("application/problem+json")
        if page.status == 200 or (problem and page.status == 503 and b'"missing"' in page.body):
            yield well(url, f"HTTP {page.status} in {page.seconds * 1000:.0f} ms, {len(page.body)} bytes")
        else:
            yield wrong(url, f"{_shown(page)}: {page.body[:200].decode('utf-8', 'replace')}")
    slash = await visit.get("/health/")
    if slash.status != 200:
        yield wrong("prefix", f"/health/ answers {_shown(slash)}, and must be the same as /health")


async def _forwarding(visit: Visit) -> AsyncIterator[Finding]:
    """Whether the service knows how it is reached from outside, and whether a visitor can lie about it."""
    ours = urlsplit(visit.base)
    page = await visit.get("/")
    told = urlsplit(json.loads(page.body)["links"]["health"])
    if told.netloc != ours.netloc:
        yield wrong("host", f"links point to {told.netloc} and not to {ours.netloc}")
    other = "http" if ours.scheme == "https" else "https"
    lied = urlsplit(json.loads((await visit.get("/", X_Forwarded_Proto=other)).body)["links"]["health"])
    if told.scheme != ours.scheme:
        yield wrong("scheme", f"links say {told.scheme}:// though visitors come by {ours.scheme}://")
    elif lied.scheme != ours.scheme:
        yield wrong("scheme", f"a visitor who says X-Forwarded-Proto: {other} is believed")
    forged = json.loads((await visit.get("/", X_Forwarded_For=FORGED)).body)
    if forged.get("network", "").startswith("203.0.113."):
        yield wrong("forged address", "a visitor who says X-Forwarded-For is believed: addresses can be invented")
    else:
        yield well("forwarding", "host, scheme and address are those of the connection")


async def _caching(visit: Visit) -> AsyncIterator[Finding]:
    page = await visit.get("/openapi.json", Accept_Encoding="gzip")
    proxied = "apache" in page.headers.get("server", "").lower() or "via" in page.headers
    if proxied and page.headers.get("content-encoding") != "gzip":
        yield note("json compression", f"JSON is not compressed ({len(page.body)} bytes)")
    first = await visit.get("/markets/", Accept_Encoding="gzip")
    etag = first.headers.get("etag")
    if first.status == 200 and etag:
        again = await visit.get("/markets/", Accept_Encoding="gzip", If_None_Match=etag)
        if again.status == 304:
            yield well("not modified", "304 for what a visitor holds already")
        elif again.headers.get("etag") == etag:
            yield wrong("not modified", f"If-None-Match {etag} brings the whole body again")


async def _exposure(visit: Visit) -> AsyncIterator[Finding]:
    open_ones = [path for path in ("/metrics", "/sse/clients") if (await visit.get(path)).status == 200]
    page = await visit.get("/health")
    behind = "apache" in page.headers.get("server", "").lower()
    if open_ones and behind:
        yield wrong("exposed", f"{' and '.join(open_ones)} can be read from outside")
    else:
        yield well("exposure", "metrics and the list of clients are not open to the outside" if behind else "no proxy")


async def _crowd(visit: Visit) -> AsyncIterator[Finding]:
    """Whether streams can starve REST: a crowd of them is open while a plain answer is asked for."""
    crowd = [asyncio.create_task(visit.listen("/sse/status", 4.0)) for _ in range(CROWD)]
    await asyncio.sleep(1.5)
    rest = await visit.get("/health/live", limit=2.5)
    heard = await asyncio.gather(*crowd)
    refused = sorted({one.status for one in heard} - {200, 0})
    if refused:
        yield wrong("stream refused", f"of {CROWD} streams some got {refused}: a browser gives up on that for ever")
    elif rest.status != 200:
        yield wrong("threads", f"with {CROWD} streams open a plain request got {_shown(rest)}")
    else:
        yield well("threads", f"{CROWD} more streams, and a plain answer in {rest.seconds * 1000:.0f} ms")


def _stream(name: str, heard: Listened) -> Finding:
    kind = heard.headers.get("content-type", "")
    if heard.status == 0 and heard.ended is None:
        return wrong("buffering", f"/sse/{name}: not even a header in {LISTEN:g} s; something collects the stream")
    if heard.status != 200 or not kind.startswith("text/event-stream"):
        return wrong("stream refused", f"/sse/{name} answers HTTP {heard.status} {kind}")
    if "content-encoding" in heard.headers:
        return wrong("compression", f"/sse/{name} comes as {heard.headers['content-encoding']}: noise for scripts")
    if heard.first is None or heard.first > 2:
        when = "nothing came" if heard.first is None else f"the first byte came after {heard.first:.1f} s"
        return wrong("buffering", f"/sse/{name}: {when}; something on the way collects the stream")
    if heard.ended is not None and "bye" not in heard.events:
        return wrong("idle cut", f"/sse/{name} was cut after {heard.ended:.1f} s without a bye")
    if not any(line.startswith(":") or line.startswith("event: ") for at, line in heard.lines if at > 1):
        return wrong("buffering", f"/sse/{name}: after the first bytes nothing more came in {LISTEN:g} s")
    return well(
        f"/sse/{name}", f"first byte after {heard.first * 1000:.0f} ms, {len(heard.events)} events in {LISTEN:g} s"
    )
