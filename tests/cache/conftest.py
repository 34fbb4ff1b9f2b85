"""A keeper over a memory cache, with a clock that the test moves."""

from typing import Any

import pytest

from cache.memory import MemoryCache
from tests.support.clock import Clock
from tests.support.source import keeper_over


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def keeper(clock: Clock) -> Any:
    return keeper_over(MemoryCache(clock=clock), clock)
