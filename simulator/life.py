"""The life of markets: open, close, determine, settle, and make the next event of a series."""

import copy
from random import Random
from typing import Final

from simulator.catalog import DAY, PLANS, Plan, make_event
from simulator.exchange import Exchange
from simulator.happening import MarketChanged, PositionChanged, Settlement
from simulator.market import Event, Market, Result, Series, State
from simulator.units import DOLLAR

KEEP: Final = 200
"""Settled markets that stay readable."""


class Life:
    """Everything that time does to markets, and what a person may do to them by hand."""

    def __init__(self, exchange: Exchange, rng: Random, speed: float = 1.0) -> None:
        self.exchange = exchange
        self.rng = rng
        self.speed = speed
        self.series: dict[str, Series] = {plan.series.ticker: plan.series for plan in PLANS}
        self.events: dict[str, Event] = {}
        self._plans: dict[str, Plan] = {}  # event ticker -> the plan it came from
        self._determined_at: dict[str, float] = {}  # market ticker -> when its result was set

    def begin(self, now: float) -> None:
        """Open the first event of each series, as if it had opened a while ago, and one for later."""
        for plan in PLANS:
            age = plan.series.period / self.speed * self.rng.uniform(0.05, 0.5)
            self._create(plan, now - age)
            if plan.series.period <= DAY:
                self._create(plan, now - age + plan.series.period / self.speed)
        self.advance(now)

    def advance(self, now: float) -> None:
        """Take each market through the stages whose time has come."""
        for market in list(self.exchange.markets.values()):
            if market.state == "initialized" and now >= market.opens:
                self._turn(market, "active", now)
            if market.state in ("active", "inactive") and now >= market.closes:
                self.close(market, now)
            if market.state == "closed" and now >= market.closes + market.timer:
                self.determine(market, *self._draw(market), now)
            if market.state == "determined" and now >= self._determined_at[market.ticker] + market.timer:
                self.finalize(market, now)

    def hasten(self, seconds: float, now: float) -> None:
        """Let the schedule pass some seconds at once."""
        for market in self.exchange.markets.values():
            if market.state != "finalized":
                market.opens -= seconds
                market.closes -= seconds
        self.advance(now)

    def halt(self, market: Market, now: float) -> None:
        """Pause one market."""
        self._turn(market, "inactive", now)

    def resume(self, market: Market, now: float) -> None:
        """Reactivate it, which cancels all its resting orders (Kalshi docs: market lifecycle)."""
        self.exchange.end_all(market, "HaltCancel")
        self._turn(market, "active", now)

    def close(self, market: Market, now: float) -> None:
        """End trading; resting orders go."""
        market.closes = min(market.closes, now)
        self._turn(market, "closed", now)
        self.exchange.end_all(market, "CloseCancel")
        plan = self._plans[market.event.ticker]
        if market.ticker.endswith(plan.outcomes[0].suffix) and plan.series.period <= 30 * DAY:
            ahead = plan.series.period / self.speed if plan.series.period <= DAY else 0.0
            self._create(plan, max(now, market.closes + ahead))

    def determine(self, market: Market, result: Result, value: int, now: float) -> None:
        """Set the result; it pays when the timer has run. value: what one YES pays."""
        market.result, market.value = result, value
        self._determined_at[market.ticker] = now
        self._turn(market, "determined", now)

    def finalize(self, market: Market, now: float) -> None:
        """Pay everybody who holds something."""
        assert market.value is not None  # determined before
        for name in sorted(market.holders):
            account = self.exchange.accounts[name]
            held = account.positions[market.ticker]
            count, cost = held.count, held.cost
            payout = account.settle(market.ticker, market.value, now)
            self.exchange.tell(PositionChanged(now, name, market.ticker, copy.copy(held), account.cash))
            if count:
                self.exchange.tell(
                    Settlement(
                        name,
                        market.ticker,
                        market.event.ticker,
                        market.result,
                        count,
                        cost,
                        payout,
                        market.value,
                        held.fees,
                        now,
                    )
                )
        market.settled_at = now
        del self._determined_at[market.ticker]
        market.open_interest = 0
        self._turn(market, "finalized", now)
        self._forget_oldest()

    def _draw(self, market: Market) -> tuple[Result, int]:
        """A result from the fair price; now and then a scalar one, or a void market paid at its last price."""
        luck = self.rng.random()
        if luck < 0.03:
            return "scalar", self.rng.randint(1, 99) * 100
        if luck < 0.05:
            return "scalar", market.snap(market.mark())
        return ("yes", DOLLAR) if self.rng.random() * DOLLAR < market.fair else ("no", 0)

    def _create(self, plan: Plan, opens: float) -> None:
        event, markets = make_event(plan, opens, self.speed, self.rng, self.exchange.new_book)
        while event.ticker in self.events:  # two of one day, or of one second: the later one waits a second
            event, markets = make_event(plan, opens, self.speed, self.rng, self.exchange.new_book, exact=True)
            opens += 1
        self.events[event.ticker] = event
        self._plans[event.ticker] = plan
        for market in markets:
            self.exchange.markets[market.ticker] = market
            self.exchange.tell(MarketChanged(opens, market.ticker))

    def _turn(self, market: Market, state: State, now: float) -> None:
        market.state = state
        market.updated = now
        self.exchange.tell(MarketChanged(now, market.ticker))

    def _forget_oldest(self) -> None:
        """Drop the oldest settled markets that no member ever traded in."""
        done = [m for m in self.exchange.markets.values() if m.state == "finalized"]
        for market in done[: max(0, len(done) - KEEP)]:
            if all(self.exchange.accounts[name].house for name in market.holders):
                del self.exchange.markets[market.ticker]
                for name in market.holders:
                    del self.exchange.accounts[name].positions[market.ticker]
                if not any(other.event is market.event for other in self.exchange.markets.values()):
                    del self.events[market.event.ticker], self._plans[market.event.ticker]
