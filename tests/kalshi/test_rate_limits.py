"""The token budget: under the tier's, half for readers at most, in order, learnt from the account."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.errors import Busy
from kalshi.rate_limits import AccountLimits, EndpointCosts, Lane, RateLimits, TokenAllowance, TokenBucket
from tests.support.clock import Clock


def burst(limits: RateLimits, lane: Lane, method: str = "GET") -> int:
    """Return the number of calls that may be made without waiting."""
    made = 0
    while True:
        try:
            limits.reserve(method, "/x", lane, 0.0)
        except Busy:
            return made
        made += 1


def test_the_basic_tier_less_a_share() -> None:
    """200 a second and 600 at once at 10 tokens a call, a tenth less; writes have their own bucket."""
    clock = Clock(0.0)
    limits = RateLimits(clock)
    assert burst(limits, "own") == 54
    assert burst(limits, "own", "POST") == 9
    clock.now += 1.0
    assert burst(limits, "own") == 18


def test_readers_get_half_and_the_rest_is_ours() -> None:
    """However many readers there are, the poller finds the other half."""
    limits = RateLimits(Clock(0.0))
    assert burst(limits, "public") == 27
    assert burst(limits, "public") == 0
    assert burst(limits, "own") == 27


@given(st.lists(st.sampled_from(["public", "own", "wait"]), max_size=200))
def test_readers_never_exceed_half_of_any_stretch(steps: Any) -> None:
    """Over any run: their tokens fit into half the capacity plus half the rate; all together into the whole."""
    clock = Clock(0.0)
    limits = RateLimits(clock)
    spent = {"public": 0, "own": 0}
    for step in steps:
        if step == "wait":
            clock.now += 0.1
            continue
        try:
            limits.reserve("GET", "/x", step, 0.0)
            spent[step] += 10
        except Busy:
            pass
        assert spent["public"] <= 270 + 90 * clock.now + 1e-6
        assert spent["public"] + spent["own"] <= 540 + 180 * clock.now + 1e-6


def test_callers_wait_in_order() -> None:
    """Waiting calls queue up: the next waits longer than the one before; too long is Busy, and costs nothing."""
    limits = RateLimits(Clock(0.0))
    burst(limits, "own")
    waits = [limits.reserve("GET", "/x", "own", 10.0) for _ in range(3)]
    assert waits == pytest.approx([10 / 180, 20 / 180, 30 / 180])
    with pytest.raises(Busy, match="lane 'own'") as caught:
        limits.reserve("GET", "/x", "own", 0.1)
    assert caught.value.retry_after == pytest.approx(40 / 180)
    assert limits.reserve("GET", "/x", "own", 10.0) == pytest.approx(40 / 180)


def test_a_429_empties_our_bucket() -> None:
    """Another client uses the same account, so the exchange's answer overrides our count."""
    limits = RateLimits(Clock(0.0))
    limits.drained("GET")
    assert burst(limits, "own") == 0
    assert burst(limits, "own", "POST") == 9


def test_a_better_tier_and_its_costs_are_adopted() -> None:
    """As the exchange reports the account's limits."""
    limits = RateLimits(Clock(0.0))
    limits.adopt(AccountLimits("advanced", TokenAllowance(300, 900), TokenAllowance(300, 900)))
    limits.costs = EndpointCosts(10, {("GET", "/portfolio/orders/{}"): 2})
    assert (limits.tier, limits.read.rate, limits.public.rate, limits.write.capacity) == ("advanced", 270, 135, 810)
    limits.reserve("GET", "/portfolio/orders/abc", "own", 0)
    assert limits.read.tokens == 808


async def test_waiting_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the computed time, and not at all when there is room."""
    limits = RateLimits()
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("kalshi.rate_limits.asyncio.sleep", sleep)
    await limits.wait("GET", "/x", "own", 1.0)
    assert slept == []
    burst(limits, "own")
    await limits.wait("GET", "/x", "own", 1.0)
    assert slept == [pytest.approx(10 / 180, abs=0.01)]


def test_a_bucket_never_holds_more_than_its_capacity() -> None:
    """Tokens do not grow beyond the capacity; a call that costs more than the bucket waits until it is full."""
    clock = Clock(0.0)
    bucket = TokenBucket(10, 20, clock)
    clock.now += 86400
    assert bucket.tokens == 20
    assert bucket.delay(50) == 0
    bucket.take(50)
    assert bucket.delay(10) == 4.0
