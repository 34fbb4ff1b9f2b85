"""Cash by named cause since the first confirmed balance, in dollars. Differences are shown, never filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal

from ledger.amounts import ZERO
from ledger.records import TransferRecord

APPLIED = "applied"  # the only state of a transfer in which the balance has moved


@dataclass(slots=True)
class CashFlows:
    """Dollars that each cause added to the balance; negative where it took them."""

    trades: Decimal = ZERO  # contracts bought and sold
    fees: Decimal = ZERO
    settlements: Decimal = ZERO
    deposits: Decimal = ZERO
    withdrawals: Decimal = ZERO
    transfer_fees: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Return the sum of all causes."""
        return self.trades + self.fees + self.settlements + self.deposits + self.withdrawals + self.transfer_fees

    def add(self, other: "CashFlows", sign: int = 1) -> None:
        """Add other (or take it away with sign -1)."""
        for cause in CAUSES:
            setattr(self, cause, getattr(self, cause) + sign * getattr(other, cause))

    def copy(self) -> "CashFlows":
        """Return the flows as they are now."""
        return CashFlows(
            self.trades, self.fees, self.settlements, self.deposits, self.withdrawals, self.transfer_fees
        )  # fmt: skip

    def minus(self, other: "CashFlows") -> "CashFlows":
        """Return what has been added since other."""
        found = self.copy()
        found.add(other, -1)
        return found

    def as_mapping(self) -> dict[str, Decimal]:
        """Return dollars by cause."""
        return {cause: getattr(self, cause) for cause in CAUSES}

    @classmethod
    def load(cls, kept: Mapping[str, str]) -> "CashFlows":
        """Return the flows that as_mapping gave, read back from decimal texts. Raises KeyError and ArithmeticError."""
        return cls(**{cause: Decimal(kept[cause]) for cause in CAUSES})


CAUSES = tuple(field.name for field in fields(CashFlows))


def transfer_flows(record: TransferRecord) -> CashFlows:
    """Return the cash that a transfer moved: none before it is applied, and none when it failed or was returned."""
    if record.status != APPLIED:
        return CashFlows()
    if record.direction == "deposit":
        return CashFlows(deposits=record.amount, transfer_fees=-record.fee)
    return CashFlows(withdrawals=-record.amount, transfer_fees=-record.fee)
