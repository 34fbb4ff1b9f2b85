"""Wait for a fact with a deadline, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(
    fact: Callable[[], object | Awaitable[object]], within: float = 5.0, every: float = 0.02
) -> object:
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
