"""The breaker's states, with a clock that the test moves."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cache.circuit_breaker import CircuitBreaker
from tests.support.clock import Clock


def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(failures=3, grace=1.0, longest=8.0, clock=clock, wall=lambda: 1000.0 + clock.now)


def opened(clock: Clock) -> CircuitBreaker:
    it = breaker(clock)
    for _ in range(3):
        it.failed("no answer")
    return it


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    """A success ends a run of failures; the third in a row opens it, with reason and time."""
    clock = Clock(100.0)
    it = breaker(clock)
    assert [it.failed("x"), it.failed("x")] == [False, False]
    it.succeeded()
    assert [it.failed("x"), it.failed("x")] == [False, False]
    assert it.state == "closed"
    clock.now += 7
    assert it.failed("refused") is True
    assert (it.state, it.reason, it.since, it.allows()) == ("open", "refused", 1107.0, False)


def test_one_trial_is_let_through_after_the_grace_period() -> None:
    """While the trial runs all other calls are refused."""
    clock = Clock(100.0)
    it = opened(clock)
    clock.now += 1.0
    assert it.state == "half_open"
    assert [it.allows(), it.allows(), it.allows()] == [True, False, False]


def test_a_good_trial_closes_it() -> None:
    """Success is logged once, and resets the failures."""
    clock = Clock(100.0)
    it = opened(clock)
    clock.now += 1.0
    assert it.allows()
    assert it.succeeded() is True
    assert it.succeeded() is False
    assert (it.state, it.reason, it.since) == ("closed", "", 1101.0)


def test_each_failed_trial_doubles_the_pause_up_to_the_longest() -> None:
    """1, 2, 4, 8, 8 seconds."""
    clock = Clock(100.0)
    it = opened(clock)
    pauses = []
    for _ in range(5):
        pauses.append(it.retry_in)
        clock.now += it.retry_in
        assert it.allows()
        assert it.failed("still") is False
    assert pauses == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_late_failures_do_not_lengthen_the_pause() -> None:
    """Calls that began before it opened and fail after it are not trials."""
    clock = Clock(100.0)
    it = opened(clock)
    clock.now += 0.5
    it.failed("late")
    assert it.retry_in == 0.5


def test_a_trial_that_vanished_does_not_block_for_ever() -> None:
    """Its caller may have been cancelled; after the longest pause another may try."""
    clock = Clock(100.0)
    it = opened(clock)
    clock.now += 1.0
    assert it.allows()
    clock.now += 7.9
    assert not it.allows()
    clock.now += 0.1
    assert it.allows()


@given(st.lists(st.sampled_from(["fail", "succeed", "ask", "wait"]), max_size=60))
def test_a_trial_is_always_allowed_in_the_end(steps: Any) -> None:
    """From any state, within the longest pause twice, a call is allowed; closed means no reason."""
    clock = Clock(100.0)
    it = breaker(clock)
    for step in steps:
        if step == "fail":
            it.failed("x")
        elif step == "succeed":
            it.succeeded()
        elif step == "ask":
            it.allows()
        else:
            clock.now += 0.7
        assert (it.state == "closed") == (it.reason == "")
    clock.now += 16.0
    assert it.allows()
