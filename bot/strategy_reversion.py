"""Mean reversion: take what has strayed far from its recent average, give it back when it has returned.

A price that strays from the mean of its last looks by more than a band, with the spread paid, is bought or sold with
an order that takes at once or vanishes. The position is closed when the price is back at the mean. It never rests,
so it has nothing to cancel.
"""

from collections.abc import Sequence
from decimal import Decimal

from bot.view import ZERO, Cancel, Intent, Place, Side, View

_LOOKS = 20  # how far back the mean reaches
_LEAST_LOOKS = 3
_WIDTH = Decimal("1.5")  # mean deviations that count as strayed
_SMALLEST = Decimal(1)


def decide(view: View) -> Sequence[Intent]:
    """At most one order: close when returned, else open or add when strayed."""
    quote = view.quote
    if view.resting:  # left by another strategy or another life
        return [Cancel(order, "not mine to rest") for order in view.resting]
    looks = list(view.mids)[-_LOOKS:]
    if not quote.active or quote.bid is None or quote.ask is None or len(looks) < _LEAST_LOOKS:
        return []
    mean = sum(looks, ZERO) / len(looks)
    spread = sum((abs(look - mean) for look in looks), ZERO) / len(looks)
    band = max(_WIDTH * spread, quote.step(mean))
    if view.position > 0 and quote.bid >= mean:
        return _take(view, "SELL", quote.bid, min(view.position, view.size), "returned")
    if view.position < 0 and quote.ask <= mean:
        return _take(view, "BUY", quote.ask, min(-view.position, view.size), "returned")
    if quote.ask <= mean - band:
        return _take(view, "BUY", quote.ask, min(view.size, view.most - view.position), "strayed below")
    if quote.bid >= mean + band:
        return _take(view, "SELL", quote.bid, min(view.size, view.most + view.position), "strayed above")
    return []


def _take(view: View, side: Side, price: Decimal, quantity: Decimal, why: str) -> list[Intent]:
    at_best = view.quote.ask_size if side == "BUY" else view.quote.bid_size
    quantity = min(quantity, at_best)
    return [] if quantity < _SMALLEST else [Place(view.quote.ticker, side, price, quantity, rest=False, why=why)]
