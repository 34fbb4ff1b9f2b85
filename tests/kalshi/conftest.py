"""A scripted exchange, and the session to reach it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.kalshi import FakeKalshi


@pytest.fixture
async def kalshi() -> AsyncIterator[FakeKalshi]:
    """A scripted exchange."""
    async with FakeKalshi() as fake:
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The shared session."""
    async with aiohttp.ClientSession() as it:
        yield it
