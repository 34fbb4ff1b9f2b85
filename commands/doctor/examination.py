"""The order of the checks, in which none disturbs the next."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from commands.doctor import reachability, rest_checks, stream_checks
from commands.doctor.cures import proxy_named
from commands.doctor.findings import Diagnosis, note
from commands.doctor.probe import Probe, ProbedPage
from commands.doctor.proxy_checks import FORGED, forwarding, is_local, seen
from commands.doctor.tls_checks import handshake, offered

STREAMS: Final = ("trading", "trades", "portfolio", "status")
LISTEN: Final = 17.0  # seconds: something comes within 15
CROWD: Final = 24  # streams opened at once: more than a page has, and nothing for a healthy server
SLOW: Final = 7.0  # seconds for a plain answer: the service may be asking an exchange that is slow
STRANGE_HOST: Final = "unknown-name.invalid"  # a reserved name that no site has
GZIP: Final = {"Accept-Encoding": "gzip"}


async def examine(visit: Probe, streams: int = CROWD) -> AsyncIterator[Diagnosis]:
    """Yield all findings, in about twenty seconds. Plain answers come first: streams may starve them."""
    begun = time.time()
    health = await visit.get("/health", limit=4)
    visit.proxy = proxy_named(health.proxy)
    if found := reachability.unreached(visit.base, health, bool(visit.keys)):
        yield found
        if found.name == "away":
            yield stream_checks.standby(await visit.listen("/sse/trading", 3))
        return
    for finding in (*reachability.state(health), reachability.clock(health, (begun + time.time()) / 2)):
        yield finding
    looks = _plain(visit, health), _urls(visit), _caching(visit)
    for findings in await asyncio.gather(*looks):
        for finding in findings:
            yield finding
    for finding in await _streams(visit, streams):
        yield finding
    if visit.limited:
        yield note("rate limit", f"{visit.limited} requests were refused by RATE_LIMIT, and say nothing")


async def _plain(visit: Probe, health: ProbedPage) -> list[Diagnosis]:
    """Check who we are to the service, and the answers without a login."""
    local, tls = is_local(visit.base), visit.base.scheme == "https"
    other = {"X-Forwarded-Proto": "http" if tls else "https"}
    shaking = asyncio.create_task(handshake(visit.base)) if tls else None
    plain, other_scheme, forged, renamed, stranger, *closed = await asyncio.gather(
        visit.get("/"),
        visit.get("/", other),
        visit.get("/", {"X-Forwarded-For": FORGED}),
        visit.get("/", {"Host": STRANGE_HOST}),
        visit.get("/health", anonymous=True),
        *(visit.get(url, anonymous=True) for url in rest_checks.CLOSED),
    )
    us = seen(plain)
    home = us.is_loopback if us else local
    return [
        *offered(await shaking if shaking else None, health.proxy),
        *forwarding(visit.base, us, seen(other_scheme), seen(forged), direct=local and not health.proxy),
        rest_checks.hosts(renamed),
        rest_checks.exposure(dict(zip(rest_checks.CLOSED, closed, strict=True)), home),
        *rest_checks.access(stranger, home),
        *rest_checks.protection(health, tls, home),
    ]


async def _urls(visit: Probe) -> list[Diagnosis]:
    requests = (visit.get(url, limit=SLOW) for url in ("/health/", *rest_checks.URLS))
    slash, *pages = await asyncio.gather(*requests)
    return [*map(rest_checks.answer, rest_checks.URLS, pages), *rest_checks.slashes(slash)]


async def _caching(visit: Probe) -> list[Diagnosis]:
    """Check the caching of an answer from the journal, which needs neither the exchange nor keys."""
    path = "/portfolio/trades/history?limit=5"
    page, first = await asyncio.gather(visit.get("/openapi.json", GZIP, limit=3), visit.get(path, GZIP, limit=3))
    again = await visit.get(path, {**GZIP, "If-None-Match": first.headers.get("etag", "")}, limit=3)
    return [rest_checks.compression(page), rest_checks.caching(first, again)]


async def _streams(visit: Probe, count: int) -> list[Diagnosis]:
    """Check the four streams as a browser opens them, and many more meanwhile."""
    listening = asyncio.gather(*(visit.listen(f"/sse/{name}", LISTEN, GZIP) for name in STREAMS))
    probed, many = await asyncio.gather(listening, _many_streams(visit, count))
    four = dict(zip(STREAMS, probed, strict=True))
    found = list(stream_checks.streams(four, LISTEN, starved=many.rest.status == 0))
    prompt = all(finding.level == "ok" or finding.name == "idle cut" for finding in found)
    return [*found, stream_checks.crowd(many, prompt)]


async def _many_streams(visit: Probe, count: int) -> stream_checks.Crowd:
    """Open count streams at once, send a plain request while they are open, and close them."""
    await asyncio.sleep(2)  # the four have begun
    seconds = 4 + min(count / 100, 8)
    opening = [asyncio.create_task(visit.listen("/sse/status", seconds)) for _ in range(count)]
    await asyncio.sleep(seconds - 2.5)
    rest = await visit.get("/health/live", limit=2.4)
    return stream_checks.Crowd(await asyncio.gather(*opening), rest)
