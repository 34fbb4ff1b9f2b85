"""The ledger of one account: cash per shard and positions that always add up."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.fees import round_cash_change, trade_fee
from simulator.market import SimulatedMarket
from simulator.orders import OrderSide, SimulatedOrder
from simulator.units import DOLLAR, MONEY_CENT


@dataclass(slots=True)
class HeldPosition:
    """The position in one market. count: + YES, - NO. cost: money paid for the open position, without fees."""

    count: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    traded: int = 0
    volume: int = 0
    yes_bought: int = 0
    """Gross count of YES bought; a sale of NO counts as YES bought, because the pair is netted."""
    yes_cost: int = 0
    no_bought: int = 0
    no_cost: int = 0
    updated: float = 0.0
    settled: bool = False

    def trade(self, signed: int, price: int, settlement_floor: int = 0) -> int:
        """Buy (+) or sell (-) YES at price and return the cash change before fees.

        The part against the position closes it first, the rest opens the other outcome. settlement_floor: a price that
        a YES holder has been paid already.
        """
        closing = min(abs(signed), abs(self.count)) if signed * self.count < 0 else 0
        opening = abs(signed) - closing
        yes, no = price - settlement_floor, DOLLAR - price
        paid = (yes if signed > 0 else no) * opening
        received = (no if signed > 0 else yes) * closing
        released = self.cost * closing // abs(self.count) if closing else 0
        self.realized += received - released
        self.cost += paid - released
        self.count += signed
        self.traded += abs(signed) * (price if signed > 0 else no)
        self.volume += abs(signed)
        if signed > 0:
            self.yes_bought += signed
            self.yes_cost += signed * price
        else:
            self.no_bought -= signed
            self.no_cost -= signed * no
        return received - paid

    def payout(self, value: int, settlement_floor: int = 0) -> int:
        """Return the money that the position is worth when one YES pays value."""
        return self.count * (value - settlement_floor) if self.count >= 0 else -self.count * (DOLLAR - value)


@dataclass(slots=True)
class MemberAccount:
    """cash: shard -> money, multiples of CASH_STEP. is_liquidity: pays no fees and has no cash limit."""

    name: str
    cash: dict[int, int]
    is_liquidity: bool = False
    positions: dict[str, HeldPosition] = field(default_factory=dict)
    resting: dict[str, dict[str, SimulatedOrder]] = field(default_factory=dict)
    """ticker -> order id -> order"""
    client_order_ids: set[str] = field(default_factory=set)
    """Every client_order_id ever used; each can be used once."""
    floors: dict[str, int] = field(default_factory=dict)
    """ticker -> settlement floor, of all markets that have one; shared with the exchange."""
    _reservations: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """ticker -> position and settlement floor, and the money that its resting orders need beside them."""

    @property
    def total_cash(self) -> int:
        """The money on all shards."""
        return sum(self.cash.values())

    def position(self, ticker: str) -> HeldPosition:
        """Return the position in a market; a missing one is created."""
        return self.positions.setdefault(ticker, HeldPosition())

    def count(self, ticker: str) -> int:
        """Return the signed count held in a market."""
        position = self.positions.get(ticker)
        return position.count if position else 0

    def trade(self, market: SimulatedMarket, side: OrderSide, price: int, count: int, rate: int, at: float) -> int:
        """Book one execution and return its fee, rounding included. rate: fee rate in 1/10000."""
        position = self.position(market.ticker)
        change = position.trade(count if side == "bid" else -count, price, market.settlement_floor)
        rounded, fee = round_cash_change(change, 0 if self.is_liquidity else trade_fee(price, count, rate))
        self.cash[market.shard] += rounded
        position.fees += fee
        position.updated = at
        return fee

    def settle(self, market: SimulatedMarket, value: int, at: float) -> int:
        """Pay out a position at value per YES, rounded down to whole cents, and return the money paid."""
        position = self.positions[market.ticker]
        payout = position.payout(value, market.settlement_floor) // MONEY_CENT * MONEY_CENT
        self.cash[market.shard] += payout
        position.realized += payout - position.cost
        position.count = position.cost = 0
        position.updated, position.settled = at, True
        return payout

    def add_resting(self, order: SimulatedOrder) -> None:
        """Record a resting order."""
        self.resting.setdefault(order.ticker, {})[order.order_id] = order

    def remove_resting(self, order: SimulatedOrder) -> None:
        """Remove an order that does not rest any more."""
        orders = self.resting.get(order.ticker, {})
        orders.pop(order.order_id, None)
        if not orders:
            self.resting.pop(order.ticker, None)

    def book_changed(self, ticker: str) -> None:
        """Record that the size of one of the account's resting orders changed."""
        self._reservations.pop(ticker, None)

    def reserved(self, shard: int | None = None, except_ticker: str = "") -> int:
        """Return the money that resting orders need when they fill; shard: on this shard only."""
        return sum(
            self._reservation(ticker, orders)
            for ticker, orders in self.resting.items()
            if ticker != except_ticker and shard in (None, next(iter(orders.values())).shard)
        )

    def _reservation(self, ticker: str, orders: dict[str, SimulatedOrder]) -> int:
        count, floor, known = self.count(ticker), self.floors.get(ticker, 0), self._reservations.get(ticker)
        if known is None or known[0] != count or known[1] != floor:
            known = self._reservations[ticker] = count, floor, reservation(orders.values(), count, floor)
        return known[2]


def reservation(orders: Iterable[SimulatedOrder], count: int, settlement_floor: int = 0) -> int:
    """Return the money that the resting orders of one market need beside a position of count.

    The best-priced orders fill first, so they close the position; only what opens a position costs money, a YES its
    price above the settlement floor.
    """
    total, long, short = 0, max(count, 0), max(-count, 0)
    for order in sorted(orders, key=lambda order: order.price if order.side == "ask" else -order.price):
        if order.side == "bid":
            closing = min(short, order.remaining)
            short -= closing
            total += (order.price - settlement_floor) * (order.remaining - closing)
        else:
            closing = min(long, order.remaining)
            long -= closing
            total += (DOLLAR - order.price) * (order.remaining - closing)
    return total
