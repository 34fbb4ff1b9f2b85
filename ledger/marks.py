"""The mark of a market: the price at which a position is valued, and for how long a loss must last."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledger.amounts import ONE, ZERO

SPREAD_LIMIT: Final = Decimal("0.10")  # quotes further apart say little about the middle between them
LASTING: Final = 10.0  # seconds for which a loss on marks must be seen before a loss limit acts on it


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
    """Return the price of one YES contract in dollars; None when nobody says. The first rule that fits decides.

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


class LastingLoss:
    """Decide when a loss limit may act. A loss that is realized acts at once, a loss on marks after it has lasted.

    check must be called at each valuation; a single valuation without the loss starts the time again. now is
    monotonic seconds.
    """

    def __init__(self, lasting: float = LASTING) -> None:
        self.lasting = lasting
        self._since: float | None = None  # of the first of the valuations in a row that show the loss

    def check(self, now: float, *, on_marks: bool, realized: bool) -> bool:
        """Return True if the limit may act. on_marks, realized: the loss is beyond the limit with, without marks."""
        if not on_marks and not realized:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return realized or now - self._since >= self.lasting
