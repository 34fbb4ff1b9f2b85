"""The most that can be lost in dollars, whatever happens to the orders that rest: the sum that limits are about."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from bot.strategy_types import ONE, ZERO, RestingOrder, Side


def unit_cost(side: Side, price: Decimal) -> Decimal:
    """What one opened contract can lose."""
    return price if side == "BUY" else ONE - price


def market_exposure(quantity: Decimal, cost: Decimal, orders: Iterable[RestingOrder]) -> Decimal:
    """The worst of three: nothing fills, every bid fills, every ask fills. Mixtures lie below.

    quantity and cost are the open position's. Orders first close what is held; of several, the cheapest to close
    are taken to close and the costliest to open, which is the worst order they can fill in.
    """
    waiting = list(orders)
    return max(cost, *(_if_filled(quantity, cost, waiting, side) for side in ("BUY", "SELL")))


def _if_filled(quantity: Decimal, cost: Decimal, orders: Sequence[RestingOrder], side: Side) -> Decimal:
    mine = [(unit_cost(side, order.price), order.quantity) for order in orders if order.side == side]
    held = -quantity if side == "BUY" else quantity  # what this side closes
    left = max(held, ZERO)
    opened = ZERO
    for unit, size in sorted(mine):
        closes = min(left, size)
        left -= closes
        opened += (size - closes) * unit
    kept = cost if held <= 0 else cost * left / held
    return kept + opened


def largest(quantity: Decimal, step: Decimal, fits: Callable[[Decimal], bool]) -> Decimal:
    """The largest multiple of step up to quantity for which fits is true; it must be true of all smaller ones."""
    low, high = 0, int(quantity / step)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle * step):
            low = middle
        else:
            high = middle - 1
    return low * step
