"""Every answer through the response middleware: its headers, its errors as problems, its duration counted once."""

import contextlib
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from kalshi.errors import NotFound
from routes.application import Durations, ResponseMiddleware
from routes.problems import Problem

SCOPE = {"type": "http", "method": "GET", "path": "/api/python/portfolio/balance", "headers": []}
START = {"type": "http.response.start", "status": 200, "headers": []}


class Exchange:
    """One request through the middleware, to an application that may start its response and may fail."""

    def __init__(self, error: Exception | None, start: bool) -> None:
        self.error, self.start = error, start
        self.durations = Durations()
        self.messages: list[Any] = []

    async def run(self) -> None:
        """Serve the request."""
        await ResponseMiddleware(self.app, self.durations)(dict(SCOPE), self.receive, self.send)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Start, and fail."""
        if self.start:
            await send(dict(START))
        if self.error is not None:
            raise self.error

    async def receive(self) -> Any:
        """Return that the client has left."""
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Keep a message."""
        self.messages.append(message)


@pytest.mark.parametrize(
    ("error", "status", "raised"),
    [
        (Problem(400, "limit"), 400, False),
        (HTTPException(405), 405, False),
        (NotFound("no such market", 404), 404, False),
        (RuntimeError("a mistake"), 500, True),
    ],
    ids=["problem", "starlette's", "exchange's", "mistake"],
)
async def test_an_error_is_one_problem_and_a_mistake_is_raised_too(error: Exception, status: int, raised: bool) -> None:
    """The status, the media type and the count; the server's log gets the unexpected error."""
    request = Exchange(error, start=False)
    with pytest.raises(RuntimeError) if raised else contextlib.nullcontext():
        await request.run()
    assert [message["type"] for message in request.messages] == ["http.response.start", "http.response.body"]
    assert request.messages[0]["status"] == status
    assert (b"content-type", b"application/problem+json") in request.messages[0]["headers"]
    assert list(request.durations.buckets) == [("other", status)]


async def test_an_error_within_a_response_is_raised_and_starts_no_second_one() -> None:
    """Part of the body may have left: the server has to cut the connection."""
    request = Exchange(Problem(404, "late"), start=True)
    with pytest.raises(Problem):
        await request.run()
    assert [message["status"] for message in request.messages] == [200]
    assert list(request.durations.buckets) == [("other", 200)]


async def test_an_answer_gets_the_security_headers_once() -> None:
    """A 200 has nosniff, and a problem does not have it twice."""
    for error in (None, Problem(404, "nothing")):
        request = Exchange(error, start=error is None)
        await request.run()
        assert [name for name, _ in request.messages[0]["headers"]].count(b"x-content-type-options") == 1
