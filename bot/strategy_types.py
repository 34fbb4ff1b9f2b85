"""What a strategy sees of one market and what it may ask for: dollars of YES, contracts, Unix seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

Side = Literal["BUY", "SELL"]  # always of YES: SELL without a position buys NO at one minus the price

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")


def opposite(side: Side) -> Side:
    """The other side."""
    return "SELL" if side == "BUY" else "BUY"


def signed(side: Side, quantity: Decimal) -> Decimal:
    """What this does to a position: + for BUY, - for SELL."""
    return quantity if side == "BUY" else -quantity


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Prices from start to end lie step apart (Kalshi docs: fixed_point_migration, price_ranges)."""

    start: Decimal
    end: Decimal
    step: Decimal


WHOLE_CENTS = (PriceBand(ZERO, ONE, CENT),)  # valid in every market


@dataclass(frozen=True, slots=True)
class Quote:
    """One market as last read. A side without size has no price: 0 and 1 on an empty book are no quotes."""

    ticker: str
    bid: Decimal | None
    bid_size: Decimal
    ask: Decimal | None
    ask_size: Decimal
    last: Decimal | None
    volume: Decimal  # contracts traded since the market opened
    as_of: float  # when it was read, by our clock
    active: bool = True  # takes orders now
    bands: tuple[PriceBand, ...] = WHOLE_CENTS
    value: Decimal | None = None  # what one YES paid, once the market is settled

    @property
    def mid(self) -> Decimal | None:
        """Halfway between bid and ask; None when either is missing."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal | None:
        """What one YES is worth now: its payout, else the mid, else the last trade."""
        return next((price for price in (self.value, self.mid, self.last) if price is not None), None)

    def down(self, price: Decimal) -> Decimal | None:
        """The highest price of the grid that is not above; None below the lowest that can be asked."""
        return self._round(price, ROUND_FLOOR)

    def up(self, price: Decimal) -> Decimal | None:
        """The lowest price of the grid that is not below; None above the highest that can be asked."""
        return self._round(price, ROUND_CEILING)

    def step(self, price: Decimal) -> Decimal:
        """How far apart prices are around this one."""
        return self._band(price).step

    def _band(self, price: Decimal) -> PriceBand:
        return next((band for band in self.bands if band.start <= price < band.end), self.bands[-1])

    def _round(self, price: Decimal, rounding: str) -> Decimal | None:
        band = self._band(price)
        rounded = band.start + ((price - band.start) / band.step).to_integral_value(rounding) * band.step
        return rounded if ZERO < rounded < ONE else None


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order of ours that rests. quantity is what is left of it."""

    client_order_id: str
    order_id: str
    ticker: str
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill, in YES terms. trade_id is the exchange's fill id, or the paper venue's."""

    trade_id: str
    order_id: str
    ticker: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    timestamp: Decimal
    is_taker: bool


@dataclass(frozen=True, slots=True)
class MarketView:
    """All that a decision about one market may depend on."""

    now: float
    quote: Quote
    mids: Sequence[Decimal]  # recent mids, oldest first, the present one last
    position: Decimal  # contracts, + YES, - NO
    resting: Sequence[RestingOrder]
    size: Decimal  # contracts an order should have
    most: Decimal  # contracts a position should not pass, either way
    draw: float = 0.5  # in [0, 1), new at each look, from the bot's seed: chance without a hidden state


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Ask for an order. rest: it waits in the book and never takes; else it takes at once or vanishes."""

    ticker: str
    side: Side
    price: Decimal
    quantity: Decimal
    rest: bool
    why: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Take an order of ours back."""

    order: RestingOrder
    why: str


Intent = PlaceOrder | CancelOrder
