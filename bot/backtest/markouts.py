"""Markouts: the gain of a fill per contract if it were closed at the mid some seconds later; before fees."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from simulator.events import ExchangeEvent, FillEvent
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import MEMBER
from simulator.units import CONTRACT, DOLLAR

HORIZONS = (10, 60, 300)  # seconds after the fill


@dataclass(slots=True)
class MarkoutSum:
    """Contracts measured, and their gain in dollars."""

    contracts: Decimal = Decimal(0)
    gain: Decimal = Decimal(0)

    @property
    def cents(self) -> Decimal | None:
        """Cents per contract; None without a fill."""
        return self.gain / self.contracts * 100 if self.contracts else None


@dataclass(slots=True)
class MarkoutRecorder:
    """Follows the account's fills on an exchange in this process."""

    exchange: InProcessExchange
    sums: dict[int, MarkoutSum] = field(default_factory=lambda: {horizon: MarkoutSum() for horizon in HORIZONS})
    fills: int = 0
    contracts: Decimal = Decimal(0)
    maker_contracts: Decimal = Decimal(0)
    _due: list[tuple[float, int, int, FillEvent]] = field(default_factory=list)  # a heap: time, number, horizon, fill

    def on_event(self, event: ExchangeEvent) -> None:
        """Process an event of the exchange."""
        if not isinstance(event, FillEvent) or event.account != MEMBER:
            return
        quantity = Decimal(event.count) / CONTRACT
        self.fills += 1
        self.contracts += quantity
        self.maker_contracts += Decimal(0) if event.is_taker else quantity
        for horizon in HORIZONS:
            heapq.heappush(self._due, (event.at + horizon, self.fills, horizon, event))

    def advance(self, seconds: float) -> None:
        """Let time pass on the exchange, measuring each fill at its moments."""
        end = self.exchange.clock.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, horizon, fill = heapq.heappop(self._due)
            self.exchange.advance(max(0.0, at - self.exchange.clock.now))
            self._measure(horizon, fill)
        self.exchange.advance(max(0.0, end - self.exchange.clock.now))

    def cents(self) -> Sequence[Decimal | None]:
        """Return cents per contract after each horizon."""
        return [self.sums[horizon].cents for horizon in HORIZONS]

    def _measure(self, horizon: int, fill: FillEvent) -> None:
        mid = self._mid(fill.ticker)
        if mid is None:
            return
        quantity, price = Decimal(fill.count) / CONTRACT, Decimal(fill.price) / DOLLAR
        total = self.sums[horizon]
        total.contracts += quantity
        total.gain += quantity * (mid - price if fill.side == "bid" else price - mid)

    def _mid(self, ticker: str) -> Decimal | None:
        """Return the payout, the mid, or the last trade in dollars."""
        market = self.exchange.exchange.engine.markets[ticker]
        if market.value is not None:
            return Decimal(market.value) / DOLLAR
        bid, ask = market.book.bids.best, market.book.asks.best
        if bid is not None and ask is not None:
            return Decimal(bid + ask) / 2 / DOLLAR
        return Decimal(market.last) / DOLLAR if market.last else None
