"""Keeper: one fetch however many ask, the same answer while nothing changes, an old one when the source fails."""

import asyncio
import time
from decimal import Decimal

import pytest

from cache.base import Answer
from cache.fallback import Keeper, Settled
from cache.memory import MemoryCache
from tests.support.clock import Clock


class Trouble(Exception):
    """The source failed."""


class NoSuchThing(Trouble):
    """The source answered: there is none."""


class Source:
    """Counts its calls; gives what it is told to, or raises it; waits for the gate when there is one."""

    def __init__(self, value=None):
        self.value, self.calls, self.gate = value, 0, None

    async def __call__(self):
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keeper(clock):
    return keeper_over(MemoryCache(clock=clock), clock)


def keeper_over(cache, clock, **more):
    return Keeper(cache, "kalshi_api", (Trouble,), (NoSuchThing,), clock=clock, monotonic=clock, **more)


async def test_first_from_the_source_then_from_the_cache(keeper, clock):
    """The first answer says kalshi_api, the next memory_cache; as_of stays the time it was asked for."""
    source = Source({"price": Decimal("0.65")})
    assert await keeper.get("k", 60, source) == Answer({"price": Decimal("0.65")}, "kalshi_api", 1000.0)
    clock.now += 30
    assert await keeper.get("k", 60, source) == Answer({"price": Decimal("0.65")}, "memory_cache", 1000.0)
    clock.now += 30
    assert (await keeper.get("k", 60, source)).as_of == 1060.0
    assert source.calls == 2


async def test_a_hundred_equal_requests_make_one_call(keeper):
    """On a cold cache, and all get the answer."""
    source = Source("value")
    source.gate = asyncio.Event()
    readers = [asyncio.create_task(keeper.get("k", 60, source)) for _ in range(100)]
    await asyncio.sleep(0)
    source.gate.set()
    assert {answer.value for answer in await asyncio.gather(*readers)} == {"value"}
    assert source.calls == 1


async def test_the_call_goes_on_when_its_first_asker_leaves(keeper):
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


async def test_a_failure_that_nobody_waits_for_is_not_reported_as_forgotten(keeper):
    """All askers left; the failure is remembered and no warning appears (warnings are errors here)."""
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


async def test_the_same_object_is_told_while_nothing_changes(keeper, clock):
    """So that a route may keep the encoded body by identity: fresh, across looks into the cache, and stale."""
    source = Source("value")
    await keeper.get("k", 60, source)
    one = await keeper.get("k", 60, source)
    clock.now += 5  # the cache is looked at again
    assert await keeper.get("k", 60, source) is one
    assert keeper.peek("k", 60) is one
    clock.now += 60
    source.value = Trouble("down")
    old = await keeper.get("k", 60, source)
    assert old.stale
    assert await keeper.get("k", 60, source) is old


async def test_the_last_good_value_stands_in_when_the_source_fails(keeper, clock):
    """Marked stale, with its old as_of, and asked again ever more rarely; a success ends that."""
    source = Source("old")
    await keeper.get("k", 60, source)
    source.value = Trouble("down")
    clock.now += 60
    asked = []
    for _ in range(60):
        answer = await keeper.get("k", 60, source)
        assert answer == Answer("old", "memory_cache", 1000.0, stale=True)
        asked.append(source.calls)
        clock.now += 1
    assert source.calls == 1 + 7  # after 0, 1, 3, 7, 15, 30, 45 seconds
    source.value = "new"
    clock.now += 15
    assert await keeper.get("k", 60, source) == Answer("new", "kalshi_api", clock.now)
    assert keeper.counts.failed == 7


async def test_a_reader_does_not_wait_long_for_a_slow_source_when_an_old_value_is_at_hand(clock):
    """It is told the old value, and the fetch goes on for those who come later."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, patience=0.02)
    source = Source("old")
    await keeper.get("k", 60, source)
    clock.now += 60
    source.value, source.gate = "new", asyncio.Event()
    assert await keeper.get("k", 60, source) == Answer("old", "memory_cache", 1000.0, stale=True)
    clock.now += 0.03
    began = time.perf_counter()
    for _ in range(20):
        assert (await keeper.get("k", 60, source)).stale
    assert time.perf_counter() - began < 0.2
    source.gate.set()
    await asyncio.sleep(0.01)
    assert (await keeper.get("k", 60, source)).value == "new"
    assert source.calls == 2


async def test_an_old_value_does_not_stand_in_for_ever(clock):
    """After ttl and keep together the failure is told."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, keep=100)
    source = Source("old")
    await keeper.get("k", 60, source)
    source.value = Trouble("down")
    clock.now += 159.5
    assert (await keeper.get("k", 60, source)).stale
    clock.now += 0.6  # too old now, and too early to ask again
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    assert source.calls == 2
    clock.now += 1
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    assert source.calls == 3


