"""Security headers on every response, errors as problems, and the duration of each response for the metrics."""

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from routes import problems
from routes.durations import Durations, label

SECURITY: Final = [(name.lower().encode(), value.encode()) for name, value in problems.SECURITY.items()]


class ResponseMiddleware:
    """Add the security headers, answer an error as a problem, and record the duration.

    An unexpected error is raised again, for the server's log. Strict-Transport-Security is left to the proxy with TLS.
    """

    def __init__(self, app: ASGIApp, durations: Durations) -> None:
        self.app, self.durations = app, durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
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
            self.durations.add(label(scope), status or 500, time.perf_counter() - started)
