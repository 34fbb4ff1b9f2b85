"""Orders: the request of a member and the state of an accepted order."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from simulator.units import DOLLAR

OrderSide = Literal["bid", "ask"]
OrderStatus = Literal["resting", "canceled", "executed"]
TimeInForce = Literal["good_till_canceled", "immediate_or_cancel", "fill_or_kill"]
SelfTradeMode = Literal["taker_at_cross", "maker"]
SIDES: Final[tuple[str, ...]] = get_args(OrderSide)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A parsed create request. Prices are of YES: a bid buys YES, an ask sells YES or buys NO at 1 - price."""

    ticker: str
    side: OrderSide
    price: int
    count: int
    time_in_force: TimeInForce = "good_till_canceled"
    self_trade: SelfTradeMode = "taker_at_cross"
    client_order_id: str = ""
    expires: float | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_on_pause: bool = False
    group_id: str = ""


@dataclass(slots=True)
class SimulatedOrder:
    """An accepted order: filled + remaining <= initial; resting means remaining > 0, ended means remaining == 0."""

    order_id: str
    account: str
    request: OrderRequest
    price: int
    initial: int
    remaining: int
    created: float
    updated: float
    client_order_id: str
    expires: float | None = None
    shard: int = 0
    status: OrderStatus = "resting"
    filled: int = 0
    value: int = 0
    """Money: the sum of YES price x count over the fills."""
    taker_cost: int = 0
    maker_cost: int = 0
    taker_fees: int = 0
    maker_fees: int = 0

    @property
    def ticker(self) -> str:
        return self.request.ticker

    @property
    def side(self) -> OrderSide:
        return self.request.side

    def crosses(self, price: int) -> bool:
        """Return True if this order can trade with an order of the other side at price."""
        return price <= self.price if self.side == "bid" else price >= self.price

    def fill(self, price: int, count: int, fee: int, is_taker: bool) -> None:
        """Count one execution of this order."""
        cost = count * (price if self.side == "bid" else DOLLAR - price)
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
        """Cancel the remaining count and return it."""
        canceled, self.remaining = self.remaining, 0
        self.status = "canceled"
        return canceled
