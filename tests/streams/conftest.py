"""Fixtures of the stream tests: a server for each parser and each way to deliver."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.sse import StreamLimits
from streams.subscriber import EAGER_TASKS
from tests.support.wire import Serve, Served, served

WAYS = [("httptools", False), ("h11", EAGER_TASKS), *([("httptools", True)] if EAGER_TASKS else [])]


@pytest.fixture(params=WAYS, ids=[f"{http}-{'eager' if eager else 'queue'}" for http, eager in WAYS])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Return a function that starts a server; each test runs once for each parser and way to deliver."""
    http, eager = request.param
    async with contextlib.AsyncExitStack() as stack:

        async def make(kept: int = 0, max_streams: int = 1000, **options: Any) -> Served:
            limits = StreamLimits(eager=eager, **options)
            return await stack.enter_async_context(served(limits, kept, max_streams, http))

        yield make
