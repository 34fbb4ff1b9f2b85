"""Mean reversion: buy far below the recent average, sell far above it, close when the price is back.

Orders take at once or vanish, and only when the way back would pay for two taker fees and the spread. One position at a
time, closed when the price is back at the mean or the mean has come to the price. Nothing rests.

It loses where prices move for a reason: in a market that trends or jumps on news it buys all the way down, each time
paying fees and spread (docs/bot.md has the figures). It needs markets whose swings are noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.strategy_types import ONE, ZERO, CancelOrder, Intent, MarketView, PlaceOrder, Side

_SMALLEST = Decimal(1)


@dataclass(frozen=True, slots=True)
class ReversionParameters:
    """looks: mids that the mean uses. least_looks: mids needed at least. width: mean deviations that count as far."""

    looks: int = 60
    least_looks: int = 3
    width: Decimal = Decimal("1.5")


def decide(view: MarketView, parameters: ReversionParameters = ReversionParameters()) -> Sequence[Intent]:
    """Return at most one order: close when the price has returned, else open when it has strayed."""
    quote = view.quote
    if view.resting:  # sent by another strategy or an earlier run
        return [CancelOrder(order, "not of this strategy") for order in view.resting]
    mids = list(view.mids)[-parameters.looks :]
    if not quote.active or quote.bid is None or quote.ask is None or len(mids) < parameters.least_looks:
        return []
    mean = sum(mids, ZERO) / len(mids)
    if view.position > 0:
        back = quote.bid >= mean
        return _take(view, "SELL", quote.bid, min(view.position, view.size), "returned") if back else []
    if view.position < 0:
        back = quote.ask <= mean
        return _take(view, "BUY", quote.ask, min(-view.position, view.size), "returned") if back else []
    far = parameters.width * sum((abs(mid - mean) for mid in mids), ZERO) / len(mids)
    costs = quote.ask - quote.bid + 2 * view.fees.taker * mean * (ONE - mean)
    if quote.ask <= mean - max(far, costs):
        return _take(view, "BUY", quote.ask, min(view.size, view.most), "strayed below")
    if quote.bid >= mean + max(far, costs):
        return _take(view, "SELL", quote.bid, min(view.size, view.most), "strayed above")
    return []


def _take(view: MarketView, side: Side, price: Decimal, quantity: Decimal, why: str) -> list[Intent]:
    """Take what the best price offers, in whole contracts unless less is left to close."""
    quantity = min(quantity, view.quote.ask_size if side == "BUY" else view.quote.bid_size)
    least = min(_SMALLEST, abs(view.position) or _SMALLEST)
    return [] if quantity < least else [PlaceOrder(view.quote.ticker, side, price, quantity, rest=False, why=why)]
