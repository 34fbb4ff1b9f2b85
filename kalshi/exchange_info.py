"""Exchange status, start of the historical tier, and the account's rate limits.

Sources: Kalshi docs, get-exchange-status, historical_data, rate_limits.
"""

from decimal import Decimal

from kalshi.records import Record, RecordReader, column, record


@record
class ExchangeStatus(Record):
    """Status of the exchange. In maintenance (Thursdays 03:00-05:00 in New York) trading alone is inactive."""

    exchange_active: bool = column(RecordReader.flag)
    trading_active: bool = column(RecordReader.flag)
    resumes: str | None = column(RecordReader.maybe_text, "exchange_estimated_resume_time")  # its own guess, as text


@record
class Cutoff(Record):
    """Unix seconds; older rows stand in the historical tier alone."""

    fills: Decimal = column(RecordReader.moment, "trades_created_ts")
    orders: Decimal = column(RecordReader.moment, "orders_updated_ts")


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
