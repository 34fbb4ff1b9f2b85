"""After news an answer counts only once its source has taken them in."""

import asyncio

from cache.base import Answer
from cache.memory import MemoryCache
from cache.stale_cache import CompleteValue, StaleCache
from tests.support.clock import Clock
from tests.support.source import Source, keeper_over


async def test_after_news_an_answer_is_stale_until_the_source_has_taken_them_in(
    keeper: StaleCache, clock: Clock
) -> None:
    """Stale answers are asked again with backoff; the first settled one ends it."""
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


async def test_what_is_not_settled_and_too_old_is_asked_again_at_once(clock: Clock) -> None:
    """The pause that unsettled answers are given is for as long as there is something to tell meanwhile."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, keep=0)
    source = Source(CompleteValue("before", complete_to=999.0))
    assert (await keeper.get("k", 0.5, source, newer_than=1000.0)).stale
    clock.now += 0.6
    source.value = CompleteValue("after", complete_to=1000.2)
    assert await keeper.get("k", 0.5, source, newer_than=1000.0) == Answer("after", "kalshi_api", 1000.6)
    assert source.calls == 2


async def test_later_news_shorten_the_wait(keeper: StaleCache, clock: Clock) -> None:
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


async def test_who_joins_a_call_begun_before_the_news_hears_stale(keeper: StaleCache, clock: Clock) -> None:
    """The same call brings fresh for the one and stale for the other."""
    source = Source(CompleteValue("before", complete_to=999.0))
    source.gate = asyncio.Event()
    early = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    late = asyncio.create_task(keeper.get("k", 60, source, newer_than=1000.0))
    await asyncio.sleep(0.01)
    source.gate.set()
    assert [(await early).stale, (await late).stale] == [False, True]
