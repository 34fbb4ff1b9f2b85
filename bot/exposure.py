"""The most that positions and resting orders can lose, in dollars, for one market and for the markets of one event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.strategy_types import ONE, ZERO, RestingOrder, Side


def unit_cost(side: Side, price: Decimal) -> Decimal:
    """Return the dollars that one opened contract can lose."""
    return price if side == "BUY" else ONE - price


def market_exposure(quantity: Decimal, cost: Decimal, orders: Iterable[RestingOrder]) -> Decimal:
    """Return the worst of three cases: nothing fills, every bid fills, every ask fills. Mixtures lose less.

    quantity and cost are the open position's. Orders first close what is held; of several, the cheapest to close
    are taken to close and the costliest to open, which is the worst order they can fill in.
    """
    waiting = list(orders)
    return max(cost, *(_if_filled(quantity, cost, waiting, side) for side in ("BUY", "SELL")))


def _if_filled(quantity: Decimal, cost: Decimal, orders: Sequence[RestingOrder], side: Side) -> Decimal:
    mine = [(unit_cost(side, order.price), order.quantity) for order in orders if order.side == side]
    if not mine:
        return cost
    closable = -quantity if side == "BUY" else quantity  # what this side closes
    left = max(closable, ZERO)
    opened = ZERO
    for unit, size in sorted(mine):
        closes = min(left, size)
        left -= closes
        opened += (size - closes) * unit
    remaining = cost if closable <= 0 else cost * left / closable
    return remaining + opened


@dataclass(frozen=True, slots=True)
class Strike:
    """The outcomes for which a market pays YES: values from low to high, an open end is None.

    with_low, with_high: the end itself belongs to it.
    """

    low: Decimal | None
    high: Decimal | None
    with_low: bool = True
    with_high: bool = True

    def contains(self, value: Decimal) -> bool:
        """Return True if the market pays YES for this outcome."""
        above = self.low is None or (value >= self.low if self.with_low else value > self.low)
        below = self.high is None or (value <= self.high if self.with_high else value < self.high)
        return above and below


@dataclass(frozen=True, slots=True)
class MarketRisk:
    """One market's part of an event: what it loses if it pays YES and if it pays NO; a gain is negative."""

    if_yes: Decimal
    if_no: Decimal
    strike: Strike | None = None

    @classmethod
    def of(
        cls, quantity: Decimal, cost: Decimal, orders: Iterable[RestingOrder], strike: Strike | None = None
    ) -> "MarketRisk":
        """Return the risk of a position and of its orders, each of which may fill or not, whichever is worse."""
        if_yes = cost - max(quantity, ZERO)
        if_no = cost - max(-quantity, ZERO)
        for order in orders:
            if order.side == "SELL":
                if_yes += order.quantity * (ONE - order.price)
            else:
                if_no += order.quantity * order.price
        return cls(if_yes, if_no, strike)


def event_exposure(markets: Mapping[str, MarketRisk], exclusive: bool) -> Decimal:
    """Return the worst case over the outcomes of one event, at least 0.

    Markets with strikes depend on one number, so each interval between strikes is one outcome: a wider strike pays
    whenever a narrower one inside it does. exclusive: at most one of the others pays YES. Without either, markets are
    independent and their worst cases add up.
    """
    struck = [risk for risk in markets.values() if risk.strike is not None]
    others = [risk for risk in markets.values() if risk.strike is None]
    worst = _worst_by_value(struck)
    if exclusive and others:
        none = sum((risk.if_no for risk in others), ZERO)
        worst += max(none, *(none - risk.if_no + risk.if_yes for risk in others))
    else:
        worst += sum((max(risk.if_yes, risk.if_no) for risk in others), ZERO)
    return max(worst, ZERO)


def _worst_by_value(markets: Sequence[MarketRisk]) -> Decimal:
    if not markets:
        return ZERO
    return max(
        sum((m.if_yes if m.strike and m.strike.contains(value) else m.if_no for m in markets), ZERO)
        for value in _representatives(markets)
    )


def _representatives(markets: Sequence[MarketRisk]) -> list[Decimal]:
    """Return one value of each interval between strikes, and the strikes themselves."""
    ends = {end for m in markets if m.strike for end in (m.strike.low, m.strike.high) if end is not None}
    points = sorted(ends) or [ZERO]
    between = [(low + high) / 2 for low, high in zip(points, points[1:], strict=False)]
    return [points[0] - 1, *points, *between, points[-1] + 1]


def largest(quantity: Decimal, step: Decimal, fits: Callable[[Decimal], bool]) -> Decimal:
    """Return the largest multiple of step up to quantity for which fits is true; it must be true of smaller ones."""
    low, high = 0, int(quantity / step)
    if fits(high * step):
        return high * step
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle * step):
            low = middle
        else:
            high = middle - 1
    return low * step
