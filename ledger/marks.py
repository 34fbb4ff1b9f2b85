"""The mark of a market, and the value of a position at it: unknown where the mark is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledger.amounts import CENT, ONE, ZERO, average, complement

SPREAD_LIMIT: Final = Decimal("0.10")  # quotes further apart say little about the middle between them


@dataclass(frozen=True, slots=True)
class MarkInputs:
    """Prices of one market in dollars of YES. None for a quote or a trade that is not there."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    result: str = ""
    settlement_value: Decimal | None = None
    settlement_floor: Decimal | None = None  # the least that one YES contract pays


def mark_price(market: MarkInputs) -> Decimal | None:
    """Return the price of one YES contract in dollars; None where it is unknown. The first rule that fits decides.

    1. The payout is known: the settlement value, else by the result (a floor replaces 0).
    2. Bid and ask are at most SPREAD_LIMIT apart: the middle.
    3. Bid and ask are further apart: the last trade, moved between them; the bid where there was no trade.
    4. One side is quoted: the last trade, moved to that quote; without a trade the bid, and a lone ask says nothing.
    5. No side is quoted, or the bid is above the ask: unknown.
    Except for a known payout, a mark is never below the floor.
    """
    lowest = market.settlement_floor or ZERO
    if market.settlement_value is not None:
        return market.settlement_value
    if market.result in ("yes", "no"):
        return ONE if market.result == "yes" else lowest
    price = _quoted(market.bid, market.ask, market.last)
    return None if price is None else max(price, lowest)


def _quoted(bid: Decimal | None, ask: Decimal | None, last: Decimal | None) -> Decimal | None:
    if bid is None and ask is None:
        return None
    if bid is not None and ask is not None:
        if bid > ask:
            return None
        if ask - bid <= SPREAD_LIMIT:
            return (bid + ask) / 2
    if last is None:
        return bid
    price = last if bid is None else max(last, bid)
    return price if ask is None else min(price, ask)


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


def compare_value(
    values: Sequence[Decimal | None], reported: Decimal | None, causes: Sequence[str]
) -> dict[str, Decimal | str | None]:
    """Return the positions' value by our marks, the one that the exchange reports, and the cause of a difference.

    reported is rounded down to cents. causes: of contracts that differ; with equal ones the marks alone differ.
    """
    ours = None if None in values else sum_known(values)
    difference = None if ours is None or reported is None else reported - ours
    if difference is not None and -CENT < difference <= 0:
        difference = ZERO
    cause = next(iter(causes), "mark") if difference else None
    return {"journal": ours, "exchange": reported, "difference": difference, "cause": cause}


def sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of the known amounts; None where there are amounts and none of them is known."""
    found = list(amounts)
    known = [amount for amount in found if amount is not None]
    return sum(known, ZERO) if known or not found else None
