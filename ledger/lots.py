"""Lots of one market, closed first in, first out: the exchange's own tax method."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ledger.amounts import ZERO, share


@dataclass(slots=True)
class OpenLot:
    """Contracts of one outcome, bought together. cost and fee are dollars for all of quantity."""

    quantity: Decimal
    left: Decimal
    cost: Decimal
    fee: Decimal
    opened: Decimal | None  # Unix seconds; None for contracts that the baseline found


class LotPart(NamedTuple):
    """The part of a lot that one execution closed, with its share of the lot's cost and fee."""

    quantity: Decimal
    cost: Decimal
    fee: Decimal
    opened: Decimal | None


class FifoLots:
    """The open lots of one market, all of one outcome. quantity: + YES, - NO; cost: dollars paid for what is open."""

    __slots__ = ("cost", "lots", "quantity")

    def __init__(self) -> None:
        self.lots: deque[OpenLot] = deque()
        self.quantity = ZERO
        self.cost = ZERO

    def open(self, quantity: Decimal, cost: Decimal, fee: Decimal, opened: Decimal | None) -> None:
        """Add contracts of the outcome that is held. Contracts of the same moment and price join the last lot."""
        count = abs(quantity)
        last = self.lots[-1] if self.lots else None
        if last is not None and last.opened == opened and last.cost * count == cost * last.quantity:
            last.quantity += count
            last.left += count
            last.cost += cost
            last.fee += fee
        else:
            self.lots.append(OpenLot(count, count, cost, fee, opened))
        self.quantity += quantity
        self.cost += cost

    def close(self, count: Decimal) -> Iterator[LotPart]:
        """Remove count contracts, at most those held, oldest first, and yield the parts of the lots that held them.

        The caller must take all parts: what is not taken stays open.
        """
        sign = 1 if self.quantity > 0 else -1
        while count:
            lot = self.lots[0]
            part = _take(lot, min(count, lot.left))
            if not lot.left:
                self.lots.popleft()
            self.quantity -= sign * part.quantity
            self.cost -= part.cost
            count -= part.quantity
            yield part


def _take(lot: OpenLot, count: Decimal) -> LotPart:
    taken = lot.quantity - lot.left
    cost = share(lot.cost, taken + count, lot.quantity) - share(lot.cost, taken, lot.quantity)
    fee = share(lot.fee, taken + count, lot.quantity) - share(lot.fee, taken, lot.quantity) if lot.fee else ZERO
    lot.left -= count
    return LotPart(count, cost, fee, lot.opened)
