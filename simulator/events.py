"""Events of the exchange, passed to its listeners in order: the read replica, the sockets, the candlesticks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulator.account import HeldPosition
from simulator.orders import OrderSide, SimulatedOrder

OrderChangeReason = Literal[
    "",
    "Decrease",
    "Amend",
    "MarginCancel",
    "SelfTradeCancel",
    "ExpiryCancel",
    "CloseCancel",
    "HaltCancel",
    "SettlementBoundsCancel",
    "Trade",
]
MarketChange = Literal["created", "activated", "deactivated", "close_date_updated", "determined", "settled", "silent"]
"""The event_type of market_lifecycle_v2; silent: opening and natural close, which the exchange does not announce."""


@dataclass(frozen=True, slots=True)
class FillEvent:
    """One member's side of an execution."""

    fill_id: str
    order_id: str
    client_order_id: str
    account: str
    ticker: str
    side: OrderSide
    price: int
    count: int
    is_taker: bool
    fee: int
    at: float
    post_position: int
    shard: int


@dataclass(frozen=True, slots=True)
class TradeEvent:
    """One execution as the public sees it."""

    trade_id: str
    ticker: str
    price: int
    count: int
    taker_side: OrderSide
    at: float


@dataclass(frozen=True, slots=True)
class SettlementEvent:
    """A market paid out to one account. position: a copy from before the payout; reported_value: of one YES."""

    account: str
    ticker: str
    event_ticker: str
    result: str
    position: HeldPosition
    payout: int
    reported_value: int
    at: float
    shard: int


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """A member's order changed. order: a copy."""

    at: float
    order: SimulatedOrder
    reason: OrderChangeReason


@dataclass(frozen=True, slots=True)
class PositionEvent:
    """A member's position and cash changed. position: a copy; cash: a copy of the account's money per shard."""

    at: float
    account: str
    ticker: str
    position: HeldPosition
    cash: dict[int, int]


@dataclass(frozen=True, slots=True)
class CashEvent:
    """A member's cash changed without a trade. cash: a copy of the account's money per shard."""

    at: float
    account: str
    cash: dict[int, int]


@dataclass(frozen=True, slots=True)
class VoidEvent:
    """A member's fill was voided. keep_row: the fill stays in the lists with count zero."""

    at: float
    account: str
    fill_id: str
    keep_row: bool


@dataclass(frozen=True, slots=True)
class LevelEvent:
    """A level of a book changed by a signed count."""

    at: float
    ticker: str
    side: OrderSide
    price: int
    delta: int
    account: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """A market's status or times changed."""

    at: float
    ticker: str
    change: MarketChange


@dataclass(frozen=True, slots=True)
class OrderGroupEvent:
    """An order group was created, triggered, reset, deleted or given another limit (a count)."""

    at: float
    group_id: str
    change: Literal["created", "triggered", "reset", "deleted", "limit_updated"]
    limit: int | None


ExchangeEvent = (
    FillEvent
    | TradeEvent
    | SettlementEvent
    | OrderEvent
    | PositionEvent
    | CashEvent
    | VoidEvent
    | LevelEvent
    | MarketEvent
    | OrderGroupEvent
)
EventListener = Callable[[ExchangeEvent], None]
