"""Types that strategies work with: quotes, resting orders, the view of one market, and what a strategy may ask for.

Prices are dollars of YES, quantities are contracts, times are Unix seconds unless stated otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from bot.fees import HIGHEST_FEES, FeeRule

Side = Literal["BUY", "SELL"]  # always of YES: SELL without a position buys NO at one minus the price

ZERO = Decimal(0)
ONE = Decimal(1)
CENT = Decimal("0.01")


def opposite(side: Side) -> Side:
    """Return the other side."""
    return "SELL" if side == "BUY" else "BUY"


def signed(side: Side, quantity: Decimal) -> Decimal:
    """Return the change of a position: + for BUY, - for SELL."""
    return quantity if side == "BUY" else -quantity


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Valid prices from start to end, step apart (Kalshi docs: fixed_point_migration, price_ranges)."""

    start: Decimal
    end: Decimal
    step: Decimal


WHOLE_CENTS = (PriceBand(ZERO, ONE, CENT),)  # valid in every market


@dataclass(frozen=True, slots=True)
class Quote:
    """One market as last read. A side without size has no price: 0 and 1 on an empty book are not quotes."""

    ticker: str
    bid: Decimal | None
    bid_size: Decimal
    ask: Decimal | None
    ask_size: Decimal
    last: Decimal | None
    volume: Decimal  # contracts traded since the market opened
    read_at: float  # monotonic seconds
    active: bool = True  # takes orders now
    bands: tuple[PriceBand, ...] = WHOLE_CENTS
    value: Decimal | None = None  # dollars that one YES paid, once the market is settled
    close_time: float | None = None
    event_ticker: str = ""
    exchange_index: int = 0  # the shard that the market trades on
    mark: Decimal | None = None  # dollars that one YES is worth now, by the mark rule of the ledger

    @property
    def mid(self) -> Decimal | None:
        """The middle of bid and ask; None when either is missing."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    def down(self, price: Decimal) -> Decimal | None:
        """Return the highest valid price that is not above `price`; None if there is none."""
        return self._round(price, ROUND_FLOOR)

    def up(self, price: Decimal) -> Decimal | None:
        """Return the lowest valid price that is not below `price`; None if there is none."""
        return self._round(price, ROUND_CEILING)

    def step(self, price: Decimal) -> Decimal:
        """Return the distance between valid prices around this one."""
        return self._band(price).step

    def _band(self, price: Decimal) -> PriceBand:
        if len(self.bands) == 1:
            return self.bands[0]
        return next((band for band in self.bands if band.start <= price < band.end), self.bands[-1])

    def _round(self, price: Decimal, rounding: str) -> Decimal | None:
        band = self._band(price)
        rounded = band.start + ((price - band.start) / band.step).to_integral_value(rounding) * band.step
        return rounded if ZERO < rounded < ONE else None


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order of ours that rests. quantity: contracts that are left of it."""

    client_order_id: str
    order_id: str
    ticker: str
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderOrigin:
    """The decision behind an order: strategy, the mid it saw, and when it was decided, sent and acknowledged."""

    strategy: str
    mid: Decimal | None
    decided_at: float
    sent_at: float | None = None
    acknowledged_at: float | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill in YES terms. trade_id: the exchange's fill id, or the paper venue's."""

    trade_id: str
    order_id: str
    ticker: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    timestamp: Decimal
    is_taker: bool
    origin: OrderOrigin | None = None  # None for orders of an earlier run


@dataclass(frozen=True, slots=True)
class BookLevel:
    """Contracts offered at one price."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True)
class MarketView:
    """Everything that a decision about one market may depend on."""

    now: float
    quote: Quote
    mids: Sequence[Decimal]  # recent mids, oldest first, the present one last
    position: Decimal  # contracts, + YES, - NO
    resting: Sequence[RestingOrder]
    size: Decimal  # contracts an order should have
    most: Decimal  # contracts that a position should not pass, either way
    draw: float = 0.5  # in [0, 1), new at each look, from the bot's seed
    cash: Decimal | None = None  # dollars free on the account; None on paper and before the first read
    fees: FeeRule = HIGHEST_FEES
    bids: Sequence[BookLevel] = ()  # best first; only for strategies that set NEEDS_DEPTH
    asks: Sequence[BookLevel] = ()

    @property
    def seconds_to_close(self) -> float | None:
        """Seconds until the market closes; None when unknown."""
        return None if self.quote.close_time is None else self.quote.close_time - self.now


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Request of an order. rest: it waits in the book and never takes; else it fills at once or is cancelled."""

    ticker: str
    side: Side
    price: Decimal
    quantity: Decimal
    rest: bool
    why: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Request to cancel an order of ours."""

    order: RestingOrder
    why: str


Intent = PlaceOrder | CancelOrder
