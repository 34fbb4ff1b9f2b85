"""Token buckets: what a request costs and how much a tier may spend (Kalshi docs: rate limits)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulator.refusal import too_many

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
"""What does not cost the default; a batch is billed per item."""


@dataclass(slots=True)
class Bucket:
    """Refills continuously, rate tokens a second up to its capacity."""

    rate: int
    capacity: int
    level: float
    at: float

    def take(self, tokens: int, now: float) -> bool:
        """Spend tokens if they are there."""
        self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now
        if tokens > self.level:
            return False
        self.level -= tokens
        return True


class Buckets:
    """The member's Read and Write budget."""

    def __init__(self, tier: str, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.tier = tier
        self.change(tier)

    def change(self, tier: str) -> None:
        """Take over a tier's sizes, full."""
        read_rate, read_capacity, write_rate, write_capacity = TIERS[tier]
        now = self.clock()
        self.tier = tier
        self.read = Bucket(read_rate, read_capacity, read_capacity, now)
        self.write = Bucket(write_rate, write_capacity, write_capacity, now)

    def spend(self, method: str, path: str, items: int = 1) -> None:
        """Bill one request, path as in COSTS; refuses with 429 what the bucket does not hold."""
        bucket = self.read if method == "GET" else self.write
        if not bucket.take(COSTS.get((method, path), DEFAULT_COST) * items, self.clock()):
            raise too_many()
