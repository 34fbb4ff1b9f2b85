"""Concurrent callers share one fetch, which continues when callers leave, and never runs without a limit."""

import asyncio

import pytest

from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from tests.support.clock import Clock
from tests.support.source import Source, Trouble, keeper_over


async def test_a_hundred_equal_requests_make_one_call(keeper: StaleCache) -> None:
    """On a cold cache, and all get the answer."""
    source = Source("value")
    source.gate = asyncio.Event()
    readers = [asyncio.create_task(keeper.get("k", 60, source)) for _ in range(100)]
    await asyncio.sleep(0)
    source.gate.set()
    assert {answer.value for answer in await asyncio.gather(*readers)} == {"value"}
    assert source.calls == 1


async def test_the_call_goes_on_when_its_first_asker_leaves(keeper: StaleCache) -> None:
    """The others wait for it, and it is not made again."""
    source = Source("value")
    source.gate = asyncio.Event()
    first, second = (asyncio.create_task(keeper.get("k", 60, source)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    source.gate.set()
    assert (await second).value == "value"
    assert first.cancelled()
    assert source.calls == 1


async def test_a_failure_without_a_waiting_caller_makes_no_warning(keeper: StaleCache) -> None:
    """All callers left; the failure is stored and no warning appears (warnings are errors here)."""
    source = Source(Trouble("down"))
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    reader.cancel()
    source.gate.set()
    await asyncio.sleep(0.01)
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    assert source.calls == 1


async def test_a_fetch_that_hangs_is_ended(clock: Clock) -> None:
    """Every wait has a limit; it counts as a failure."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, limit=0.05)
    source = Source()
    source.gate = asyncio.Event()
    with pytest.raises(TimeoutError):
        await keeper.get("k", 60, source)


async def test_a_key_let_go_of_during_its_fetch_is_still_answered(clock: Clock) -> None:
    """Many other keys came meanwhile."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, max_entries=2)
    source = Source("value")
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    for n in range(5):
        await keeper.get(f"other{n}", 60, Source(n))
    source.gate.set()
    assert (await reader).value == "value"
    assert keeper.peek("k", 60).value == "value"


async def test_closing_ends_the_calls_under_way(keeper: StaleCache) -> None:
    """No task is left behind."""
    source = Source()
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    await keeper.close()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert keeper._fetches == {}
