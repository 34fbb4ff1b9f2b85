"""Stale answers while the source fails: marked, for a limited time, with backoff."""

import asyncio

import pytest

from cache.base import Answer
from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from tests.support.clock import Clock
from tests.support.eventually import eventually
from tests.support.source import NoSuchThing, Source, Trouble, keeper_over


async def test_the_last_good_value_is_returned_when_the_source_fails(keeper: StaleCache, clock: Clock) -> None:
    """Marked stale, with its old as_of, and fetched again ever more rarely; a success ends that."""
    source = Source("old")
    await keeper.get("k", 60, source)
    source.value = Trouble("down")
    clock.now += 60
    requested = []
    for _ in range(60):
        answer = await keeper.get("k", 60, source)
        assert answer == Answer("old", "memory_cache", 1000.0, stale=True)
        requested.append(source.calls)
        clock.now += 1
    assert source.calls == 1 + 7  # after 0, 1, 3, 7, 15, 30, 45 seconds
    source.value = "new"
    clock.now += 15
    assert await keeper.get("k", 60, source) == Answer("new", "kalshi_api", clock.now)
    assert keeper.counts["failed"] == 7


async def test_a_reader_does_not_wait_long_for_a_slow_source_when_an_old_value_is_at_hand(clock: Clock) -> None:
    """It gets the old value, and the fetch goes on for later callers."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, patience=0.02)
    source = Source("old")
    await keeper.get("k", 60, source)
    clock.now += 60
    source.value, source.gate = "new", asyncio.Event()
    assert await keeper.get("k", 60, source) == Answer("old", "memory_cache", 1000.0, stale=True)
    keeper.patience = 600.0  # counted from the start of the fetch, so it is over
    clock.now += 600
    async with asyncio.timeout(60):
        for _ in range(20):
            assert (await keeper.get("k", 60, source)).stale
    source.gate.set()
    await eventually(lambda: (found := keeper.peek("k", 3600)) is not None and found.value == "new")
    assert source.calls == 2


async def test_an_old_value_is_not_returned_for_ever(clock: Clock) -> None:
    """After ttl and keep together the failure is raised."""
    keeper = keeper_over(MemoryCache(clock=clock), clock, keep=100)
    source = Source("old")
    await keeper.get("k", 60, source)
    source.value = Trouble("down")
    clock.now += 159.9
    assert (await keeper.get("k", 60, source)).stale
    clock.now += 0.1  # too old now, and too early to ask again
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    assert source.calls == 2
    clock.now += 1
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    assert source.calls == 3


async def test_a_failure_is_remembered_for_a_moment(keeper: StaleCache, clock: Clock) -> None:
    """Many callers cause one call and get its error, also without an old value; after a second there is another."""
    source = Source(Trouble("down"))
    for _ in range(5):
        with pytest.raises(Trouble, match="down"):
            await keeper.get("k", 60, source)
    assert source.calls == 1
    clock.now += 1
    source.value = "back"
    assert (await keeper.get("k", 60, source)).value == "back"
    assert source.calls == 2


async def test_a_verdict_ends_the_old_value(keeper: StaleCache, clock: Clock) -> None:
    """The answer "no such thing" replaces the old value."""
    source = Source("old")
    await keeper.get("k", 60, source)
    clock.now += 60
    source.value = NoSuchThing("gone")
    for _ in range(2):
        with pytest.raises(NoSuchThing):
            await keeper.get("k", 60, source)
    assert source.calls == 2
    assert await keeper.store.get("k") is None


async def test_the_value_of_another_worker_is_returned_during_the_backoff(clock: Clock) -> None:
    """We failed without an old value; then the shared cache has one, though it is past its time."""
    cache = MemoryCache(clock=clock)
    keeper = keeper_over(cache, clock)
    source = Source(Trouble("down"))
    with pytest.raises(Trouble):
        await keeper.get("k", 60, source)
    await cache.set("k", b'[900,0,"theirs"]', 60)
    assert await keeper.get("k", 60, source) == Answer("theirs", "memory_cache", 900.0, stale=True)
    assert source.calls == 1


async def test_a_failed_fetch_is_reported_until_a_success_or_its_expiry(keeper: StaleCache, clock: Clock) -> None:
    """A failed fetch is reported while a stale value answers; the answer "no such thing" is not a failure."""
    source = Source("value")
    await keeper.get("k", 60, source)
    assert keeper.latest_error() is None
    clock.now += 60
    source.value = Trouble("the key is refused")
    assert (await keeper.get("k", 60, source)).stale
    assert keeper.latest_error() == "the key is refused"
    with pytest.raises(NoSuchThing):
        await keeper.get("other", 60, Source(NoSuchThing("none")))
    assert keeper.latest_error() == "the key is refused"
    clock.now += 121
    assert keeper.latest_error() is None
    source.value = "good"
    await keeper.get("k", 60, source)
    assert keeper.latest_error(within=1e9) is None
