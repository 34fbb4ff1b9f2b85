"""What a contract is worth now: one price out of quotes, last trade and result, or none where nobody says."""

from dataclasses import dataclass
from decimal import Decimal

from kalshi.market_models import Market
from kalshi.money import ONE, complement

WIDE = Decimal("0.10")  # quotes further apart than this say little about the middle between them


@dataclass(frozen=True, slots=True)
class Mark:
    """The price of one YES contract, None when unknown, and the market's title."""

    yes: Decimal | None
    title: str | None

    def of(self, quantity: Decimal) -> Decimal | None:
        """The price of what a position holds: YES when positive, NO when negative."""
        return self.yes if self.yes is None or quantity >= 0 else complement(self.yes)


def mark(market: Market) -> Mark:
    """Read the price of YES from a market; five cases, the first that fits.

    1. The result is known: what it pays.
    2. Both sides are quoted, at most ten cents apart: the middle.
    3. Both sides are quoted further apart: the last trade, drawn between the quotes; the bid when there was none.
    4. One side is quoted: the last trade, drawn to the quote; without one the bid, and a lone ask says nothing.
    5. Nobody quotes: unknown. The last trade may be weeks old.
    """
    return Mark(_yes(market), market.title or market.yes_title or None)


def _yes(market: Market) -> Decimal | None:
    if market.settlement_value is not None:
        return market.settlement_value
    if market.result in ("yes", "no"):
        return ONE if market.result == "yes" else Decimal(0)
    bid, ask, last = market.yes_bid, market.yes_ask, market.last_price
    if bid is None and ask is None:
        return None
    if bid is not None and ask is not None and ask - bid <= WIDE:
        return (bid + ask) / 2
    if last is None:
        return bid
    price = max(last, bid or last)
    return min(price, ask or price)
