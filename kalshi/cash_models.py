"""Cash movements besides trades: AccountSettlement, BankTransfer; frozen, exact, read by from_api.

Sources: Kalshi docs, get-settlements, get-deposits, get-withdrawals; classes Settlement, Deposit and Withdrawal of the
official SDK 3.34.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kalshi.money import ONE
from kalshi.record_reader import RecordReader

Direction = Literal["deposit", "withdrawal"]


@dataclass(frozen=True, slots=True)
class AccountSettlement:
    """A payout of a market to the account. Counts are gross: all contracts bought, netted pairs included.

    revenue is what the account was paid; fee repeats the fees of the market's fills.
    """

    ticker: str
    event_ticker: str
    result: str  # yes, no, scalar; new words pass through
    yes_quantity: Decimal
    yes_cost: Decimal
    no_quantity: Decimal
    no_cost: Decimal
    revenue: Decimal
    fee: Decimal
    value: Decimal | None  # dollars of one YES contract; None where the exchange gives none
    settled: Decimal

    @classmethod
    def from_api(cls, fields: RecordReader) -> "AccountSettlement":
        """Raises FieldError, also for a value that contradicts the result."""
        ticker, result = fields.text("ticker"), fields.text("market_result")
        value = fields.cents("value") if fields.has("value") else None
        if value is not None:
            check_payout(fields, "value", value, result)
        if (revenue := fields.cents("revenue")) < 0:
            raise fields.error("revenue", "should be cents from 0")
        return cls(
            ticker=ticker,
            event_ticker=fields.text("event_ticker"),
            result=result,
            yes_quantity=fields.contracts("yes_count_fp"),
            yes_cost=fields.amount("yes_total_cost_dollars"),
            no_quantity=fields.contracts("no_count_fp"),
            no_cost=fields.amount("no_total_cost_dollars"),
            revenue=revenue,
            fee=fields.amount("fee_cost"),
            value=value,
            settled=fields.moment("settled_time"),
        )

    @property
    def payout(self) -> Decimal | None:
        """Return dollars of one YES: the value, else by the result, else by the revenue; None where none says."""
        if self.value is not None:
            return self.value
        if self.result in ("yes", "no"):
            return ONE if self.result == "yes" else Decimal(0)
        net = self.yes_quantity - self.no_quantity
        if not net:
            return None
        each = min((self.revenue / abs(net)).quantize(Decimal("0.0001")), ONE)
        return each if net > 0 else ONE - each


def check_payout(fields: RecordReader, name: str, value: Decimal, result: str) -> None:
    """Check a payout of one YES contract against the market's result. Raises FieldError.

    A settlement floor pays YES contracts although the result is no; a result of no never pays them in full.
    """
    if not 0 <= value <= ONE:
        raise fields.error(name, "should be a payout from 0 to 1 dollar")
    if (result == "yes" and value != ONE) or (result == "no" and value == ONE):
        raise fields.error(name, f"contradicts the result {result!r}")


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """A deposit or a withdrawal; its balance has moved once the status is applied."""

    transfer_id: str
    direction: Direction
    status: str  # pending, applied, failed, returned; new words pass through
    amount: Decimal
    fee: Decimal
    created: Decimal
    finalized: Decimal | None  # when it was applied, failed or returned

    @property
    def timestamp(self) -> Decimal:
        """Return Unix seconds of its present state."""
        return self.created if self.finalized is None else self.finalized

    @classmethod
    def from_api(cls, fields: RecordReader, direction: Direction) -> "BankTransfer":
        """Read a row of /portfolio/deposits or /portfolio/withdrawals. Raises FieldError."""
        amount, fee = fields.cents("amount_cents"), fields.cents("fee_cents")
        for name, value in (("amount_cents", amount), ("fee_cents", fee)):
            if value < 0:
                raise fields.error(name, "should be cents from 0")
        finalized = fields.maybe_whole("finalized_ts")
        return cls(
            fields.text("id"), direction, fields.text("status"), amount, fee, Decimal(fields.whole("created_ts")),
            None if finalized is None else Decimal(finalized),
        )  # fmt: skip
