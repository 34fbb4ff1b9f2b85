"""Run the steps of a client's script and print their outcomes; shared by the scripts of this folder.

usage of every script: python SCRIPT URL WS_URL KEY_ID KEY_PATH TICKER SETTLED
TICKER: an open market of shard 0, quoted 0.40 to 0.45. SETTLED: a market that settled with a position of 2.50 NO.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

URL, WS_URL, KEY_ID, KEY_PATH, TICKER, SETTLED = sys.argv[1:7]
EVENT, SERIES = TICKER.rsplit("-", 1)[0], TICKER.split("-")[0]
outcomes: dict[str, str] = {}


def step(name: str, work: Callable[[], Any]) -> Any:
    """Record the outcome of a call; return its result, or None if it raised."""
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  # every error of a client is a finding
        outcomes[name] = f"{type(error).__name__}: {error}"[:600]
        return None
    outcomes[name] = "ok"
    return result


async def async_step(name: str, work: Callable[[], Awaitable[Any]]) -> Any:
    """Record the outcome of a coroutine; return its result, or None if it raised."""
    try:
        async with asyncio.timeout(20):
            result = await work()
    except Exception as error:  # noqa: BLE001  # every error of a client is a finding
        outcomes[name] = f"{type(error).__name__}: {error}"[:600]
        return None
    outcomes[name] = "ok"
    return result


def check(name: str, found: object, expected: object) -> None:
    """Record a comparison as a step."""
    outcomes[name] = "ok" if found == expected else f"expected {expected!r}, got {found!r}"


def finish() -> None:
    """Print the outcomes as JSON."""
    print(json.dumps(outcomes, indent=1))
