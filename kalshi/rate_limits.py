"""Token budgets below the account's own, so that the exchange does not answer 429; clients get at most half.

The exchange keeps one bucket for reads and one for writes (Kalshi docs: rate_limits). Ours mirror them at a share of
their size. Calls for REST clients (lane "public") take from a second, smaller bucket as well, so that the poller and
the backfill (lane "own") always find the other half.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from kalshi.errors import Busy
from kalshi.records import Record, RecordReader, column, record

Lane = Literal["public", "own"]
SHARE = 0.9  # of the tier's budget: our clock and theirs refill a little apart
PUBLIC = 0.5  # of our budget


@record
class TokenAllowance(Record):
    """A token bucket of the exchange: tokens per second, and its capacity."""

    rate: int = column(RecordReader.whole, "refill_rate")
    capacity: int = column(RecordReader.whole, "bucket_capacity")


def _allowance(fields: RecordReader, name: str) -> TokenAllowance:
    return TokenAllowance.from_api(fields.one(name))


@record
class AccountLimits(Record):
    """The account's tier and its two buckets."""

    tier: str = column(RecordReader.text, "usage_tier")
    read_bucket: TokenAllowance = column(_allowance, "read")
    write_bucket: TokenAllowance = column(_allowance, "write")


BASIC = AccountLimits("basic", TokenAllowance(200, 600), TokenAllowance(100, 100))


def _costs(fields: RecordReader, name: str) -> dict[tuple[str, str], int]:
    rows = fields.many(name)
    return {(row.text("method").upper(), pattern(row.text("path"))): row.whole("cost") for row in rows}


@record
class EndpointCosts(Record):
    """Tokens per call: the default, and the calls that cost something else, by (method, path with {} for ids)."""

    default: int = column(RecordReader.whole, "default_cost")
    costs: dict[tuple[str, str], int] = column(_costs, "endpoint_costs")

    def of(self, method: str, path: str) -> int:
        return self.costs.get((method, pattern(path)), self.default)


def pattern(path: str) -> str:
    """Return the path with {} in place of ids, for costs and counters: /portfolio/orders/{}."""
    parts = path.removeprefix("/trade-api/v2").split("/")
    for place in range(2, len(parts)):
        before, part = parts[place - 1], parts[place]
        holder = before in ("orders", "markets", "series") or (before == "events" and parts[place - 2] == "")
        if part.startswith("{") or (holder and part not in _WORDS):
            parts[place] = "{}"
    return "/".join(parts)


_WORDS = frozenset({"orderbooks", "trades", "batched", "orders", "multivariate", "queue_positions", "candlesticks"})


class TokenBucket:
    """Tokens that are refilled at a rate. The count may go below 0; a caller then waits until it is 0 again."""

    def __init__(self, rate: float, capacity: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.capacity = rate, capacity
        self._clock = clock
        # All mutable state: how many tokens there were (negative: debt), and when that was.
        self._tokens, self._at = capacity, clock()

    @property
    def tokens(self) -> float:
        """Tokens now; negative while takers wait."""
        now = self._clock()
        self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.rate)
        self._at = now
        return self._tokens

    def delay(self, cost: float) -> float:
        """Return the seconds to wait before cost tokens can be taken."""
        return max(0.0, (min(cost, self.capacity) - self.tokens) / self.rate)

    def take(self, cost: float) -> None:
        self._tokens = self.tokens - cost


class RateLimits:
    """Token buckets of the account's tier: Basic, and 10 tokens a call, until `adopt` and `costs` are set."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.costs = EndpointCosts(default=10, costs={})
        self.adopt(BASIC)

    def adopt(self, limits: AccountLimits) -> None:
        self.tier = limits.tier
        self.read, self.write = self._bucket(limits.read_bucket), self._bucket(limits.write_bucket)
        half = TokenAllowance(int(limits.read_bucket.rate * PUBLIC), int(limits.read_bucket.capacity * PUBLIC))
        self.public = self._bucket(half)

    def reserve(self, method: str, path: str, lane: Lane, patience: float) -> float:
        """Take a call's tokens, without awaiting, and return the seconds to wait. Raises Busy above patience."""
        cost = self.costs.of(method, path)
        buckets = [self.read if method == "GET" else self.write]
        if lane == "public" and method == "GET":
            buckets.append(self.public)
        delay = max(bucket.delay(cost) for bucket in buckets)
        if delay > patience:
            raise Busy(f"the token budget of lane {lane!r} is spent; it has room again in {delay:.1f} s", delay)
        for bucket in buckets:
            bucket.take(cost)
        return delay

    async def wait(self, method: str, path: str, lane: Lane, patience: float) -> None:
        """Return when the call may be made. Raises Busy at once when that would take longer than patience."""
        delay = self.reserve(method, path, lane, patience)
        if delay > 0:
            await asyncio.sleep(delay)

    def drained(self, method: str) -> None:
        """Empty the bucket after a 429: another program uses the same account."""
        bucket = self.read if method == "GET" else self.write
        bucket.take(max(bucket.tokens, 0.0))

    def _bucket(self, size: TokenAllowance) -> TokenBucket:
        # No bucket may be too small for the dearest single call (an upgrade costs 30).
        return TokenBucket(max(size.rate, 1) * SHARE, max(size.capacity * SHARE, 30.0), self._clock)
