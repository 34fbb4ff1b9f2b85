"""Cash movements besides trades: AccountSettlement, BankTransfer.

Sources: Kalshi docs, get-settlements, get-deposits, get-withdrawals; classes Settlement, Deposit and Withdrawal of the
official SDK 3.34.
"""

from decimal import Decimal
from typing import Literal

from kalshi.records import Record, RecordReader, column, record
from ledger.amounts import ONE

Direction = Literal["deposit", "withdrawal"]


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
        """Raise FieldError for a value that contradicts the result."""
        check_payout(fields, "value", self.value, self.result)

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
        """Return Unix seconds of its present state."""
        return self.created if self.finalized is None else self.finalized
