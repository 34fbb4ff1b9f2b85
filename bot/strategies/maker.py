"""Market maker: a bid and an ask around the mid, moved against the position that it has.

It earns the spread when both sides fill. Its fair price moves away from the mid as the position grows: with a full
long position it asks at the mid and bids a whole spread below it; with a full short position the other way round. At
most one order rests on each side; one that is still good stays, because its place in the queue is worth more than a
better price.

It loses against better informed traders: an order fills just before the price moves on. The spread does not pay for
that (docs/bot.md has the figures); it needs calm, liquid markets and small sizes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.strategy_types import ZERO, CancelOrder, Intent, MarketView, PlaceOrder, RestingOrder, Side

_SMALLEST = Decimal(1)


@dataclass(frozen=True, slots=True)
class MakerParameters:
    """least_half: dollars; quotes are never closer to the fair price."""

    least_half: Decimal = Decimal("0.01")


def decide(view: MarketView, parameters: MakerParameters = MakerParameters()) -> Sequence[Intent]:
    """Keep one bid and one ask where they should be; cancel both where a side of the market is missing."""
    quote = view.quote
    mid = quote.mid
    if mid is None or quote.bid is None or quote.ask is None or not quote.active:
        return [CancelOrder(order, "no market") for order in view.resting]
    half = max((quote.ask - quote.bid) / 2, parameters.least_half)
    lean = max(min(view.position / view.most, Decimal(1)), Decimal(-1)) if view.most else ZERO
    fair = mid - lean * half
    # a post-only order must not touch the other side, wherever the fair price is
    bid = quote.down(min(fair - half, quote.ask - quote.step(quote.ask)))
    ask = quote.up(max(fair + half, quote.bid + quote.step(quote.bid)))
    return [*_side(view, "BUY", bid), *_side(view, "SELL", ask)]


def _side(view: MarketView, side: Side, price: Decimal | None) -> list[Intent]:
    mine = [order for order in view.resting if order.side == side]
    if price is None or _room(view, side) < _SMALLEST:
        return [CancelOrder(order, "full") for order in mine]
    good = [order for order in mine if _still_good(view, order, price)]
    stale: list[Intent] = [CancelOrder(order, "moved") for order in mine if order not in good[:1]]
    # the replacement waits for the next turn: by then the cancel is confirmed and its fills are known
    if mine:
        return stale
    return [PlaceOrder(view.quote.ticker, side, price, _quantity(view, side), rest=True, why="quote")]


def _quantity(view: MarketView, side: Side) -> Decimal:
    """Return half to all of the order size, at random, so that the size does not show who quotes."""
    wanted = (view.size * (Decimal(1) + Decimal(str(round(view.draw, 3)))) / 2).to_integral_value()
    return min(max(wanted, _SMALLEST), _room(view, side))


def _still_good(view: MarketView, order: RestingOrder, price: Decimal) -> bool:
    return abs(order.price - price) <= view.quote.step(price) and order.quantity <= _room(view, order.side)


def _room(view: MarketView, side: Side) -> Decimal:
    return view.most - (view.position if side == "BUY" else -view.position)
