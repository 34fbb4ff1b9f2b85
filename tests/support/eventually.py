"""Wait for a fact with a deadline, instead of sleeping and hoping; with an event loop, and without."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def eventually(fact: Callable[[], object], within: float = 30.0, every: float = 0.02) -> Any:
    """The first truthy result of fact, asked every so many seconds; AssertionError when none came within."""
    deadline = time.monotonic() + within
    while True:
        result = fact()
        if isinstance(result, Awaitable):
            result = await result
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {within} s: {fact}"
        await asyncio.sleep(every)


def until(fact: Callable[[], T], within: float = 10.0, what: str = "", every: float = 0.05) -> T:
    """The same for tests without an event loop; what names the fact when it fails."""
    deadline = time.monotonic() + within
    while not (result := fact()):
        assert time.monotonic() < deadline, f"not within {within} s: {what or fact}"
        time.sleep(every)
    return result
