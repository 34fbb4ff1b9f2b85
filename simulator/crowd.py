"""Everybody else: makers who quote two sides around the fair price, takers who trade against the book."""

from random import Random
from typing import Final

from simulator.exchange import Exchange
from simulator.market import Market
from simulator.order import NewOrder, Side
from simulator.units import CONTRACT
from simulator.walk import step

MAKERS: Final = "crowd-makers"
TAKERS: Final = "crowd-takers"
REQUOTE: Final = 2.5
"""Mean seconds between two requotes of a market."""
TAKE: Final = 6.0
"""Mean seconds between two trades of a market."""
LEVELS: Final = 4


class Crowd:
    """Acts when asked; the next time of each market is its own."""

    def __init__(self, exchange: Exchange, rng: Random, pace: float = 1.0) -> None:
        self.exchange = exchange
        self.rng = rng
        self.pace = pace
        self.makers = exchange.open_account(MAKERS, 0, house=True)
        self.takers = exchange.open_account(TAKERS, 0, house=True)
        self._quote_at: dict[str, tuple[float, float]] = {}  # ticker -> (last, next) requote
        self._take_at: dict[str, float] = {}  # ticker -> next trade

    def act(self, now: float) -> None:
        """All requotes and trades that are due."""
        for market in self.exchange.markets.values():
            if market.state != "active":
                self._quote_at.pop(market.ticker, None)
                self._take_at.pop(market.ticker, None)
                continue
            last, due = self._quote_at.get(market.ticker, (now, now))
            if now >= due:
                market.fair = step(market.fair, (now - last) * self.pace, self.rng)
                self.quote(market)
                self._quote_at[market.ticker] = (now, now + self.rng.expovariate(self.pace / REQUOTE))
            if now >= self._take_at.setdefault(market.ticker, now + self.rng.expovariate(self.pace / TAKE)):
                self.take(market)
                self._take_at[market.ticker] = now + self.rng.expovariate(self.pace / TAKE)

    def quote(self, market: Market) -> None:
        """Replace the crowd's quotes by fresh ones around the fair price."""
        self.withdraw(market)
        middle = market.snap(market.fair)
        spread = 100 * self.rng.choice((1, 1, 2))
        for level in range(LEVELS):
            size = self.rng.randint(5, 150) * CONTRACT
            self.post(market, middle - spread - 100 * level, middle + spread + 100 * level, size)

    def withdraw(self, market: Market) -> None:
        """Cancel the crowd's quotes."""
        for order in list(self.makers.resting.get(market.ticker, {}).values()):
            self.exchange.end(order)

    def post(self, market: Market, bid: int, ask: int, size: int) -> None:
        """Rest one bid and one ask, as far as they are prices."""
        sides: tuple[tuple[Side, int], ...] = (("bid", bid), ("ask", ask))
        for side, price in sides:
            if market.valid(price):
                self.exchange.place(self.makers, NewOrder(market.ticker, side, price, size, self_trade="maker"))

    def take(self, market: Market) -> None:
        """One immediate order against the best level."""
        side: Side = "bid" if self.rng.random() < 0.5 else "ask"
        best = market.book.against(side).best
        if best is not None:
            count = self.rng.choice((1, 2, 5, 10, 25, 60)) * CONTRACT
            self.exchange.place(self.takers, NewOrder(market.ticker, side, best, count, "immediate_or_cancel"))
