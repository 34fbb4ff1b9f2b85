"""The account in the exchange's words: Balance, Position, Fill, Order, Settlement; frozen, exact, read by from_api.

What we use and the exchange promises is required; what it may leave out is None. Money is dollars, counts are
contracts, times are Unix seconds, all Decimal. Fields we do not use are not looked at, nor are new ones.
Sources: Kalshi docs, get-balance, get-positions, get-fills, get-orders, get-settlements, order_direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kalshi.errors import FieldError
from kalshi.money import ONE, complement
from kalshi.record_reader import BookSide, OutcomeSide, RecordReader

Side = Literal["BUY", "SELL"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Cash, and what the exchange says the portfolio is worth (whether cash is in that figure it does not say)."""

    balance: Decimal
    portfolio_value: Decimal
    updated: int
    by_exchange_index: Mapping[int, Decimal]  # cash per shard; empty for keys that are tied to a subaccount

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Balance":
        """Raises FieldError."""
        parts = fields.many("balance_breakdown") if fields.has("balance_breakdown") else []
        return cls(
            balance=fields.dollars("balance_dollars"),
            portfolio_value=fields.cents("portfolio_value"),
            updated=fields.whole("updated_ts"),
            by_exchange_index={part.whole("exchange_index"): part.dollars("balance") for part in parts},
        )


