"""Exchange status, start of the historical tier, and the account's rate limits.

Sources: Kalshi docs, get-exchange-status, historical_data, rate_limits.
"""

from dataclasses import dataclass
from decimal import Decimal

from kalshi.record_reader import RecordReader


@dataclass(frozen=True, slots=True)
class ExchangeStatus:
    """Status of the exchange. In maintenance (Thursdays 03:00-05:00 in New York) trading alone is inactive."""

    exchange_active: bool
    trading_active: bool
    resumes: str | None  # the exchange's own guess, as text

    @classmethod
    def from_api(cls, fields: RecordReader) -> "ExchangeStatus":
        """Raises FieldError."""
        return cls(
            exchange_active=fields.flag("exchange_active"),
            trading_active=fields.flag("trading_active"),
            resumes=fields.maybe_text("exchange_estimated_resume_time"),
        )


@dataclass(frozen=True, slots=True)
class TokenAllowance:
    """A token bucket of the exchange: tokens per second, and its capacity."""

    rate: int
    capacity: int

    @classmethod
    def from_api(cls, fields: RecordReader) -> "TokenAllowance":
        """Raises FieldError."""
        return cls(rate=fields.whole("refill_rate"), capacity=fields.whole("bucket_capacity"))


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """The account's tier and its two buckets."""

    tier: str
    read: TokenAllowance
    write: TokenAllowance

    @classmethod
    def from_api(cls, fields: RecordReader) -> "AccountLimits":
        """Raises FieldError."""
        return cls(
            tier=fields.text("usage_tier"),
            read=TokenAllowance.from_api(fields.one("read")),
            write=TokenAllowance.from_api(fields.one("write")),
        )


BASIC = AccountLimits("basic", read=TokenAllowance(200, 600), write=TokenAllowance(100, 100))


@dataclass(frozen=True, slots=True)
class EndpointCosts:
    """Tokens per call: the default, and the calls that cost something else, by (method, path with {} for ids)."""

    default: int
    costs: dict[tuple[str, str], int]

    @classmethod
    def from_api(cls, fields: RecordReader) -> "EndpointCosts":
        """Raises FieldError."""
        rows = fields.many("endpoint_costs")
        return cls(
            default=fields.whole("default_cost"),
            costs={(row.text("method").upper(), pattern(row.text("path"))): row.whole("cost") for row in rows},
        )

    def of(self, method: str, path: str) -> int:
        """Return the tokens that one call costs."""
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


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Unix seconds; older rows stand in the historical tier alone."""

    fills: Decimal
    orders: Decimal

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Cutoff":
        """Raises FieldError."""
        return cls(fills=fields.moment("trades_created_ts"), orders=fields.moment("orders_updated_ts"))
