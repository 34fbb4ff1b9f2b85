"""The lifecycle of markets: open, close, determine, settle, and create the next event of a series."""

import copy
from random import Random
from typing import Final

from simulator.catalog import DAY, TEMPLATES, EventTemplate, make_event
from simulator.events import MarketChange, MarketEvent, PositionEvent, SettlementEvent
from simulator.market import MarketResult, MarketStatus, SimulatedEvent, SimulatedMarket, SimulatedSeries
from simulator.matching_engine import MatchingEngine
from simulator.units import DOLLAR

SETTLED_KEPT: Final = 200
"""Settled markets that stay readable."""


class Lifecycle:
    """Change the status of markets by schedule or by an admin action."""

    def __init__(self, engine: MatchingEngine, rng: Random, speed: float = 1.0) -> None:
        self.engine = engine
        self.rng = rng
        self.speed = speed
        self.series: dict[str, SimulatedSeries] = {t.series.ticker: t.series for t in TEMPLATES}
        self.events: dict[str, SimulatedEvent] = {}
        self._templates: dict[str, EventTemplate] = {}  # event ticker -> its template
        self._next_due: float | None = None  # None: has to be computed anew

    @property
    def next_due(self) -> float:
        """Unix seconds of the next scheduled change."""
        if self._next_due is None:
            self._next_due = min(map(self._due, self.engine.markets.values()), default=float("inf"))
        return self._next_due

    def begin(self, now: float) -> None:
        """Create an event of each series that is open already, and for short series one that opens later."""
        for template in TEMPLATES:
            period = template.series.period / self.speed
            age = period * self.rng.uniform(0.05, 0.5)
            self._create(template, now - age)
            if template.series.period <= DAY:
                self._create(template, now - age + period)
        self.advance(now)

    def advance(self, now: float) -> None:
        """Take each market through the changes that are due."""
        if now < self.next_due:
            return
        for market in list(self.engine.markets.values()):
            if market.status == "initialized" and now >= market.opens:
                self._change(market, "active", now, "silent")
            if market.status in ("active", "inactive") and now >= market.closes:
                self._end_trading(market, now, "silent")
            if market.status == "closed" and now >= market.closes + market.timer:
                self.determine(market, *self._draw(market), now)
            if market.determined_at is not None and now >= market.determined_at + market.timer:
                self.finalize(market, now)

    def skip(self, seconds: float, now: float) -> None:
        """Let the schedule pass some seconds at once."""
        for market in self.engine.markets.values():
            if market.status != "finalized":
                market.opens -= seconds
                market.closes -= seconds
        self._next_due = None
        self.advance(now)

    def halt(self, market: SimulatedMarket, now: float) -> None:
        """Pause one market."""
        self._change(market, "inactive", now, "deactivated")

    def resume(self, market: SimulatedMarket, now: float) -> None:
        """Reactivate a market, which cancels all its resting orders (Kalshi docs: market lifecycle)."""
        self.engine.end_all(market, "HaltCancel")
        self._change(market, "active", now, "activated")

    def close(self, market: SimulatedMarket, now: float) -> None:
        """End trading before the scheduled time."""
        self._end_trading(market, now, "close_date_updated")

    def determine(self, market: SimulatedMarket, result: MarketResult, value: int, now: float) -> None:
        """Set the result; the market pays after its timer. value: price that one YES pays."""
        market.result, market.value, market.determined_at = result, value, now
        self._change(market, "determined", now, "determined")

    def finalize(self, market: SimulatedMarket, now: float, report_no_value: bool = False) -> None:
        """Pay all holders. report_no_value: the settlement rows of NO holders report the payout of one NO as value."""
        assert market.value is not None  # determined before
        for name in sorted(market.holders):
            account = self.engine.accounts[name]
            before = copy.copy(account.positions[market.ticker])
            owed = before.payout(market.value, market.settlement_floor)
            payout = account.settle(market, market.value, now)
            self.engine.collected += owed - payout
            if account.is_liquidity:
                continue
            value = DOLLAR - market.value if report_no_value and before.count < 0 else market.value
            after = copy.copy(account.positions[market.ticker])
            self.engine.emit(PositionEvent(now, name, market.ticker, after, dict(account.cash)))
            self.engine.emit(
                SettlementEvent(
                    name, market.ticker, market.event.ticker, market.result, before, payout, value, now, market.shard
                )
            )
        market.settled_at, market.determined_at = now, None
        market.open_interest = 0
        self._change(market, "finalized", now, "settled")
        self._forget_oldest()

    def set_floor(self, market: SimulatedMarket, settlement_floor: int, now: float) -> None:
        """Set the settlement floor (a price), credit or debit YES holders and cancel orders at or below it."""
        change, market.settlement_floor, market.updated = (
            settlement_floor - market.settlement_floor,
            settlement_floor,
            now,
        )
        self.engine.floors[market.ticker] = settlement_floor
        for name in sorted(market.holders):
            account = self.engine.accounts[name]
            position = account.positions[market.ticker]
            if position.count <= 0:
                continue
            account.cash[market.shard] += change * position.count
            position.realized += change * position.count
            if not account.is_liquidity:
                copied = copy.copy(position)
                self.engine.emit(PositionEvent(now, name, market.ticker, copied, dict(account.cash)))
        for order in [*market.book.bids.orders(), *market.book.asks.orders()]:
            if order.price <= settlement_floor:
                self.engine.end(order, "SettlementBoundsCancel")

    def _due(self, market: SimulatedMarket) -> float:
        match market.status:
            case "initialized":
                return market.opens
            case "active" | "inactive":
                return market.closes
            case "closed":
                return market.closes + market.timer
        return float("inf") if market.determined_at is None else market.determined_at + market.timer

    def _end_trading(self, market: SimulatedMarket, now: float, change: MarketChange) -> None:
        market.closes = min(market.closes, now)
        self._change(market, "closed", now, change)
        self.engine.end_all(market, "CloseCancel")
        template = self._templates[market.event.ticker]
        if market.ticker.endswith(template.outcomes[0].suffix) and template.series.period <= 30 * DAY:
            ahead = template.series.period / self.speed if template.series.period <= DAY else 0.0
            self._create(template, max(now, market.closes + ahead))

    def _draw(self, market: SimulatedMarket) -> tuple[MarketResult, int]:
        """Return a random result by the fair price; some results are scalar, some void at the last price."""
        chance = self.rng.random()
        if chance < 0.03 or market.bounds == "floor":
            return "scalar", max(self.rng.randint(1, 99) * 100, market.settlement_floor)
        if chance < 0.05:
            return "scalar", market.round_to_cent(market.mark())
        return ("yes", DOLLAR) if self.rng.random() * DOLLAR < market.fair else ("no", 0)

    def _create(self, template: EventTemplate, opens: float) -> None:
        event, markets = make_event(template, opens, self.speed, self.rng, self.engine.new_book)
        while event.ticker in self.events:  # tickers are unique: the later event is moved by a second
            event, markets = make_event(template, opens, self.speed, self.rng, self.engine.new_book, exact=True)
            opens += 1
        self._next_due = None
        self.events[event.ticker] = event
        self._templates[event.ticker] = template
        for market in markets:
            self.engine.markets[market.ticker] = market
            self.engine.emit(MarketEvent(opens, market.ticker, "created"))

    def _change(self, market: SimulatedMarket, status: MarketStatus, now: float, change: MarketChange) -> None:
        self._next_due = None
        market.status = status
        market.updated = now
        self.engine.emit(MarketEvent(now, market.ticker, change))

    def _forget_oldest(self) -> None:
        """Remove the oldest settled markets that no member ever traded in."""
        settled = [m for m in self.engine.markets.values() if m.status == "finalized"]
        for market in settled[: max(0, len(settled) - SETTLED_KEPT)]:
            if all(self.engine.accounts[name].is_liquidity for name in market.holders):
                del self.engine.markets[market.ticker]
                for name in market.holders:
                    del self.engine.accounts[name].positions[market.ticker]
                if not any(other.event is market.event for other in self.engine.markets.values()):
                    del self.events[market.event.ticker], self._templates[market.event.ticker]
