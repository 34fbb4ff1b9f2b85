"""Risk: the last word on every order, and the halts that stay until a person clears them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from bot.exposure import largest, market_exposure
from bot.positions import OpenPosition, Positions
from bot.strategy_types import CENT, PlaceOrder, Quote, RestingOrder, opposite, signed

HaltName = Literal["person", "daily_loss", "drawdown", "reconcile", "fault"]


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """What may not be passed. Sizes in contracts, the rest in dollars, stale_after in seconds."""

    order_size: Decimal
    market_exposure: Decimal
    total_exposure: Decimal
    daily_loss: Decimal
    drawdown: Decimal
    stale_after: float


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing is traded any more, and since when (Unix seconds)."""

    name: HaltName
    why: str
    since: float


class Risk:
    """Judges orders one by one. Synchronous: a judgement and the order book it judged by cannot drift apart."""

    def __init__(self, limits: RiskLimits, positions: Positions) -> None:
        self.limits = limits
        self.positions = positions
        # all mutable state: what stopped us, and the profits that losses are measured from
        self.paused = False
        self.halts: dict[str, Halt] = {}
        self._day = ""
        self._day_profit = Decimal(0)
        self._best_profit: Decimal | None = None

    def __repr__(self) -> str:
        return f"Risk(paused={self.paused}, halts={sorted(self.halts)})"

    @property
    def halted(self) -> bool:
        """True while any halt stands."""
        return bool(self.halts)

    def halt(self, name: HaltName, why: str, now: float) -> bool:
        """Stop trading until cleared. The first reason of a name stands; False when it stood already."""
        return self.halts.setdefault(name, halt := Halt(name, why, now)) is halt

    def clear(self, profit: Decimal) -> list[str]:
        """A person says go on: forget every halt and measure losses from here. Returns the names forgotten."""
        names = sorted(self.halts)
        self.halts.clear()
        self._day_profit = self._best_profit = profit
        return names

    def observe(self, profit: Decimal, now: float) -> list[Halt]:
        """Take note of the total profit; the halts that it caused. A day is a day in UTC."""
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        if day != self._day:
            self._day, self._day_profit = day, profit
        best = self._best_profit = profit if self._best_profit is None else max(self._best_profit, profit)
        new: list[Halt] = []
        for name, lost, limit in (
            ("daily_loss", self._day_profit - profit, self.limits.daily_loss),
            ("drawdown", best - profit, self.limits.drawdown),
        ):
            if lost >= limit and self.halt(name, f"lost {lost:.2f} dollars, the limit is {limit}", now):  # type: ignore[arg-type]
                new.append(self.halts[name])
        return new

    def review(self, wish: PlaceOrder, quote: Quote, resting: Sequence[RestingOrder], now: float) -> PlaceOrder | str:
        """The order that may be sent, perhaps smaller, or why none may.

        resting: every order of ours that rests or may rest, in all markets.
        """
        if self.halted:
            return f"halted: {', '.join(sorted(self.halts))}"
        if not quote.active or now - quote.as_of > self.limits.stale_after:
            return "the market is closed" if not quote.active else "its prices are stale"
        if quote.down(wish.price) != wish.price:
            return f"{wish.price} is off the price grid"
        if any(self._meets(wish, order) for order in resting):
            return "it would trade with our own order"
        most = min(wish.quantity, self.limits.order_size)
        if self.paused:
            most = min(most, self._closing(wish, resting))
        quantity = largest(most, CENT, lambda size: self._fits(wish, size, resting))
        quantity = quantity.to_integral_value("ROUND_FLOOR") if quantity >= 1 else quantity
        if quantity <= 0:
            return "paused: it would open" if self.paused else "it would pass an exposure limit"
        return PlaceOrder(wish.ticker, wish.side, wish.price, quantity, wish.rest, wish.why)

    def exposure(self, resting: Iterable[RestingOrder]) -> dict[str, Decimal]:
        """The most that can be lost, by ticker."""
        orders: dict[str, list[RestingOrder]] = {}
        for order in resting:
            orders.setdefault(order.ticker, []).append(order)
        return {
            ticker: exposure
            for ticker in self.positions.by_ticker.keys() | orders.keys()
            if (exposure := self._of(ticker, orders.get(ticker, [])))
        }

    def _of(self, ticker: str, orders: list[RestingOrder]) -> Decimal:
        held = self.positions.by_ticker.get(ticker) or OpenPosition()
        return market_exposure(held.quantity, held.cost, orders)

    def _fits(self, wish: PlaceOrder, size: Decimal, resting: Sequence[RestingOrder]) -> bool:
        before = self.exposure(resting)
        after = self.exposure([*resting, RestingOrder("", "", wish.ticker, wish.side, wish.price, size)])
        here, there = after.get(wish.ticker, Decimal(0)), before.get(wish.ticker, Decimal(0))
        if here <= there:  # what closes is welcome, even above a limit that was lowered meanwhile
            return True
        return here <= self.limits.market_exposure and sum(after.values()) <= self.limits.total_exposure

    def _closing(self, wish: PlaceOrder, resting: Sequence[RestingOrder]) -> Decimal:
        """How many contracts would only close: held the other way and not already being closed."""
        held = self.positions.position(wish.ticker)
        against = -signed(wish.side, Decimal(1)) * held
        spoken_for = sum(o.quantity for o in resting if o.ticker == wish.ticker and o.side == wish.side)
        return max(against - spoken_for, Decimal(0))

    @staticmethod
    def _meets(wish: PlaceOrder, order: RestingOrder) -> bool:
        if order.ticker != wish.ticker or order.side != opposite(wish.side):
            return False
        return order.price <= wish.price if wish.side == "BUY" else order.price >= wish.price

    def dump(self) -> dict[str, Any]:
        """What a restart must not forget, JSON-ready."""
        return {
            "paused": self.paused,
            "halts": [asdict(halt) for halt in self.halts.values()],
            "day": self._day,
            "day_profit": str(self._day_profit),
            "best_profit": None if self._best_profit is None else str(self._best_profit),
        }

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take up what dump gave. Raises KeyError, TypeError, ValueError or ArithmeticError when it is not that."""
        self.paused = bool(kept["paused"])
        halts = (Halt(halt["name"], str(halt["why"]), float(halt["since"])) for halt in kept["halts"])
        self.halts = {halt.name: halt for halt in halts}
        self._day = str(kept["day"])
        self._day_profit = Decimal(kept["day_profit"])
        self._best_profit = None if kept["best_profit"] is None else Decimal(kept["best_profit"])
