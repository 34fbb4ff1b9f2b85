"""How long REST answers take, by URL and status; streams are left out, whose length is no latency."""

import time
from collections import defaultdict
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
STREAMS: Final = tuple(f"/api/python/sse/{name}" for name in ("trading", "trades", "portfolio", "status"))


class Durations:
    """Counts by bucket, sum in seconds, for each (URL pattern, status)."""

    def __init__(self) -> None:
        self.buckets: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self.sums: defaultdict[tuple[str, str], float] = defaultdict(float)

    def add(self, url: str, status: int, seconds: float) -> None:
        """Count one answer."""
        place = sum(seconds > bound for bound in BOUNDS)
        self.buckets[url, str(status)][place] += 1
        self.sums[url, str(status)] += seconds


class Timed:
    """Puts the duration of each request that is no stream into durations."""

    def __init__(self, app: ASGIApp, durations: Durations) -> None:
        self.app = app
        self.durations = durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(STREAMS):
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500  # what Starlette answers further out, when an exception passes us

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            self.durations.add(pattern(scope), status, time.perf_counter() - begun)


def pattern(scope: Scope) -> str:
    """The URL's pattern and not the URL, so that nobody's inventions become labels."""
    route = scope.get("route")
    return getattr(route, "path", "") or "other"
