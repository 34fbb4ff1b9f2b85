"""An order: what was asked and what became of it."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["bid", "ask"]
Status = Literal["resting", "canceled", "executed"]
Force = Literal["good_till_canceled", "immediate_or_cancel", "fill_or_kill"]
SelfTrade = Literal["taker_at_cross", "maker"]


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A create request after parsing; prices are of YES: a bid buys YES, an ask sells YES or buys NO at 1 - price."""

    ticker: str
    side: Side
    price: int
    count: int
    force: Force = "good_till_canceled"
    self_trade: SelfTrade = "taker_at_cross"
    client_order_id: str = ""
    expires: float | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group_id: str = ""


@dataclass(slots=True)
class Order:
    """fill + remaining <= initial; resting means remaining > 0; an ended order has nothing remaining."""

    order_id: str
    account: str
    asked: NewOrder
    price: int
    initial: int
    remaining: int
    created: float
    updated: float
    client_order_id: str
    expires: float | None = None
    status: Status = "resting"
    filled: int = 0
    value: int = 0
    """Money: the sum of YES price x count over the fills."""
    taker_cost: int = 0
    maker_cost: int = 0
    taker_fees: int = 0
    maker_fees: int = 0

    @property
    def ticker(self) -> str:
        return self.asked.ticker

    @property
    def side(self) -> Side:
        return self.asked.side

    def crosses(self, price: int) -> bool:
        """Whether an order of the other side at this price is good enough."""
        return price <= self.price if self.side == "bid" else price >= self.price

    def fill(self, price: int, count: int, fee: int, is_taker: bool) -> None:
        """Book one execution."""
        cost = count * (price if self.side == "bid" else 10_000 - price)
        self.filled += count
        self.remaining -= count
        self.value += price * count
        if is_taker:
            self.taker_cost += cost
            self.taker_fees += fee
        else:
            self.maker_cost += cost
            self.maker_fees += fee
        if not self.remaining:
            self.status = "executed"

    def end(self) -> int:
        """Cancel what remains; the count that this took away."""
        reduced, self.remaining = self.remaining, 0
        self.status = "canceled"
        return reduced
