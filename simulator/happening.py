"""What happened on the exchange, as told to those who listen: the reading replica and the sockets."""

from dataclasses import dataclass
from typing import Literal

from simulator.account import Position
from simulator.order import Order, Side

Reason = Literal[
    "",
    "Decrease",
    "Amend",
    "MarginCancel",
    "SelfTradeCancel",
    "ExpiryCancel",
    "CloseCancel",
    "HaltCancel",
    "Trade",
]


@dataclass(frozen=True, slots=True)
class Fill:
    """One side of an execution."""

    fill_id: str
    order_id: str
    client_order_id: str
    account: str
    ticker: str
    side: Side
    price: int
    count: int
    is_taker: bool
    fee: int
    at: float
    post_position: int


@dataclass(frozen=True, slots=True)
class Trade:
    """An execution on the public tape."""

    trade_id: str
    ticker: str
    price: int
    count: int
    taker_side: Side
    at: float


@dataclass(frozen=True, slots=True)
class Settlement:
    """A position paid out. count and cost: what was held; value: what one YES paid."""

    account: str
    ticker: str
    event_ticker: str
    result: str
    count: int
    cost: int
    payout: int
    value: int
    fees: int
    at: float


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """order: a copy, true at that moment."""

    at: float
    order: Order
    reason: Reason


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """position: a copy; cash: the account's, after it."""

    at: float
    account: str
    ticker: str
    position: Position
    cash: int


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """A level of a book grew or shrank."""

    at: float
    ticker: str
    side: Side
    price: int
    delta: int
    account: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class MarketChanged:
    """A market's state or clock changed."""

    at: float
    ticker: str


Happening = Fill | Trade | Settlement | OrderChanged | PositionChanged | LevelChanged | MarketChanged
