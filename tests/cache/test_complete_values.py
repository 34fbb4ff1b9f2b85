"""After news an answer counts only once its source has taken them in."""

import asyncio

from cache.base import Answer
from cache.memory import MemoryCache
from cache.stale_cache import CompleteValue, StaleCache
from tests.support.clock import Clock
from tests.support.source import Source, keeper_over


async def test_after_an_event_an_answer_is_stale_until_the_source_includes_it(keeper: StaleCache, clock: Clock) -> None:
    """A stale answer is fetched again with backoff; the first answer that includes the event is fresh."""
    source = Source(CompleteValue("before", complete_to=999.0))
    assert not (await keeper.get("k", 3600, source)).stale
    clock.now = 1010.0
    source.value = CompleteValue("still before", complete_to=1005.0)
    answer = await keeper.get("k", 3600, source, newer_than=1008.0)
    assert answer == Answer("still before", "kalshi_api", 1010.0, stale=True)
    again = await keeper.get("k", 3600, source, newer_than=1008.0)
    assert (again.stale, source.calls) == (True, 2)
    clock.now += 1.0
    source.value = CompleteValue("after", complete_to=1008.5)
    assert await keeper.get("k", 3600, source, newer_than=1008.0) == Answer("after", "kalshi_api", 1011.0)
    assert not (await keeper.get("k", 3600, source, newer_than=1008.0)).stale
    assert source.calls == 3


async def test_an_incomplete_value_that_is_too_old_is_fetched_again_at_once(clock: Clock) -> None:
    """The pause after incomplete answers holds only while a value can be returned meanwhile."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, keep=0)
    source = Source(CompleteValue("before", complete_to=999.0))
    assert (await keeper.get("k", 0.5, source, newer_than=1000.0)).stale
    clock.now += 0.6
    source.value = CompleteValue("after", complete_to=1000.2)
    assert await keeper.get("k", 0.5, source, newer_than=1000.0) == Answer("after", "kalshi_api", 1000.6)
    assert source.calls == 2


async def test_a_later_event_shortens_the_wait(keeper: StaleCache, clock: Clock) -> None:
    """After many tries the pause is long; another trade is another question, though not more than once a second."""
    source = Source(CompleteValue("x", complete_to=1.0))
    for _ in range(40):
        await keeper.get("k", 3600, source, newer_than=999.0)
        clock.now += 1
    calls = source.calls
    await keeper.get("k", 3600, source, newer_than=999.0)
    assert source.calls == calls
    await keeper.get("k", 3600, source, newer_than=1039.0)
    await keeper.get("k", 3600, source, newer_than=1039.5)
    assert source.calls == calls + 1


async def test_a_shared_fetch_begun_before_an_event_is_stale_for_its_caller(keeper: StaleCache, clock: Clock) -> None:
    """One fetch is fresh for its first caller and stale for a caller with a later event."""
    source = Source(CompleteValue("before", complete_to=999.0))
    source.gate = asyncio.Event()
    early = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    late = asyncio.create_task(keeper.get("k", 60, source, newer_than=1000.0))
    await asyncio.sleep(0.01)
    source.gate.set()
    assert [(await early).stale, (await late).stale] == [False, True]
