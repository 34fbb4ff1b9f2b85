"""A market: its words, its clock, its grid, its book."""

from dataclasses import dataclass, field
from typing import Final, Literal

from simulator.book import Book
from simulator.units import DOLLAR

State = Literal["initialized", "active", "inactive", "closed", "determined", "finalized"]
Result = Literal["", "yes", "no", "scalar"]

Grid = tuple[tuple[int, int, int], ...]
"""(start, end, step) of each range of valid prices."""
GRIDS: Final[dict[str, Grid]] = {
    "linear_cent": ((0, DOLLAR, 100),),
    "deci_cent": ((0, DOLLAR, 10),),
    "tapered_deci_cent": ((0, 1000, 10), (1000, 9000, 100), (9000, DOLLAR, 10)),
}

FILTERS: Final[dict[str, tuple[State, ...]]] = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined"),
    "settled": ("finalized",),
}
"""The words of the status filter are not the words of the status (Kalshi docs: market lifecycle)."""


@dataclass(frozen=True, slots=True)
class Series:
    """What events have in common. maker_fees: makers pay too. period: seconds from open to close."""

    ticker: str
    title: str
    category: str
    frequency: str
    period: float
    maker_fees: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A question with one or more markets."""

    ticker: str
    series: Series
    title: str
    sub_title: str
    exclusive: bool


@dataclass(slots=True)
class Market:
    """Times are Unix seconds; prices and counts as in units."""

    ticker: str
    event: Event
    title: str
    yes_sub_title: str
    structure: str
    created: float
    opens: float
    closes: float
    timer: float
    fair: int
    book: Book
    strike: int | None = None
    state: State = "initialized"
    result: Result = ""
    value: int | None = None
    """What one YES pays, once determined."""
    updated: float = 0.0
    settled_at: float | None = None
    last: int = 0
    previous: tuple[int, int, int] = (0, 0, 0)
    """A day ago: bid, ask, last price."""
    volume: int = 0
    open_interest: int = 0
    dollar_volume: int = 0
    last_size: int = 0
    quoted: bool = False
    """A side was quoted before: an empty side then reads 0 or 1, before that 0 and 0."""
    holders: set[str] = field(default_factory=set)
    """Accounts that ever traded here."""

    def valid(self, price: int) -> bool:
        """Whether the price lies on the grid; whole cents always do."""
        return 0 < price < DOLLAR and any(
            start <= price <= end and (price - start) % step == 0 for start, end, step in GRIDS[self.structure]
        )

    def snap(self, price: int) -> int:
        """The nearest whole cent that can trade."""
        return min(max(round(price / 100), 1), 99) * 100

    def mark(self) -> int:
        """A price for valuing positions: the last trade, else the middle, else the start."""
        return self.last or self.fair
