"""Token buckets: the cost of a request and the budget of a tier (Kalshi docs: rate limits)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.errors import too_many_requests
from simulator.market import SHARDS

TIERS: Final[dict[str, tuple[int, int, int, int]]] = {
    "basic": (200, 600, 100, 100),
    "advanced": (300, 900, 300, 900),
    "expert": (600, 600, 600, 1800),
    "premier": (1200, 1200, 1200, 3600),
    "paragon": (2400, 2400, 2400, 7200),
    "prime": (4800, 4800, 4800, 14400),
    "prestige": (12000, 12000, 9600, 28800),
}
"""Tier -> read tokens a second, read capacity, write tokens a second, write capacity."""
DEFAULT_COST: Final = 10
COSTS: Final[dict[tuple[str, str], int]] = {
    ("DELETE", "/portfolio/events/orders/{order_id}"): 2,
    ("DELETE", "/portfolio/events/orders/batched"): 2,
    ("DELETE", "/portfolio/events/orders"): 2,
    ("GET", "/portfolio/orders/{order_id}"): 2,
    ("POST", "/account/api_usage_level/upgrade"): 30,
}
"""Costs that differ from the default; a batch is billed per item."""
ALL_SHARDS: Final = -1
"""The shard of an order write that the exchange routes by ticker: it is billed to every write bucket."""


@dataclass(slots=True)
class RefillingBucket:
    """Tokens that refill continuously at rate a second up to capacity."""

    rate: int
    capacity: int
    level: float
    at: float

    def refill(self, now: float) -> None:
        """Add the tokens since the last refill."""
        self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now


class MemberBudget:
    """The read bucket of the member and one write bucket per shard."""

    def __init__(self, tier: str, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.set_tier(tier)

    def set_tier(self, tier: str) -> None:
        """Use the sizes of a tier, with full buckets."""
        read_rate, read_capacity, write_rate, write_capacity = TIERS[tier]
        now = self.clock()
        self.tier = tier
        self.read = RefillingBucket(read_rate, read_capacity, read_capacity, now)
        self.writes = {shard: RefillingBucket(write_rate, write_capacity, write_capacity, now) for shard in SHARDS}

    def spend(self, method: str, path: str, items: int = 1, shard: int = 0) -> None:
        """Bill one request, path as in COSTS. Raises ApiError 429 if a bucket does not hold the tokens.

        shard: the exchange_index of an order write, or ALL_SHARDS.
        """
        tokens, now = COSTS.get((method, path), DEFAULT_COST) * items, self.clock()
        if method == "GET":
            buckets = [self.read]
        else:
            buckets = list(self.writes.values()) if shard == ALL_SHARDS else [self.writes[shard]]
        for bucket in buckets:
            bucket.refill(now)
            if tokens > bucket.level:
                raise too_many_requests()
        for bucket in buckets:
            bucket.level -= tokens
