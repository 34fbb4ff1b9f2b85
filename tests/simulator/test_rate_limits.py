"""Token buckets: costs, refill, and one write bucket for each shard."""

import pytest

from simulator.clock import VirtualClock
from simulator.errors import ApiError
from simulator.rate_limits import ALL_SHARDS, MemberBudget

CREATE = ("POST", "/portfolio/events/orders")
CANCEL = ("DELETE", "/portfolio/events/orders/{order_id}")


def affordable(budget: MemberBudget, request: tuple[str, str], shard: int = 0) -> int:
    """Spend until a request is refused and return the number of accepted ones."""
    for number in range(1000):
        try:
            budget.spend(*request, shard=shard)
        except ApiError:
            return number
    raise AssertionError("no limit")


def test_basic_has_ten_creates_or_fifty_cancels_and_sixty_reads() -> None:
    """100 write tokens at 10 or 2 a request, 600 read tokens at 10."""
    for request, expected in ((CREATE, 10), (CANCEL, 50), (("GET", "/markets"), 60)):
        assert affordable(MemberBudget("basic", VirtualClock()), request) == expected


def test_an_explicit_shard_has_its_own_bucket() -> None:
    """Creates on shard 2 do not use up those of shard 0; reads have their own bucket."""
    budget = MemberBudget("basic", VirtualClock())
    assert affordable(budget, CREATE, 2) == 10
    assert affordable(budget, CREATE, 0) == 10
    budget.spend("GET", "/markets")


def test_a_routed_write_is_billed_to_every_bucket() -> None:
    """After nine routed creates each shard has one left; one empty bucket refuses a routed create."""
    budget = MemberBudget("basic", VirtualClock())
    for _ in range(9):
        budget.spend(*CREATE, shard=ALL_SHARDS)
    assert affordable(budget, CREATE, 3) == 1
    with pytest.raises(ApiError) as refused:
        budget.spend(*CREATE, shard=ALL_SHARDS)
    assert refused.value.status == 429
    assert affordable(budget, CREATE, 0) == 1, "a refused write costs nothing"


def test_tokens_refill_up_to_the_capacity() -> None:
    """100 tokens a second: five creates after half a second, and no more than ten after a minute."""
    clock = VirtualClock()
    budget = MemberBudget("basic", clock)
    assert affordable(budget, CREATE) == 10
    clock.move_to(clock.now + 0.5)
    assert affordable(budget, CREATE) == 5
    clock.move_to(clock.now + 60)
    assert affordable(budget, CREATE) == 10