async def test_a_failure_is_remembered_for_a_moment(keeper, clock):
    """Without an old value too: a storm of readers is no storm of calls."""
    source = Source(Trouble("down"))
    for _ in range(5):
        with pytest.raises(Trouble, match="down"):
            await keeper.get("k", 60, source)
    assert source.calls == 1
    clock.now += 1
    source.value = "back"
    assert (await keeper.get("k", 60, source)).value == "back"


async def test_a_verdict_ends_the_old_value(keeper, clock):
    """That there is no such thing is an answer: what was there once must not stand in for it."""
    source = Source("old")
    await keeper.get("k", 60, source)
    clock.now += 60
    source.value = NoSuchThing("gone")
    for _ in range(2):
        with pytest.raises(NoSuchThing):
            await keeper.get("k", 60, source)
    assert source.calls == 2
    assert await keeper.cache.get("k") is None


async def test_a_bug_in_a_fetch_is_told_and_not_remembered(keeper):
    """Only the failures we know of are worth an old value."""
    with pytest.raises(ZeroDivisionError):
        await keeper.get("k", 60, Source(ZeroDivisionError()))
    assert (await keeper.get("k", 60, Source("value"))).value == "value"


async def test_a_fetch_that_hangs_is_ended(clock):
    """Every wait has a limit; it counts as a failure."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, limit=0.05)
    source = Source()
    source.gate = asyncio.Event()
    with pytest.raises(TimeoutError):
        await keeper.get("k", 60, source)


async def test_after_news_an_answer_is_stale_until_the_source_has_taken_them_in(keeper, clock):
    """Stale answers are asked again with backoff; the first settled one ends it."""
    source = Source(Settled("before", through=999.0))
    assert not (await keeper.get("k", 3600, source)).stale
    clock.now = 1010.0
    source.value = Settled("still before", through=1005.0)
    answer = await keeper.get("k", 3600, source, since=1008.0)
    assert answer == Answer("still before", "kalshi_api", 1010.0, stale=True)
    again = await keeper.get("k", 3600, source, since=1008.0)
    assert (again.stale, source.calls) == (True, 2)
    clock.now += 1.0
    source.value = Settled("after", through=1008.5)
    assert await keeper.get("k", 3600, source, since=1008.0) == Answer("after", "kalshi_api", 1011.0)
    assert not (await keeper.get("k", 3600, source, since=1008.0)).stale
    assert source.calls == 3


async def test_what_is_not_settled_and_too_old_is_asked_again_at_once(clock):
    """The pause that unsettled answers are given is for as long as there is something to tell meanwhile."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, keep=0)
    source = Source(Settled("before", through=999.0))
    assert (await keeper.get("k", 0.5, source, since=1000.0)).stale
    clock.now += 0.6
    source.value = Settled("after", through=1000.2)
    assert await keeper.get("k", 0.5, source, since=1000.0) == Answer("after", "kalshi_api", 1000.6)
    assert source.calls == 2


async def test_later_news_shorten_the_wait(keeper, clock):
    """After many tries the pause is long; another trade is another question, though not more than once a second."""
    source = Source(Settled("x", through=1.0))
    for _ in range(40):
        await keeper.get("k", 3600, source, since=999.0)
        clock.now += 1
    calls = source.calls
    await keeper.get("k", 3600, source, since=999.0)
    assert source.calls == calls
    await keeper.get("k", 3600, source, since=1039.0)
    await keeper.get("k", 3600, source, since=1039.5)
    assert source.calls == calls + 1


async def test_who_joins_a_call_begun_before_the_news_hears_stale(keeper, clock):
    """The same call brings fresh for the one and stale for the other."""
    source = Source(Settled("before", through=999.0))
    source.gate = asyncio.Event()
    early = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    late = asyncio.create_task(keeper.get("k", 60, source, since=1000.0))
    await asyncio.sleep(0.01)
    source.gate.set()
    assert [(await early).stale, (await late).stale] == [False, True]


