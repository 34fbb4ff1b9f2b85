"""Value of a position at a mark: average price, value and unrealized profit, unknown where the mark is."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ledger.amounts import ZERO, average, complement
from ledger.market_book import MarketBook


@dataclass(frozen=True, slots=True)
class Valuation:
    """mark is the price of what is held (YES or NO), None when unknown or flat; value and unrealized are dollars."""

    average_price: Decimal | None
    mark: Decimal | None
    value: Decimal | None
    unrealized: Decimal | None


def value_position(quantity: Decimal, cost: Decimal, yes_mark: Decimal | None) -> Valuation:
    """Return the valuation of quantity contracts (+ YES, - NO) that cost so much. A flat position is worth 0."""
    if not quantity:
        return Valuation(None, None, ZERO, ZERO)
    if yes_mark is None:
        return Valuation(average(cost, quantity), None, None, None)
    mark = yes_mark if quantity > 0 else complement(yes_mark)
    value = mark * abs(quantity)
    return Valuation(average(cost, quantity), mark, value, value - cost)


def position_row(book: MarketBook, yes_mark: Decimal | None) -> dict[str, object]:
    """Return one market's figures under the names of the API. value and unrealized_pnl are null for a flat position."""
    valued = value_position(book.quantity, book.cost, yes_mark)
    is_open = bool(book.quantity)
    return {
        "ticker": book.ticker, "quantity": book.quantity,
        "outcome": ("yes" if book.quantity > 0 else "no") if is_open else None,
        "cost": book.cost, "average_price": valued.average_price, "mark": valued.mark,
        "value": valued.value if is_open else None, "unrealized_pnl": valued.unrealized if is_open else None,
        "realized_pnl": book.realized, "fees": book.fees, "trades": book.trades, "fees_unknown": book.fees_unknown,
    }  # fmt: skip


def sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of the known amounts; None where there are amounts and none of them is known."""
    found = list(amounts)
    known = [amount for amount in found if amount is not None]
    return sum(known, ZERO) if known or not found else None
