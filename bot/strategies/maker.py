"""Market maker: a bid and an ask around the mid, leaning against what it holds.

It earns the spread when both sides are hit. What it fears is a position, so its fair price moves away from the mid
as the position grows: full long, it asks at the mid and bids a whole spread below it; full short, the other way round.
At most one order rests on each side; one that is still good is left alone, because its place in the queue is worth
more than a better price.
"""

from collections.abc import Sequence
from decimal import Decimal

from bot.strategy_types import ZERO, CancelOrder, Intent, MarketView, PlaceOrder, RestingOrder, Side

_LEAST_HALF = Decimal("0.01")  # never quote closer to the fair price than this
_SMALLEST = Decimal(1)


def decide(view: MarketView) -> Sequence[Intent]:
    """Keep one bid and one ask where they should be; withdraw both when there is no market to lean on."""
    quote = view.quote
    mid = quote.mid
    if mid is None or quote.bid is None or quote.ask is None or not quote.active:
        return [CancelOrder(order, "no market") for order in view.resting]
    half = max((quote.ask - quote.bid) / 2, _LEAST_HALF)
    lean = max(min(view.position / view.most, Decimal(1)), Decimal(-1)) if view.most else ZERO
    fair = mid - lean * half
    # a post-only order must not touch the other side, whatever the lean says
    bid = quote.down(min(fair - half, quote.ask - quote.step(quote.ask)))
    ask = quote.up(max(fair + half, quote.bid + quote.step(quote.bid)))
    return [*_side(view, "BUY", bid), *_side(view, "SELL", ask)]


def _side(view: MarketView, side: Side, price: Decimal | None) -> list[Intent]:
    mine = [order for order in view.resting if order.side == side]
    quantity = _quantity(view, side)
    if price is None or quantity < _SMALLEST:
        return [CancelOrder(order, "full") for order in mine]
    good = [order for order in mine if _still_good(view, order, price)]
    stale: list[Intent] = [CancelOrder(order, "moved") for order in mine if order not in good[:1]]
    # the replacement waits for the next look: by then the cancel has been confirmed and the view knows its fills
    return stale if mine else [PlaceOrder(view.quote.ticker, side, price, quantity, rest=True, why="quote")]


def _quantity(view: MarketView, side: Side) -> Decimal:
    """Between half and all of the order size, so that the book does not tell who quotes, and never past the most."""
    held = view.position if side == "BUY" else -view.position
    wanted = (view.size * (Decimal(1) + Decimal(str(round(view.draw, 3)))) / 2).to_integral_value()
    return min(max(wanted, _SMALLEST), view.most - held)


def _still_good(view: MarketView, order: RestingOrder, price: Decimal) -> bool:
    return abs(order.price - price) <= view.quote.step(price) and order.quantity <= _room(view, order.side)


def _room(view: MarketView, side: Side) -> Decimal:
    return view.most - (view.position if side == "BUY" else -view.position)
