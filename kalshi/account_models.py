"""Account records of the exchange: Balance, Position, Fill, Order, AccountSettlement, BankTransfer.

The exchange has one book per market, that of YES (Kalshi docs: order_direction). A bid takes YES or gives back NO, and
a fill does not say which. So the JSON of fills and orders is in YES terms: side BUY for a bid and SELL for an ask,
outcome "yes", price the YES price. These add up to the positions, and executions are compared in them: BUY no at p is
SELL yes at 1 - p.

A field that is used and promised is required; an optional one is None where absent. Other fields are ignored.
Sources: Kalshi docs, get-balance, get-positions, get-fills, get-orders, order_direction, get-settlements, get-deposits,
get-withdrawals; classes Settlement, Deposit and Withdrawal of the official SDK 3.34.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Literal

from kalshi.records import BookSide, OutcomeSide, Read, Record, RecordReader, column, record
from ledger.amounts import CENT, ONE, average

Side = Literal["BUY", "SELL"]
Direction = Literal["deposit", "withdrawal"]


def _cash_by_shard(fields: RecordReader, name: str) -> dict[int, Decimal]:
    if not fields.has(name):
        return {}
    parts = fields.many(name)
    cash = {part.whole("exchange_index"): part.dollars("balance") for part in parts}
    if len(cash) < len(parts):
        raise fields.error(name, "should name each shard once")
    return cash


@record
class Balance(Record):
    """Cash, and the portfolio value that the exchange reports; its documents leave open if that includes cash."""

    balance: Decimal = column(RecordReader.dollars, "balance_dollars")
    portfolio_value: Decimal = column(RecordReader.cents_from_0)
    updated: int = column(RecordReader.whole, "updated_ts")
    by_exchange_index: Mapping[int, Decimal] = column(_cash_by_shard, "balance_breakdown")  # empty for subaccount keys

    def as_json(self) -> dict[str, Any]:
        return {
            "balance": self.balance, "portfolio_value_reported": self.portfolio_value, "currency": "USD",
            "by_exchange_index": {str(index): cash for index, cash in self.by_exchange_index.items()},
        }  # fmt: skip

    def check(self, fields: RecordReader) -> None:
        if abs(fields.cents("balance") - self.balance) >= CENT:
            raise fields.error("balance", f"should be balance_dollars {self.balance} in whole cents")
        if fields.has("balance_breakdown") and sum(self.by_exchange_index.values()) != self.balance:
            raise fields.error("balance_breakdown", f"should add up to {self.balance}")


@record
class Position(Record):
    """Contracts in one market: + is YES, - is NO. cost: dollars paid for the open ones, without fees."""

    ticker: str = column(RecordReader.text)
    quantity: Decimal = column(RecordReader.count, "position_fp")
    cost: Decimal = column(RecordReader.amount, "market_exposure_dollars")
    realized_pnl: Decimal = column(RecordReader.dollars, "realized_pnl_dollars")
    fees: Decimal = column(RecordReader.amount, "fees_paid_dollars")
    traded: Decimal = column(RecordReader.amount, "total_traded_dollars")
    updated: Decimal = column(RecordReader.moment, "last_updated_ts")
    members = "ticker quantity outcome cost average_price realized_pnl fees"

    @property
    def outcome(self) -> OutcomeSide | None:
        """Return the outcome that is held; None for a flat position."""
        return ("yes" if self.quantity > 0 else "no") if self.quantity else None

    @property
    def average_price(self) -> Decimal | None:
        """Return the dollars paid for one contract; None for a flat position."""
        return average(self.cost, self.quantity)

    def check(self, fields: RecordReader) -> None:
        if self.cost > abs(self.quantity):
            problem = f"should be at most a dollar for each of {self.quantity} contracts"
            raise fields.error("market_exposure_dollars", problem)


def _fill_time(fields: RecordReader, name: str) -> Decimal:
    created = fields.maybe_moment(name)
    return created if created is not None else fields.seconds("ts")


def _more_than_0(fields: RecordReader, name: str) -> Decimal:
    quantity = fields.count(name)
    if quantity <= 0:
        raise fields.error(name, "should be more than zero contracts")
    return quantity


def _sum(*names: str) -> Read[Decimal]:
    return lambda fields, _: sum((fields.amount(name) for name in names), Decimal(0))


class YesTerms(Record):
    """A record in terms of the YES book: side, outcome and price are those of YES."""

    __slots__ = ()
    book_side: BookSide
    outcome: ClassVar[OutcomeSide] = "yes"

    @property
    def side(self) -> Side:
        """Return BUY (took YES or closed NO) or SELL (gave YES or opened NO): the YES book has only these two."""
        return "BUY" if self.book_side == "bid" else "SELL"

    def check(self, fields: RecordReader) -> None:
        self.check_direction(fields)
        if fields.price("yes_price_dollars") + fields.price("no_price_dollars") != ONE:
            raise fields.error("no_price_dollars", "and yes_price_dollars should add up to 1")

    def check_direction(self, fields: RecordReader) -> None:
        """Raise FieldError where book_side and outcome_side contradict each other: a bid takes YES."""
        if (self.book_side == "bid") != (fields.outcome_side("outcome_side") == "yes"):
            raise fields.error("outcome_side", f"contradicts book_side {self.book_side!r}")


@record
class Fill(YesTerms):
    """One execution of the account. The price is that of YES, on either side."""

    fill_id: str = column(RecordReader.text)
    order_id: str = column(RecordReader.text)
    ticker: str = column(RecordReader.text)
    timestamp: Decimal = column(_fill_time, "created_time")
    book_side: BookSide = column(RecordReader.book_side)
    outcome_side: OutcomeSide = column(RecordReader.outcome_side)
    quantity: Decimal = column(_more_than_0, "count_fp")
    yes_price: Decimal = column(RecordReader.price, "yes_price_dollars")
    fee: Decimal = column(RecordReader.amount, "fee_cost")
    is_taker: bool = column(RecordReader.flag)
    subaccount: int | None = column(RecordReader.maybe_whole, "subaccount_number", default=None)
    client_order_id: str | None = None  # only in pushed fills
    members = "fill_id order_id timestamp ticker side outcome quantity price=yes_price fee is_taker"

    @classmethod
    def from_push(cls, fields: RecordReader) -> "Fill":
        """Read the msg of a `fill` frame of the WebSocket, whose names differ from REST. Raises FieldError."""
        found = cls.read(
            fields,
            fill_id=fields.text("trade_id"),
            ticker=fields.text("market_ticker"),
            timestamp=fields.milliseconds("ts_ms"),
            subaccount=fields.maybe_whole("subaccount"),
            client_order_id=fields.maybe_text("client_order_id"),
        )
        found.check_direction(fields)
        return found


@record
class Order(YesTerms):
    """An order of the account. yes_price is the limit, not the price paid."""

    order_id: str = column(RecordReader.text)
    client_order_id: str = column(RecordReader.any_text)
    ticker: str = column(RecordReader.text)
    book_side: BookSide = column(RecordReader.book_side)
    outcome_side: OutcomeSide = column(RecordReader.outcome_side)
    status: str = column(RecordReader.text)  # resting, canceled, executed; new words pass through
    yes_price: Decimal = column(RecordReader.price, "yes_price_dollars")
    quantity: Decimal = column(RecordReader.contracts, "initial_count_fp")
    filled: Decimal = column(RecordReader.contracts, "fill_count_fp")
    remaining: Decimal = column(RecordReader.contracts, "remaining_count_fp")
    cost: Decimal = column(_sum("taker_fill_cost_dollars", "maker_fill_cost_dollars"))  # of what was filled
    fees: Decimal = column(_sum("taker_fees_dollars", "maker_fees_dollars"))
    created: Decimal | None = column(RecordReader.maybe_moment, "created_time")
    updated: Decimal | None = column(RecordReader.maybe_moment, "last_update_time")
    expires: Decimal | None = column(RecordReader.maybe_moment, "expiration_time")
    members = (
        "order_id client_order_id ticker side outcome status price=yes_price quantity filled remaining cost fees "
        "created updated expires"
    )

    def check(self, fields: RecordReader) -> None:
        YesTerms.check(self, fields)
        if (known := self.filled + self.remaining) > self.quantity:
            raise fields.error("initial_count_fp", f"should be at least the {known} filled and remaining")

    def as_json(self) -> dict[str, Any]:
        return Record.as_json(self) | {"client_order_id": self.client_order_id or None}


@record
class AccountSettlement(Record):
    """A payout of a market to the account. Counts are gross: all contracts bought, netted pairs included.

    revenue is what the account was paid; fee repeats the fees of the market's fills.
    """

    ticker: str = column(RecordReader.text)
    event_ticker: str = column(RecordReader.text)
    result: str = column(RecordReader.text, "market_result")  # yes, no, scalar; new words pass through
    yes_quantity: Decimal = column(RecordReader.contracts, "yes_count_fp")
    yes_cost: Decimal = column(RecordReader.amount, "yes_total_cost_dollars")
    no_quantity: Decimal = column(RecordReader.contracts, "no_count_fp")
    no_cost: Decimal = column(RecordReader.amount, "no_total_cost_dollars")
    revenue: Decimal = column(RecordReader.cents_from_0)
    fee: Decimal = column(RecordReader.amount, "fee_cost")
    value: Decimal | None = column(RecordReader.maybe_cents)  # dollars of one YES; None where the exchange gives none
    settled: Decimal = column(RecordReader.moment, "settled_time")
    members = "timestamp=settled ticker event_ticker result value yes_quantity yes_cost no_quantity no_cost revenue fee"

    def check(self, fields: RecordReader) -> None:
        check_payout(fields, "value", self.value, self.result)

    @property
    def payout(self) -> Decimal | None:
        """Return dollars of one YES: the value, else by the result, else by the revenue; None where none is known."""
        if self.value is not None:
            return self.value
        if self.result in ("yes", "no"):
            return ONE if self.result == "yes" else Decimal(0)
        net = self.yes_quantity - self.no_quantity
        if not net:
            return None
        each = min((self.revenue / abs(net)).quantize(Decimal("0.0001")), ONE)
        return each if net > 0 else ONE - each


def check_payout(fields: RecordReader, name: str, value: Decimal | None, result: str) -> None:
    """Check a payout of one YES contract, if it is known, against the market's result. Raises FieldError.

    A settlement floor pays YES contracts although the result is no; a result of no never pays them in full.
    """
    if value is None:
        return
    if not 0 <= value <= ONE:
        raise fields.error(name, "should be a payout from 0 to 1 dollar")
    if (result == "yes" and value != ONE) or (result == "no" and value == ONE):
        raise fields.error(name, f"contradicts the result {result!r}")


@record
class BankTransfer(Record):
    """A deposit or a withdrawal; its balance has moved once the status is applied."""

    transfer_id: str = column(RecordReader.text, "id")
    direction: Direction
    status: str = column(RecordReader.text)  # pending, applied, failed, returned; new words pass through
    amount: Decimal = column(RecordReader.cents_from_0, "amount_cents")
    fee: Decimal = column(RecordReader.cents_from_0, "fee_cents")
    created: Decimal = column(RecordReader.seconds, "created_ts")
    finalized: Decimal | None = column(RecordReader.maybe_seconds, "finalized_ts")  # applied, failed or returned then

    @property
    def timestamp(self) -> Decimal:
        return self.created if self.finalized is None else self.finalized
