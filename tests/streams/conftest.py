"""Fixtures of the stream tests: a server for each way of writing."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.sse import StreamLimits
from tests.support.wire import Serve, Served, served


@pytest.fixture(params=["queue-httptools", "step-h11", "write-httptools"])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Makes a server; each test that uses it runs once for each way of writing."""
    way, http = request.param.split("-")
    async with contextlib.AsyncExitStack() as stack:

        async def make(kept: int = 0, max_streams: int = 1000, **options: Any) -> Served:
            limits = StreamLimits(way=way, **options)
            return await stack.enter_async_context(served(limits, kept, max_streams, http))

        yield make