async def test_two_workers_share_what_one_fetched(clock):
    """The second finds it in the shared cache, and each keeps the newer of both."""
    shared = MemoryCache(clock=clock)
    here, there = keeper_over(shared, clock), keeper_over(shared, clock)
    source = Source({"n": 1})
    await here.get("k", 60, source)
    assert await there.get("k", 60, source) == Answer({"n": 1}, "memory_cache", 1000.0)
    assert source.calls == 1
    await shared.set("k", b'[900,0,"older"]', 60)  # a cache that went back in time
    clock.now += 2
    assert (await there.get("k", 60, source)).value == {"n": 1}


async def test_the_source_of_an_answer_follows_the_cache(clock):
    """When Redis is down the same value is told from memory, and says so."""
    cache = MemoryCache(clock=clock)
    cache.name = "redis_cache"
    keeper = keeper_over(cache, clock)
    await keeper.get("k", 60, Source("value"))
    assert (await keeper.get("k", 60, Source())).source == "redis_cache"
    cache.name = "memory_cache"
    clock.now += 1
    assert await keeper.get("k", 60, Source()) == Answer("value", "memory_cache", 1000.0)


async def test_a_key_let_go_of_during_its_fetch_is_still_answered(clock):
    """Many other keys came meanwhile."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, most=2)
    source = Source("value")
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    for n in range(5):
        await keeper.get(f"other{n}", 60, Source(n))
    source.gate.set()
    assert (await reader).value == "value"
    assert keeper.peek("k", 60).value == "value"


async def test_what_another_worker_left_stands_in_while_the_source_is_left_alone(clock):
    """We failed without an old value; then the shared cache has one, though it is past its time."""
    cache = MemoryCache(clock=clock)
    keeper = keeper_over(cache, clock)
    source = Source(Trouble("down"))
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    await cache.set("k", b'[900,0,"theirs"]', 60)
    assert await keeper.get("k", 60, source) == Answer("theirs", "memory_cache", 900.0, stale=True)
    assert source.calls == 1


async def test_what_is_held_is_bounded(clock):
    """By number and by size; failures count as well."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, most=10, most_bytes=1000)
    for n in range(50):
        await keeper.get(f"small{n}", 60, Source(n))
        with pytest.raises(Trouble):
            await keeper.get(f"bad{n}", 60, Source(Trouble("down")))
    assert len(keeper._held) <= 10
    for n in range(5):
        await keeper.get(f"large{n}", 60, Source("x" * 400))
    assert keeper._bytes <= 1000
    assert keeper._bytes == sum(held.size for held in keeper._held.values())


async def test_peek_never_waits(keeper, clock):
    """It tells what is at hand and nothing else."""
    assert keeper.peek("k", 60) is None
    await keeper.get("k", 60, Source("value"))
    assert keeper.peek("k", 60) == Answer("value", "memory_cache", 1000.0)
    assert keeper.peek("k", 60, since=1001.0) is None
    clock.now += 60
    assert keeper.peek("k", 60) is None


async def test_closing_ends_the_calls_under_way(keeper):
    """No task is left behind."""
    source = Source()
    source.gate = asyncio.Event()
    reader = asyncio.create_task(keeper.get("k", 60, source))
    await asyncio.sleep(0.01)
    await keeper.close()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert keeper._flights == {}


async def test_trouble_is_told_until_it_is_made_good_or_long_ago(keeper, clock):
    """A read in vain is told even while an old value stands in for it; the answer "none" is no trouble."""
    source = Source("value")
    await keeper.get("k", 60, source)
    assert keeper.trouble() is None
    clock.now += 60
    source.value = Trouble("the key is refused")
    assert (await keeper.get("k", 60, source)).stale
    assert keeper.trouble() == "the key is refused"
    with pytest.raises(NoSuchThing):
        await keeper.get("other", 60, Source(NoSuchThing("none")))
    assert keeper.trouble() == "the key is refused"
    clock.now += 121
    assert keeper.trouble() is None
    source.value = "good"
    await keeper.get("k", 60, source)
    assert keeper.trouble(within=1e9) is None
