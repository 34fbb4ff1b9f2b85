"""Mean reversion: take what has strayed far from its recent average, give it back when it has returned.

A price that strays from the mean of its last looks is bought or sold with an order that takes at once or vanishes, but
only when the way back would pay for the trip: twice the taker's fee and the spread. One position at a time, closed
when the price is back at the mean (or the mean has come to the price). It never rests, so it has nothing to cancel.
"""

from collections.abc import Sequence
from decimal import Decimal

from bot.fees import TAKER
from bot.strategy_types import ONE, ZERO, CancelOrder, Intent, MarketView, PlaceOrder, Side

_LOOKS = 60  # how far back the mean reaches
_LEAST_LOOKS = 3
_WIDTH = Decimal("1.5")  # mean deviations that count as strayed
_SMALLEST = Decimal(1)


def decide(view: MarketView) -> Sequence[Intent]:
    """At most one order: close when returned, else open when strayed."""
    quote = view.quote
    if view.resting:  # left by another strategy or another life
        return [CancelOrder(order, "not mine to rest") for order in view.resting]
    looks = list(view.mids)[-_LOOKS:]
    if not quote.active or quote.bid is None or quote.ask is None or len(looks) < _LEAST_LOOKS:
        return []
    mean = sum(looks, ZERO) / len(looks)
    if view.position > 0:
        back = quote.bid >= mean
        return _take(view, "SELL", quote.bid, min(view.position, view.size), "returned") if back else []
    if view.position < 0:
        back = quote.ask <= mean
        return _take(view, "BUY", quote.ask, min(-view.position, view.size), "returned") if back else []
    astray = _WIDTH * sum((abs(look - mean) for look in looks), ZERO) / len(looks)
    trip = quote.ask - quote.bid + 2 * TAKER * mean * (ONE - mean)
    if quote.ask <= mean - max(astray, trip):
        return _take(view, "BUY", quote.ask, min(view.size, view.most), "strayed below")
    if quote.bid >= mean + max(astray, trip):
        return _take(view, "SELL", quote.bid, min(view.size, view.most), "strayed above")
    return []


def _take(view: MarketView, side: Side, price: Decimal, quantity: Decimal, why: str) -> list[Intent]:
    """What the best price holds, whole contracts unless less is left to close."""
    quantity = min(quantity, view.quote.ask_size if side == "BUY" else view.quote.bid_size)
    least = min(_SMALLEST, abs(view.position) or _SMALLEST)
    return [] if quantity < least else [PlaceOrder(view.quote.ticker, side, price, quantity, rest=False, why=why)]
