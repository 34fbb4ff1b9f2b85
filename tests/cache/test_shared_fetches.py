"""Concurrent callers share one fetch, which continues when callers leave, and never runs without a limit."""

import asyncio
import gc

import pytest

from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.source import NoSuchThing, Source, Trouble, keeper_over


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
    await eventually(lambda: source.calls)
    first.cancel()
    source.gate.set()
    assert (await second).value == "value"
    assert first.cancelled()
    assert source.calls == 1


async def test_a_failure_without_a_waiting_caller_makes_no_warning(keeper: StaleCache) -> None:
    """All callers left; the failure is stored and nothing is logged of an exception that nobody retrieved."""
    source = Source(Trouble("down"))
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await eventually(lambda: source.calls)
    reader.cancel()
    source.gate.set()
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    assert source.calls == 1


async def test_a_failure_after_a_stale_answer_makes_no_warning(clock: Clock) -> None:
    """The caller had no time to wait; the fetch goes on, fails, and no exception is left that nobody retrieved."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, patience=0.0)
    source = Source("old")
    await keeper.get("k", 60, source)
    clock.now += 60
    source.gate, source.value = asyncio.Event(), NoSuchThing("gone")
    assert (await keeper.get("k", 60, source)).stale
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    source.gate.set()
    await eventually(lambda: keeper.peek("k", 60) is None and not any("fetch k" in each for each in task_names()))
    gc.collect()
    assert problems == []


def task_names() -> list[str]:
    """Return the names of the running tasks."""
    return [task.get_name() for task in asyncio.all_tasks()]


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
    await eventually(lambda: source.calls)
    for n in range(5):
        await keeper.get(f"other{n}", 60, Source(n))
    source.gate.set()
    assert (await reader).value == "value"
    assert keeper.peek("k", 60).value == "value"


async def test_a_value_that_was_dropped_during_its_fetch_is_counted_once(clock: Clock) -> None:
    """The size of a dropped value is subtracted once, so that no more is stored than the bound allows."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, max_bytes=1000)
    await keeper.get("k", 60, Source("x" * 400))
    clock.now += 60
    source = Source("y" * 400)
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await eventually(lambda: source.calls)
    for name in ("a", "b"):  # together with k they are more than the bound
        await keeper.get(name, 60, Source("z" * 400))
    source.gate.set()
    await reader
    assert [name for name in ("k", "a", "b") if keeper.peek(name, 60) is not None] == ["k", "b"]
    await keeper.get("c", 60, Source("z" * 400))
    assert [name for name in ("k", "a", "b", "c") if keeper.peek(name, 60) is not None] == ["b", "c"]


async def test_closing_ends_the_calls_under_way(keeper: StaleCache) -> None:
    """No task is left behind."""
    source = Source()
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await eventually(lambda: source.calls)
    await keeper.close()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert keeper._fetches == {}
