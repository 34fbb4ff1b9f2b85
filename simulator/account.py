"""One member's ledger: cash and positions that always add up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.fees import settle_change, trade_fee
from simulator.order import Order, Side
from simulator.units import DOLLAR


@dataclass(slots=True)
class Position:
    """What is held in one market. count: + YES, - NO. cost: money paid for what is open, fees apart."""

    count: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    traded: int = 0
    volume: int = 0
    updated: float = 0.0
    settled: bool = False

    def trade(self, signed: int, price: int) -> int:
        """Buy (+) or sell (-) YES at price; the money that this brings, fees apart.

        What goes against the position closes it first, the rest opens the other outcome.
        """
        closing = min(abs(signed), abs(self.count)) if signed * self.count < 0 else 0
        opening = abs(signed) - closing
        paid = (price if signed > 0 else DOLLAR - price) * opening
        got = (DOLLAR - price if signed > 0 else price) * closing
        released = self.cost * closing // abs(self.count) if closing else 0
        self.realized += got - released
        self.cost += paid - released
        self.count += signed
        self.traded += abs(signed) * (price if signed > 0 else DOLLAR - price)
        self.volume += abs(signed)
        return got - paid

    def payout(self, value: int) -> int:
        """What the position pays when one YES pays value."""
        return self.count * value if self.count >= 0 else -self.count * (DOLLAR - value)


@dataclass(slots=True)
class Account:
    """cash: money, a multiple of the grain. house: neither pays fees nor runs out of cash (the crowd)."""

    name: str
    cash: int
    house: bool = False
    positions: dict[str, Position] = field(default_factory=dict)
    resting: dict[str, dict[str, Order]] = field(default_factory=dict)
    """ticker -> order id -> order"""
    client_ids: set[str] = field(default_factory=set)
    """Every client_order_id ever used: they are idempotency keys for ever."""

    def position(self, ticker: str) -> Position:
        """The position in a market, made when there is none."""
        return self.positions.setdefault(ticker, Position())

    def trade(self, ticker: str, side: Side, price: int, count: int, rate: int, at: float) -> int:
        """Book one execution; the fee it cost, rounding included."""
        position = self.position(ticker)
        change = position.trade(count if side == "bid" else -count, price)
        floored, fee = settle_change(change, 0 if self.house else trade_fee(price, count, rate))
        self.cash += floored
        position.fees += fee
        position.updated = at
        return fee

    def settle(self, ticker: str, value: int, at: float) -> int:
        """Pay out a position at value per YES; the money it brought."""
        position = self.positions[ticker]
        payout = position.payout(value)
        self.cash += payout
        position.realized += payout - position.cost
        position.count = position.cost = 0
        position.updated, position.settled = at, True
        return payout

    def rest(self, order: Order) -> None:
        """Remember a resting order."""
        self.resting.setdefault(order.ticker, {})[order.order_id] = order

    def unrest(self, order: Order) -> None:
        """Forget an order that rests no more."""
        orders = self.resting.get(order.ticker, {})
        orders.pop(order.order_id, None)
        if not orders:
            self.resting.pop(order.ticker, None)

    def held(self) -> int:
        """Money that resting orders need when they fill (the exchange reserves it while they rest)."""
        return sum(
            held(orders.values(), self.positions[ticker].count if ticker in self.positions else 0)
            for ticker, orders in self.resting.items()
        )


def held(orders: Iterable[Order], count: int) -> int:
    """What the resting orders of one market need beside a position.

    The best-priced orders fill first, so they are the ones that close; only what opens costs.
    """
    total, long, short = 0, max(count, 0), max(-count, 0)
    for order in sorted(orders, key=lambda order: order.price if order.side == "ask" else -order.price):
        if order.side == "bid":
            closing = min(short, order.remaining)
            short -= closing
            total += order.price * (order.remaining - closing)
        else:
            closing = min(long, order.remaining)
            long -= closing
            total += (DOLLAR - order.price) * (order.remaining - closing)
    return total
