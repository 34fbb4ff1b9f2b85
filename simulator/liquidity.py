"""Simulated other traders: makers that quote around the fair price, and takers with or without information."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count as counter
from random import Random
from typing import Final

from simulator.events import ExchangeEvent, MarketEvent
from simulator.market import SimulatedMarket
from simulator.matching_engine import MatchingEngine
from simulator.orders import OrderRequest, OrderSide
from simulator.price_process import PriceDynamics, PriceProcess
from simulator.units import CONTRACT

QUOTE_LEVELS: Final = 4
SPREAD_CHANGE: Final = 0.2
"""Probability that a requote changes the spread."""
INFORMED_EDGE: Final = 200
"""Difference between the fair price and a quote, as a price, from which informed takers trade."""


@dataclass(frozen=True, slots=True)
class LiquidityProfile:
    """Mean seconds between two actions in one market: requotes, uninformed trades, informed looks (0: never)."""

    requote_every: float = 2.5
    take_every: float = 6.0
    informed_every: float = 0.0
    dynamics: PriceDynamics = field(default_factory=PriceDynamics)


PROFILES: Final[dict[str, LiquidityProfile]] = {
    "stock": LiquidityProfile(),
    "informed": LiquidityProfile(informed_every=3.0),
    "drifting": LiquidityProfile(informed_every=10.0, dynamics=PriceDynamics(drift=0.003)),
    "gapping": LiquidityProfile(informed_every=10.0, dynamics=PriceDynamics(gap_every=400, gap_size=0.5)),
    "toxic": LiquidityProfile(
        4.0, 12.0, 2.0, PriceDynamics(volatility=0.025, drift=0.003, gap_every=300, gap_size=0.5)
    ),
}
"""Value of --crowd -> profile. stock: no information; toxic: informed, drifting and gapping at once."""


@dataclass(slots=True)
class _Activity:
    """The schedule of one active market, with random times of its own, so that orders do not change the path.

    updated: Unix seconds up to which the fair price was moved.
    """

    market: SimulatedMarket
    process: PriceProcess
    times: Random
    updated: float

    def pause(self, mean: float) -> float:
        """Return random seconds with this mean."""
        return self.times.expovariate(1 / mean)


class Liquidity:
    """Trade in every active market at random times. Deterministic by seed and clock."""

    def __init__(self, engine: MatchingEngine, profile: LiquidityProfile, seed: int, pace: float = 1.0) -> None:
        self.engine = engine
        self.profile = profile
        self.pace = pace
        self.makers = engine.open_account("makers", is_liquidity=True)
        self.takers = engine.open_account("takers", is_liquidity=True)
        self._seed = seed
        self._rng = Random(f"{seed}:liquidity")
        self._activities: dict[str, _Activity] = {}
        self._spreads: dict[str, int] = {}  # ticker -> distance of the best quotes from the fair price
        self._numbers = counter()
        self._due: list[tuple[float, int, _Activity, Callable[[_Activity, float], float]]] = []
        engine.listeners.append(self._on_event)

    @property
    def next_due(self) -> float:
        """Unix seconds of the next action; infinite if no market is active."""
        return self._due[0][0] if self._due else float("inf")

    def act(self, now: float) -> None:
        """Carry out all actions that are due."""
        while self._due and self._due[0][0] <= now:
            due, _, activity, action = heappop(self._due)
            market = activity.market
            if self._activities.get(market.ticker) is not activity:
                continue
            if market.status != "active":
                del self._activities[market.ticker]
                self._spreads.pop(market.ticker, None)
                continue
            seconds, activity.updated = (now - activity.updated) * self.pace, now
            if seconds > 0:
                market.fair = activity.process.step(market.fair, seconds)
            self._schedule(now + action(activity, now) / self.pace, activity, action)

    def quote(self, market: SimulatedMarket) -> None:
        """Move the makers' quotes to the fair price; quotes that are in place stay, with their time priority."""
        ticker, middle = market.ticker, market.round_to_cent(market.fair)
        if ticker not in self._spreads or self._rng.random() < SPREAD_CHANGE:
            self._spreads[ticker] = 100 * self._rng.choice((1, 1, 2))
        wanted: dict[tuple[OrderSide, int], None] = {}
        for step in range(self._spreads[ticker], self._spreads[ticker] + 100 * QUOTE_LEVELS, 100):
            wanted["bid", middle - step] = wanted["ask", middle + step] = None
        for order in list(self.makers.resting.get(ticker, {}).values()):
            if (order.side, order.price) in wanted:
                del wanted[order.side, order.price]
            else:
                self.engine.end(order)
        for side, price in wanted:
            self._rest(market, side, price, self._rng.randint(5, 150) * CONTRACT)

    def withdraw(self, market: SimulatedMarket) -> None:
        """Cancel the makers' quotes."""
        for order in list(self.makers.resting.get(market.ticker, {}).values()):
            self.engine.end(order)

    def post(self, market: SimulatedMarket, bid: int, ask: int, size: int) -> None:
        """Rest one bid and one ask where the prices are valid."""
        sides: tuple[tuple[OrderSide, int], ...] = (("bid", bid), ("ask", ask))
        for side, price in sides:
            self._rest(market, side, price, size)

    def take(self, market: SimulatedMarket) -> None:
        """Send one immediate order against the best level of a random side."""
        side: OrderSide = "bid" if self._rng.random() < 0.5 else "ask"
        best = market.book.opposite(side).best
        if best is not None:
            self._send(market, side, best, self._rng.choice((1, 2, 5, 10, 25, 60)) * CONTRACT)

    def take_informed(self, market: SimulatedMarket) -> None:
        """Take every quote that differs from the fair price by INFORMED_EDGE or more."""
        ask, bid = market.book.asks.best, market.book.bids.best
        low = market.round_to_cent(market.fair - INFORMED_EDGE)
        high = market.round_to_cent(market.fair + INFORMED_EDGE)
        if ask is not None and ask <= market.fair - INFORMED_EDGE:
            self._send(market, "bid", max(low, ask), self._rng.randint(50, 400) * CONTRACT)
        elif bid is not None and bid >= market.fair + INFORMED_EDGE:
            self._send(market, "ask", min(high, bid), self._rng.randint(50, 400) * CONTRACT)

    def _rest(self, market: SimulatedMarket, side: OrderSide, price: int, size: int) -> None:
        if market.is_valid(price):
            self.engine.place(self.makers, OrderRequest(market.ticker, side, price, size, self_trade="maker"))

    def _send(self, market: SimulatedMarket, side: OrderSide, price: int, count: int) -> None:
        self.engine.place(self.takers, OrderRequest(market.ticker, side, price, count, "immediate_or_cancel"))

    def _on_event(self, event: ExchangeEvent) -> None:
        if not isinstance(event, MarketEvent) or event.change not in ("silent", "activated"):
            return
        market = self.engine.markets[event.ticker]
        if market.status == "active" and event.ticker not in self._activities:
            self._start(market, event.at)

    def _start(self, market: SimulatedMarket, now: float) -> None:
        name = f"{self._seed}:{market.ticker}"
        process = PriceProcess(self.profile.dynamics, Random(name))
        activity = self._activities[market.ticker] = _Activity(market, process, Random(f"{name}:times"), now)
        self._schedule(now, activity, self._requote)
        self._schedule(now + activity.pause(self.profile.take_every) / self.pace, activity, self._trade)
        if self.profile.informed_every:
            pause = activity.pause(self.profile.informed_every)
            self._schedule(now + pause / self.pace, activity, self._trade_informed)
        if self.profile.dynamics.gap_every:
            self._schedule(now + process.next_jump() / self.pace, activity, self._jump)

    def _schedule(self, at: float, activity: _Activity, action: Callable[[_Activity, float], float]) -> None:
        heappush(self._due, (at, next(self._numbers), activity, action))

    # Actions: each returns the seconds until its next run at pace 1.

    def _requote(self, activity: _Activity, now: float) -> float:
        self.quote(activity.market)
        return activity.pause(self.profile.requote_every)

    def _trade(self, activity: _Activity, now: float) -> float:
        self.take(activity.market)
        return activity.pause(self.profile.take_every)

    def _trade_informed(self, activity: _Activity, now: float) -> float:
        self.take_informed(activity.market)
        return activity.pause(self.profile.informed_every)

    def _jump(self, activity: _Activity, now: float) -> float:
        """Move the fair price at once; informed takers trade before any maker requotes."""
        activity.market.fair = activity.process.jump(activity.market.fair)
        self.take_informed(activity.market)
        return activity.process.next_jump()
