"""Risk limits: the last decision on every order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bot.exposure import MarketRisk, Strike, event_exposure, largest, market_exposure
from bot.halts import Halts
from bot.positions import Positions
from bot.strategy_types import CENT, ZERO, PlaceOrder, Quote, RestingOrder, opposite, signed


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """order_size in contracts, exposures in dollars, stale_after and stop_before in seconds."""

    order_size: Decimal
    market_exposure: Decimal
    event_exposure: Decimal
    total_exposure: Decimal
    stale_after: float
    stop_before: float = 0.0


@dataclass(frozen=True, slots=True)
class EventTerms:
    """Relations between the markets of one event: strikes by ticker, and if at most one market pays YES."""

    exclusive: bool = False
    strikes: Mapping[str, Strike] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RiskRefusal:
    """An order that may not be sent. reason: a short word, detail: a sentence."""

    reason: str
    detail: str


class Risk:
    """Check orders one by one. Synchronous, so that no other order is counted between a check and its result.

    elsewhere: dollars at risk in each market in positions that this bot did not make.
    """

    def __init__(self, limits: RiskLimits, positions: Positions, halts: Halts) -> None:
        self.limits = limits
        # all mutable state: positions and halts of the trading state, terms by event, event by ticker, what positions
        # made elsewhere can lose by ticker, and the last exposure by ticker with what it was computed from
        self.positions = positions
        self.halts = halts
        self.terms: dict[str, EventTerms] = {}
        self.events: dict[str, str] = {}
        self.elsewhere: dict[str, Decimal] = {}
        self._known: dict[str, tuple[Decimal, Decimal, list[RestingOrder], Decimal]] = {}

    def __repr__(self) -> str:
        return f"Risk({self.limits!r})"

    def review(
        self, order: PlaceOrder, quote: Quote, resting: Sequence[RestingOrder], now: float, monotonic: float
    ) -> PlaceOrder | RiskRefusal:
        """Return the order that may be sent, perhaps smaller, or the reason why none may.

        resting: every order of ours that rests or may rest, in all markets. now: Unix seconds.
        """
        if refusal := self._refusal(order, quote, resting, now, monotonic):
            return refusal
        most = min(order.quantity, self.limits.order_size)
        if self.halts.paused or self.halts.losing:
            most = min(most, self._closing(order, resting))
            if most <= 0:
                why = "paused" if self.halts.paused else "loss limit"
                return RiskRefusal(why, f"{why}: only orders that close a position are sent")
        refused: list[str] = []
        quantity = largest(most, CENT, self._limit_check(order, resting, refused))
        quantity = quantity.to_integral_value("ROUND_FLOOR") if quantity >= 1 else quantity
        if quantity <= 0:
            limit = refused[-1] if refused else "size"
            return RiskRefusal(limit, f"{limit}: the order would pass the limit")
        return PlaceOrder(order.ticker, order.side, order.price, quantity, order.rest, order.why)

    def exposure(self, resting: Iterable[RestingOrder]) -> dict[str, Decimal]:
        """Return the most that our positions and orders can lose, by ticker, in dollars."""
        orders = orders_by_ticker(resting)
        return {
            ticker: exposure
            for ticker in self.positions.by_ticker.keys() | orders.keys()
            if (exposure := self._of(ticker, orders.get(ticker, [])))
        }

    def event_exposures(self, resting: Iterable[RestingOrder]) -> dict[str, Decimal]:
        """Return the most that each event can lose over its outcomes, in dollars, positions made elsewhere included."""
        orders = orders_by_ticker(resting)
        grouped: dict[str, dict[str, MarketRisk]] = {}
        for ticker in self.positions.by_ticker.keys() | orders.keys() | self.elsewhere.keys():
            event = self.events.get(ticker, ticker)
            grouped.setdefault(event, {})[ticker] = self._risk_of(ticker, event, orders.get(ticker, []))
        return {
            event: event_exposure(markets, self.terms.get(event, EventTerms()).exclusive)
            + sum((self.elsewhere.get(ticker, ZERO) for ticker in markets), ZERO)
            for event, markets in grouped.items()
        }

    def _refusal(
        self, order: PlaceOrder, quote: Quote, resting: Sequence[RestingOrder], now: float, monotonic: float
    ) -> RiskRefusal | None:
        if self.halts.halted:
            return RiskRefusal("halted", f"halted: {', '.join(sorted(self.halts.halts))}")
        if not quote.active:
            return RiskRefusal("market closed", "the market does not take orders")
        if monotonic - quote.read_at > self.limits.stale_after:
            return RiskRefusal("stale prices", f"prices are older than {self.limits.stale_after} s")
        if order.rest and self.closes_soon(quote, now):
            return RiskRefusal("closing soon", f"the market closes within {self.limits.stop_before} s")
        if quote.down(order.price) != order.price:
            return RiskRefusal("price grid", f"{order.price} is not a valid price of the market")
        if any(_crosses(order, other) for other in resting):
            return RiskRefusal("own order", "it would trade with our own order")
        return None

    def closes_soon(self, quote: Quote, now: float) -> bool:
        """Return True if nothing may rest in this market any more."""
        return quote.close_time is not None and quote.close_time - now <= self.limits.stop_before

    def _of(self, ticker: str, orders: list[RestingOrder]) -> Decimal:
        """Return the exposure of one market; it is computed again once its position or orders have changed."""
        (quantity, cost), known = self.positions.holding(ticker), self._known.get(ticker)
        if known is None or known[0] != quantity or known[1] != cost or known[2] != orders:
            known = self._known[ticker] = quantity, cost, orders, market_exposure(quantity, cost, orders)
        return known[3]

    def _risk_of(self, ticker: str, event: str, orders: list[RestingOrder]) -> MarketRisk:
        strike = self.terms.get(event, EventTerms()).strikes.get(ticker)
        return MarketRisk.of(*self.positions.holding(ticker), orders, strike)

    def _limit_check(
        self, order: PlaceOrder, resting: Sequence[RestingOrder], refused: list[str]
    ) -> Callable[[Decimal], bool]:
        """Return a function: True if an order of a size keeps every limit. Exceeded limits are added to `refused`."""
        orders = orders_by_ticker(resting)
        mine, ticker = orders.pop(order.ticker, []), order.ticker
        before, others = self._of(ticker, mine), self._outside(ticker, orders)
        event = self.events.get(ticker, ticker)
        in_event = self._event_check(ticker, event, mine, orders)
        event_before = in_event([])

        def fits(size: Decimal) -> bool:
            extra = RestingOrder("", "", ticker, order.side, order.price, size)
            here = market_exposure(*self.positions.holding(ticker), [*mine, extra])
            if here <= before:  # closing is allowed even above a limit that was lowered
                return True
            event_after = in_event([extra])
            if here > self.limits.market_exposure:
                refused.append("market exposure")
            elif event_after > self.limits.event_exposure and event_after > event_before:
                refused.append("event exposure")
            elif here + others > self.limits.total_exposure:
                refused.append("total exposure")
            else:
                return True
            return False

        return fits

    def _outside(self, ticker: str, orders: Mapping[str, list[RestingOrder]]) -> Decimal:
        """Return the exposure of all other markets and of positions made elsewhere."""
        markets = (self.positions.by_ticker.keys() | orders.keys()) - {ticker}
        ours = sum((self._of(market, orders.get(market, [])) for market in markets), ZERO)
        return ours + sum(self.elsewhere.values(), ZERO)

    def _event_check(
        self, ticker: str, event: str, mine: list[RestingOrder], orders: Mapping[str, list[RestingOrder]]
    ) -> Callable[[list[RestingOrder]], Decimal]:
        """Return a function from additional orders in this market to the exposure of its event."""
        tickers = self.positions.by_ticker.keys() | orders.keys() | self.elsewhere.keys() | {ticker}
        together = {name for name in tickers if self.events.get(name, name) == event}
        rest = {name: self._risk_of(name, event, orders.get(name, [])) for name in together if name != ticker}
        elsewhere = sum((self.elsewhere.get(name, ZERO) for name in together), ZERO)
        exclusive = self.terms.get(event, EventTerms()).exclusive
        return lambda extra: (
            event_exposure(rest | {ticker: self._risk_of(ticker, event, [*mine, *extra])}, exclusive) + elsewhere
        )

    def _closing(self, order: PlaceOrder, resting: Sequence[RestingOrder]) -> Decimal:
        """Return the contracts that would only close: held the other way and not already being closed."""
        against = -signed(order.side, Decimal(1)) * self.positions.position(order.ticker)
        closing = sum(o.quantity for o in resting if o.ticker == order.ticker and o.side == order.side)
        return max(against - closing, ZERO)


def _crosses(order: PlaceOrder, other: RestingOrder) -> bool:
    if other.ticker != order.ticker or other.side != opposite(order.side):
        return False
    return other.price <= order.price if order.side == "BUY" else other.price >= order.price


def orders_by_ticker(orders: Iterable[RestingOrder]) -> dict[str, list[RestingOrder]]:
    """Return the orders of each market."""
    found: dict[str, list[RestingOrder]] = {}
    for order in orders:
        found.setdefault(order.ticker, []).append(order)
    return found
