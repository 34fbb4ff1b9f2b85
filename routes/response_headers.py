"""Security headers on every response, errors as problems, and the duration of each response for the metrics."""

import time
from bisect import bisect_left
from collections import defaultdict
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from routes import problems

SECURITY: Final = [(name.lower().encode(), value.encode()) for name, value in problems.SECURITY.items()]
BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Durations:
    """Counts by bucket, and the sum in seconds, for each (URL pattern, status)."""

    def __init__(self) -> None:
        self.buckets: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self.sums: defaultdict[tuple[str, int], float] = defaultdict(float)

    def add(self, url: str, status: int, seconds: float) -> None:
        """Count one response."""
        self.buckets[url, status][bisect_left(BOUNDS, seconds)] += 1
        self.sums[url, status] += seconds


class ResponseMiddleware:
    """Add the security headers, answer an error as a problem, and record the duration.

    An unexpected error is raised again, for the server's log. Strict-Transport-Security is left to the proxy with TLS.
    """

    def __init__(self, app: ASGIApp, durations: Durations) -> None:
        self.app, self.durations = app, durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status < 400:  # problems have them already
                    message = {**message, "headers": [*message["headers"], *SECURITY]}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if status:  # part of a response has left
                raise
            await problems.render(problems.from_exception(error), scope)(scope, receive, send_with_headers)
            if not isinstance(error, problems.EXPECTED):
                raise
        finally:
            # A path that no URL has is `other`, so that clients cannot add labels.
            url = getattr(scope.get("endpoint"), "label", "other")
            self.durations.add(url, status or 500, time.perf_counter() - started)
