"""The book of one market: position, realized profit, fees and cash from trades and settlement.

Lots are closed first in, first out: the exchange's own tax method.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ledger.amounts import CENT, ZERO, complement, share
from ledger.records import ReportedPosition, SettlementRecord, TradeRecord


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
        """Add contracts of the outcome that is held. Those of its moment and price join the last lot if it is whole."""
        count, lots = abs(quantity), self.lots
        last = lots[-1] if lots else None
        if (
            last is not None
            and last.opened == opened
            and last.left == last.quantity
            and last.cost * count == cost * last.quantity
        ):
            last.quantity += count
            last.left += count
            last.cost += cost
            last.fee += fee
        else:
            lots.append(OpenLot(count, count, cost, fee, opened))
        self.quantity += quantity
        self.cost += cost

    def close(self, count: Decimal) -> list[LotPart]:
        """Remove count contracts, at most those held, oldest first, and return the parts of the lots that held them."""
        parts = []
        left = count
        while left:
            lot = self.lots[0]
            part = _take(lot, left)
            if not lot.left:
                self.lots.popleft()
            self.cost -= part.cost
            left -= part.quantity
            parts.append(part)
        self.quantity -= count.copy_sign(self.quantity)
        return parts


def _take(lot: OpenLot, most: Decimal) -> LotPart:
    """Remove up to most contracts from a lot."""
    quantity, left = lot.quantity, lot.left
    count = min(most, left)
    lot.left = left - count
    end = quantity - lot.left
    cost, fee = share(lot.cost, end, quantity), share(lot.fee, end, quantity)
    if left != quantity:  # less what earlier parts had
        cost -= share(lot.cost, quantity - left, quantity)
        fee -= share(lot.fee, quantity - left, quantity)
    return LotPart(count, cost, fee, lot.opened)


@dataclass(frozen=True, slots=True)
class ClosedLot:
    """A tax lot: contracts bought together and closed together. cost and proceeds are dollars without the fees.

    opened is None for contracts that the baseline found, whose date of purchase is unknown.
    """

    ticker: str
    outcome: str
    quantity: Decimal
    opened: Decimal | None
    closed: Decimal
    cost: Decimal
    proceeds: Decimal
    fees: Decimal  # of the purchase and of the sale
    by_settlement: bool

    @property
    def profit(self) -> Decimal:
        """Return proceeds less cost and fees, in dollars."""
        return self.proceeds - self.cost - self.fees


OnClose = Callable[[ClosedLot], None]


class MarketBook(FifoLots):
    """Add up one market. Trades come in the order of (timestamp, seq), and none after the settlement.

    Dollars throughout. traded: cash moved by buying and selling, without fees; realized: profit of what was closed,
    without fees; known_fees: fees of the opening and of the trades that reported one; missing_fees: trades without.
    """

    __slots__ = (
        "known_fees", "last", "missing_fees", "opening", "outside", "realized", "settlement",
        "settlement_position", "ticker", "traded", "trades",
    )  # fmt: skip

    def __init__(self, ticker: str, opening: ReportedPosition | None = None) -> None:
        super().__init__()
        self.ticker = ticker
        self.opening = opening
        self.realized = opening.realized if opening else ZERO
        self.known_fees = opening.fees if opening else ZERO
        self.missing_fees = 0
        self.traded = ZERO
        self.trades = 0
        self.outside = opening.quantity if opening else ZERO  # contracts that the bot did not buy, while unsettled
        self.last: tuple[Decimal, int] | None = None  # timestamp and seq of the last trade
        self.settlement: SettlementRecord | None = None
        self.settlement_position = ZERO  # contracts held when the market settled
        if opening and opening.quantity:
            self.open(opening.quantity, opening.cost, ZERO, None)

    @property
    def fees(self) -> Decimal:
        """Fees of the market from first trade to settlement: a settlement repeats them, so only its excess is new."""
        return self.known_fees if self.settlement is None else max(self.known_fees, self.settlement.fee)

    @property
    def fees_unknown(self) -> int:
        """Trades whose fee is unknown; none once a settlement has reported the total."""
        return self.missing_fees if self.settlement is None else 0

    @property
    def revenue(self) -> Decimal:
        """Dollars that the settlement paid."""
        return self.settlement.revenue if self.settlement else ZERO

    @property
    def revenue_difference(self) -> Decimal:
        """Dollars paid beyond net contracts times payout, where that is more than a cent; else 0. revenue is used."""
        if self.settlement is None:
            return ZERO
        difference = self.settlement.revenue - self.settlement.expected_revenue
        return difference if abs(difference) > CENT else ZERO

    @property
    def missed_quantity(self) -> Decimal:
        """Contracts of the settlement that no entry explains: + YES, - NO."""
        return self.settlement.net - self.settlement_position if self.settlement else ZERO

    def accepts(self, record: TradeRecord) -> bool:
        """Return True if the trade is the newest of the market, so that it can be added without a replay."""
        return self.settlement is None and (self.last is None or (record.timestamp, record.seq) > self.last)

    def trade(self, record: TradeRecord, on_close: OnClose | None = None) -> tuple[Decimal, Decimal]:
        """Add a trade: close what is held on the other side first, open the rest.

        Returns the dollars of cash and of realized profit that it brought, fees in neither.
        """
        self.last = (record.timestamp, record.seq)
        self.trades += 1
        if record.outside:
            self.outside += record.quantity
        fee = record.fee
        if fee is None:
            self.missing_fees += 1
            fee = ZERO
        else:
            self.known_fees += fee
        opening, held = record.quantity, self.quantity
        cash = realized = ZERO
        if held and (held > ZERO) != (opening > ZERO):
            count = abs(opening)
            closing = min(count, abs(held))
            cash = closing * (record.price if held > ZERO else complement(record.price))
            closing_fee = share(fee, closing, count)
            realized = cash - self._close(closing, cash, closing_fee, record.timestamp, on_close)
            self.realized += realized
            opening += closing.copy_sign(held)
            fee -= closing_fee
        if opening:
            cost = abs(opening) * (record.price if opening > ZERO else complement(record.price))
            self.open(opening, cost, fee, record.timestamp)
            cash -= cost
        self.traded += cash
        return cash, realized

    def settle(self, record: SettlementRecord, on_close: OnClose | None = None) -> Decimal:
        """Close everything for the revenue that was paid. Returns the realized profit in dollars."""
        self.settlement, self.settlement_position, self.outside = record, self.quantity, ZERO
        count, new_fee = abs(self.quantity), self.fees - self.known_fees
        cost = self._close(count, record.revenue, new_fee, record.timestamp, on_close, True) if count else ZERO
        realized = record.revenue - cost
        self.realized += realized
        return realized

    def _close(
        self, count: Decimal, proceeds: Decimal, fee: Decimal, closed: Decimal, on_close: OnClose | None,
        by_settlement: bool = False,
    ) -> Decimal:  # fmt: skip
        """Close count contracts for proceeds. Returns their cost in dollars."""
        outcome = "yes" if self.quantity > 0 else "no"
        before = self.cost
        parts = self.close(count)
        if on_close is not None:
            done = ZERO
            for part in parts:
                end = done + part.quantity
                got = share(proceeds, end, count) - share(proceeds, done, count)
                paid = part.fee + share(fee, end, count) - share(fee, done, count)
                done = end
                on_close(ClosedLot(
                    self.ticker, outcome, part.quantity, part.opened, closed, part.cost, got, paid, by_settlement,
                ))  # fmt: skip
        return before - self.cost
