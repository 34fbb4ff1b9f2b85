"""Series, events and markets: titles, times, price grid, state."""

from dataclasses import dataclass, field
from typing import Final, Literal

from simulator.order_book import SimulatedBook
from simulator.units import DOLLAR

MarketStatus = Literal["initialized", "active", "inactive", "closed", "determined", "finalized"]
MarketResult = Literal["", "yes", "no", "scalar"]
SHARDS: Final = (0, 1, 2, 3)
"""exchange_index: 0 all others, 1 combos, 2 crypto, 3 some sports (Kalshi docs: exchange sharding)."""

PriceGrid = tuple[tuple[int, int, int], ...]
"""(start, end, step) of each range of valid prices."""
GRIDS: Final[dict[str, PriceGrid]] = {
    "linear_cent": ((0, DOLLAR, 100),),
    "deci_cent": ((0, DOLLAR, 10),),
    "tapered_deci_cent": ((0, 1000, 10), (1000, 9000, 100), (9000, DOLLAR, 10)),
}
VALID_PRICES: Final = {
    structure: frozenset(price for start, end, step in grid for price in range(start, end + 1, step))
    for structure, grid in GRIDS.items()
}

STATUS_FILTERS: Final[dict[str, tuple[MarketStatus, ...]]] = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined"),
    "settled": ("finalized",),
}
"""Values of the status filter, which differ from the values of the status (Kalshi docs: market lifecycle)."""


@dataclass(frozen=True, slots=True)
class SimulatedSeries:
    """A series of events. maker_fees: makers pay too. period: seconds from open to close. shard: exchange_index."""

    ticker: str
    title: str
    category: str
    frequency: str
    period: float
    maker_fees: bool = False
    shard: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """A question with one or more markets."""

    ticker: str
    series: SimulatedSeries
    title: str
    sub_title: str
    exclusive: bool


@dataclass(slots=True)
class SimulatedMarket:
    """One outcome that can be traded. Times are Unix seconds; prices and counts as in units."""

    ticker: str
    event: SimulatedEvent
    title: str
    yes_sub_title: str
    structure: str
    created: float
    opens: float
    closes: float
    timer: float
    fair: int
    book: SimulatedBook
    strike: int | None = None
    bounds: Literal["default", "floor"] = "default"
    status: MarketStatus = "initialized"
    result: MarketResult = ""
    value: int | None = None
    """Price that one YES pays, once determined."""
    settlement_floor: int = 0
    """Settlement floor as a price: already credited to YES holders (Kalshi docs: settlement bounds)."""
    updated: float = 0.0
    determined_at: float | None = None
    settled_at: float | None = None
    last: int = 0
    previous: tuple[int, int, int] = (0, 0, 0)
    """Bid, ask and last price of a day ago."""
    volume: int = 0
    open_interest: int = 0
    dollar_volume: int = 0
    last_size: int = 0
    quoted: bool = False
    """True after the first quote: an empty side then reads 0 or 1, before that 0 and 0."""
    holders: set[str] = field(default_factory=set)
    """Accounts that ever traded here."""

    @property
    def shard(self) -> int:
        return self.event.series.shard

    def is_valid(self, price: int) -> bool:
        """Return True if the price lies on the grid and above the settlement floor."""
        return self.settlement_floor < price < DOLLAR and price in VALID_PRICES[self.structure]

    def round_to_cent(self, price: int) -> int:
        """Return the nearest whole cent at which the market can trade."""
        return min(max(round(price / 100), 1), 99) * 100

    def mark(self) -> int:
        """Return the price for valuing positions: the last trade, or the fair price before the first trade."""
        return self.last or self.fair