@dataclass(frozen=True, slots=True)
class Position:
    """Contracts held in one market: + is YES, - is NO. cost is what the open ones cost, without fees."""

    ticker: str
    quantity: Decimal
    cost: Decimal
    realized_pnl: Decimal
    fees: Decimal
    traded: Decimal
    updated: Decimal

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Position":
        """Raises FieldError."""
        return cls(
            ticker=fields.text("ticker"),
            quantity=fields.count("position_fp"),
            cost=fields.dollars("market_exposure_dollars"),
            realized_pnl=fields.dollars("realized_pnl_dollars"),
            fees=fields.dollars("fees_paid_dollars"),
            traded=fields.dollars("total_traded_dollars"),
            updated=fields.moment("last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of ours. The price is that of YES, whichever side was taken."""

    fill_id: str
    order_id: str
    ticker: str
    timestamp: Decimal
    book_side: BookSide
    outcome_side: OutcomeSide
    quantity: Decimal
    yes_price: Decimal
    fee: Decimal
    is_taker: bool
    subaccount: int | None = None
    client_order_id: str | None = None  # only in pushed fills
    post_position: Decimal | None = None  # only in pushed fills: the position right after it

    @property
    def side(self) -> Side:
        """BUY took YES (or closed NO), SELL gave YES (or opened NO): the YES book has only these two."""
        return "BUY" if self.book_side == "bid" else "SELL"

    @property
    def no_price(self) -> Decimal:
        """The price of the other outcome."""
        return complement(self.yes_price)

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Fill":
        """A row of /portfolio/fills or /historical/fills. Raises FieldError."""
        yes_price = fields.price("yes_price_dollars")
        if yes_price + fields.price("no_price_dollars") != ONE:
            raise FieldError(fields.endpoint, "no_price_dollars", "and yes_price_dollars should add up to 1")
        created = fields.maybe_moment("created_time")
        return cls(
            fill_id=fields.text("fill_id"),
            order_id=fields.text("order_id"),
            ticker=fields.text("ticker"),
            timestamp=created if created is not None else Decimal(fields.whole("ts")),
            book_side=fields.book_side(),
            outcome_side=fields.outcome_side(),
            quantity=_some(fields),
            yes_price=yes_price,
            fee=fields.dollars("fee_cost"),
            is_taker=fields.flag("is_taker"),
            subaccount=fields.maybe_whole("subaccount_number"),
        )

    @classmethod
    def from_push(cls, fields: RecordReader) -> "Fill":
        """The msg of a `fill` frame of the WebSocket, whose names differ from REST. Raises FieldError."""
        return cls(
            fill_id=fields.text("trade_id"),
            order_id=fields.text("order_id"),
            ticker=fields.text("market_ticker"),
            timestamp=Decimal(fields.whole("ts_ms")).scaleb(-3),
            book_side=fields.book_side(),
            outcome_side=fields.outcome_side(),
            quantity=_some(fields),
            yes_price=fields.price("yes_price_dollars"),
            fee=fields.dollars("fee_cost"),
            is_taker=fields.flag("is_taker"),
            subaccount=fields.maybe_whole("subaccount"),
            client_order_id=fields.maybe_text("client_order_id"),
            post_position=fields.count("post_position_fp") if fields.has("post_position_fp") else None,
        )


def _some(fields: RecordReader) -> Decimal:
    quantity = fields.count("count_fp")
    if quantity <= 0:
        raise FieldError(fields.endpoint, "count_fp", f"should be more than zero contracts, not {quantity}")
    return quantity


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked of the exchange. yes_price is the limit, not what was paid."""

    order_id: str
    client_order_id: str
    ticker: str
    book_side: BookSide
    outcome_side: OutcomeSide
    status: str  # resting, canceled, executed; new words pass through
    yes_price: Decimal
    quantity: Decimal
    filled: Decimal
    remaining: Decimal
    cost: Decimal  # of what was filled
    fees: Decimal
    created: Decimal | None
    updated: Decimal | None
    expires: Decimal | None

    @property
    def side(self) -> Side:
        """BUY bids for YES, SELL asks."""
        return "BUY" if self.book_side == "bid" else "SELL"

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Order":
        """Raises FieldError."""
        return cls(
            order_id=fields.text("order_id"),
            client_order_id=fields.text("client_order_id", blank=True),
            ticker=fields.text("ticker"),
            book_side=fields.book_side(),
            outcome_side=fields.outcome_side(),
            status=fields.text("status"),
            yes_price=fields.price("yes_price_dollars"),
            quantity=fields.count("initial_count_fp"),
            filled=fields.count("fill_count_fp"),
            remaining=fields.count("remaining_count_fp"),
            cost=fields.dollars("taker_fill_cost_dollars") + fields.dollars("maker_fill_cost_dollars"),
            fees=fields.dollars("taker_fees_dollars") + fields.dollars("maker_fees_dollars"),
            created=fields.maybe_moment("created_time"),
            updated=fields.maybe_moment("last_update_time"),
            expires=fields.maybe_moment("expiration_time"),
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """A market of ours that paid out. value is what one YES contract was paid, None when the exchange is silent."""

    ticker: str
    event_ticker: str
    result: str  # yes, no, scalar; new words pass through
    yes_quantity: Decimal
    yes_cost: Decimal
    no_quantity: Decimal
    no_cost: Decimal
    revenue: Decimal
    fee: Decimal
    value: Decimal | None
    settled: Decimal

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Settlement":
        """Raises FieldError."""
        return cls(
            ticker=fields.text("ticker"),
            event_ticker=fields.text("event_ticker"),
            result=fields.text("market_result"),
            yes_quantity=fields.count("yes_count_fp"),
            yes_cost=fields.dollars("yes_total_cost_dollars"),
            no_quantity=fields.count("no_count_fp"),
            no_cost=fields.dollars("no_total_cost_dollars"),
            revenue=fields.cents("revenue"),
            fee=fields.dollars("fee_cost"),
            value=fields.cents("value") if fields.has("value") else None,
            settled=fields.moment("settled_time"),
        )

    @property
    def payout(self) -> Decimal | None:
        """What one YES was paid: as told, else by the result, else by the revenue; None when none of them says."""
        if self.value is not None:
            return self.value
        if self.result in ("yes", "no"):
            return ONE if self.result == "yes" else Decimal(0)
        net = self.yes_quantity - self.no_quantity
        if not net:
            return None
        each = (self.revenue / abs(net)).quantize(Decimal("0.0001"))
        return each if net > 0 else complement(each)
