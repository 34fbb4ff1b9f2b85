"""What the tests of the streams begin with: a journal's path, an exchange, a server for each way of writing."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streams.sse import StreamLimits
from tests.support.exchange import ScriptedExchange
from tests.support.wire import Serve, Served, served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
def exchange() -> ScriptedExchange:
    """Complete up to an hour from now: no test waits for it unless it says so."""
    return ScriptedExchange(complete=time.time() + 3600)


@pytest.fixture(params=["queue-httptools", "step-h11", "write-httptools"])
async def serve(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    """Makes a server; each test that uses it runs once for each way of writing."""
    way, http = request.param.split("-")
    async with contextlib.AsyncExitStack() as stack:

        async def make(kept: int = 0, max_streams: int = 1000, **options: Any) -> Served:
            limits = StreamLimits(way=way, **options)
            return await stack.enter_async_context(served(limits, kept, max_streams, http))

        yield make
