"""Account records of the exchange: Balance, Position, Fill, Order; frozen, exact, read by from_api.

A field that is used and promised is required; an optional one is None where absent. Money is dollars, counts are
contracts, times are Unix seconds, all Decimal. Other fields are ignored.
Sources: Kalshi docs, get-balance, get-positions, get-fills, get-orders, order_direction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kalshi.errors import FieldError
from kalshi.money import CENT, ONE, complement
from kalshi.record_reader import BookSide, OutcomeSide, RecordReader

Side = Literal["BUY", "SELL"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Cash, and the portfolio value that the exchange reports; its documents leave open if that includes cash."""

    balance: Decimal
    portfolio_value: Decimal
    updated: int
    by_exchange_index: Mapping[int, Decimal]  # cash per shard; empty for keys that are tied to a subaccount

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Balance":
        """Raises FieldError, also where cents, dollars and the shards' parts are not the same cash."""
        balance = fields.dollars("balance_dollars")
        if abs(fields.cents("balance") - balance) >= CENT:
            raise fields.error("balance", f"should be balance_dollars {balance} in whole cents")
        if (value := fields.cents("portfolio_value")) < 0:
            raise fields.error("portfolio_value", "should be cents from 0")
        return cls(balance, value, fields.whole("updated_ts"), _by_shard(fields, balance))


def _by_shard(fields: RecordReader, balance: Decimal) -> dict[int, Decimal]:
    if not fields.has("balance_breakdown"):
        return {}
    parts = fields.many("balance_breakdown")
    cash = {part.whole("exchange_index"): part.dollars("balance") for part in parts}
    if len(cash) < len(parts) or sum(cash.values()) != balance:
        raise fields.error("balance_breakdown", f"should name each shard once and add up to {balance}")
    return cash


@dataclass(frozen=True, slots=True)
class Position:
    """Contracts in one market: + is YES, - is NO. cost: dollars paid for the open ones, without fees."""

    ticker: str
    quantity: Decimal
    cost: Decimal
    realized_pnl: Decimal
    fees: Decimal
    traded: Decimal
    updated: Decimal

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Position":
        """Raises FieldError, also for contracts that cost more than a dollar each."""
        quantity, cost = fields.count("position_fp"), fields.amount("market_exposure_dollars")
        if cost > abs(quantity):
            raise fields.error(
                "market_exposure_dollars", f"should be at most a dollar for each of {quantity} contracts"
            )
        return cls(
            ticker=fields.text("ticker"),
            quantity=quantity,
            cost=cost,
            realized_pnl=fields.dollars("realized_pnl_dollars"),
            fees=fields.amount("fees_paid_dollars"),
            traded=fields.amount("total_traded_dollars"),
            updated=fields.moment("last_updated_ts"),
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of the account. The price is that of YES, on either side."""

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
        """Return BUY (took YES or closed NO) or SELL (gave YES or opened NO): the YES book has only these two."""
        return "BUY" if self.book_side == "bid" else "SELL"

    @property
    def no_price(self) -> Decimal:
        """Return the price of NO."""
        return complement(self.yes_price)

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Fill":
        """Read a row of /portfolio/fills or /historical/fills. Raises FieldError."""
        yes_price = fields.price("yes_price_dollars")
        if yes_price + fields.price("no_price_dollars") != ONE:
            raise FieldError(fields.endpoint, "no_price_dollars", "and yes_price_dollars should add up to 1")
        created = fields.maybe_moment("created_time")
        book_side, outcome_side = fields.direction()
        return cls(
            fill_id=fields.text("fill_id"),
            order_id=fields.text("order_id"),
            ticker=fields.text("ticker"),
            timestamp=created if created is not None else Decimal(fields.whole("ts")),
            book_side=book_side,
            outcome_side=outcome_side,
            quantity=_some(fields),
            yes_price=yes_price,
            fee=fields.amount("fee_cost"),
            is_taker=fields.flag("is_taker"),
            subaccount=fields.maybe_whole("subaccount_number"),
        )

    @classmethod
    def from_push(cls, fields: RecordReader) -> "Fill":
        """Read the msg of a `fill` frame of the WebSocket, whose names differ from REST. Raises FieldError."""
        book_side, outcome_side = fields.direction()
        return cls(
            fill_id=fields.text("trade_id"),
            order_id=fields.text("order_id"),
            ticker=fields.text("market_ticker"),
            timestamp=Decimal(fields.whole("ts_ms")).scaleb(-3),
            book_side=book_side,
            outcome_side=outcome_side,
            quantity=_some(fields),
            yes_price=fields.price("yes_price_dollars"),
            fee=fields.amount("fee_cost"),
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
    """An order of the account. yes_price is the limit, not the price paid."""

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
        """Return BUY for a bid, SELL for an ask."""
        return "BUY" if self.book_side == "bid" else "SELL"

    @classmethod
    def from_api(cls, fields: RecordReader) -> "Order":
        """Raises FieldError."""
        book_side, outcome_side = fields.direction()
        yes_price = fields.price("yes_price_dollars")
        if yes_price + fields.price("no_price_dollars") != ONE:
            raise FieldError(fields.endpoint, "no_price_dollars", "and yes_price_dollars should add up to 1")
        filled, remaining = fields.contracts("fill_count_fp"), fields.contracts("remaining_count_fp")
        if filled + remaining > (quantity := fields.contracts("initial_count_fp")):
            raise fields.error("initial_count_fp", f"should be at least the {filled + remaining} filled and remaining")
        return cls(
            order_id=fields.text("order_id"),
            client_order_id=fields.text("client_order_id", blank=True),
            ticker=fields.text("ticker"),
            book_side=book_side,
            outcome_side=outcome_side,
            status=fields.text("status"),
            yes_price=yes_price,
            quantity=quantity,
            filled=filled,
            remaining=remaining,
            cost=fields.amount("taker_fill_cost_dollars") + fields.amount("maker_fill_cost_dollars"),
            fees=fields.amount("taker_fees_dollars") + fields.amount("maker_fees_dollars"),
            created=fields.maybe_moment("created_time"),
            updated=fields.maybe_moment("last_update_time"),
            expires=fields.maybe_moment("expiration_time"),
        )
