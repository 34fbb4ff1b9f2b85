"""The loop: look, learn, judge, act. Each turn is one look at the markets and what follows from it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from bot.errors import OrderRejected, OrderUncertain, VenueError
from bot.exchange_hours import in_maintenance
from bot.market_data import MarketData
from bot.risk import Halt
from bot.strategies import Decide
from bot.strategy_types import CancelOrder, Intent, MarketView, PlaceOrder, Quote
from bot.throttle import Throttle
from bot.trading_state import TradingState
from bot.venues.base import Venue
from bot.watchlist import Watchlist

log = logging.getLogger(__name__)

_STATUS_EVERY = 5.0  # seconds between looks at the exchange's status
_SAVE_EVERY = 5.0  # seconds between writes of the state file


@dataclass(frozen=True, slots=True)
class TradingPlan:
    """What to trade and how. tickers empty: the `markets` most traded ones, chosen anew as they close."""

    strategies: Sequence[Decide]
    tickers: Sequence[str]
    markets: int
    order_size: Decimal
    max_position: Decimal
    interval: float
    weekly_pause: bool  # the exchange has its Thursday window; a simulated one has none


class Engine:
    """Drives one venue with one state. save(durable) keeps what a restart must know."""

    def __init__(
        self, prices: MarketData, venue: Venue, state: TradingState, plan: TradingPlan, save: Callable[[bool], None],
        clock: Callable[[], float], random: Random,
    ) -> None:  # fmt: skip
        self._prices = prices
        self._venue = venue
        self._state = state
        self._plan = plan
        self._save = save
        self._clock = clock
        self._random = random
        self._watch = Watchlist(prices, plan.tickers, plan.markets, clock)
        self._pace = Throttle(clock)
        # all mutable state of its own: does the exchange trade, the last trouble, and who may act now
        self.trading = True
        self.trouble = ""
        self._acting = asyncio.Lock()

    @property
    def tickers(self) -> list[str]:
        """The markets traded."""
        return self._watch.tickers

    def __repr__(self) -> str:
        return f"Engine(tickers={self.tickers}, trading={self.trading}, trouble={self.trouble!r})"

    async def turn(self) -> None:
        """One look and what follows. Trouble with a venue ends the turn, not the loop."""
        try:
            await self._look()
            self._judge()
            async with self._acting:
                await self._act()
            self._note("")
        except VenueError as error:
            self._note(str(error))
            await self._if_blind()
        if self._pace.due("save", _SAVE_EVERY):
            self._save(False)

    async def withdraw(self) -> None:
        """Take back all that rests. Raises VenueError while some of it may still be there."""
        async with self._acting:
            await self._venue.cancel_all()

    async def settle(self) -> None:
        """A person has changed what is allowed: keep it, and take back what rested under the old rules.

        What cannot be verified now goes on being tried by the turns: halted, until nothing rests.
        """
        self._save(True)
        try:
            await self.withdraw()
        except VenueError as error:
            self._note(str(error))

    async def _look(self) -> None:
        held = [ticker for ticker, position in self._state.positions.by_ticker.items() if position.quantity]
        await self._watch.look(held, [order.ticker for order in self._venue.resting()])
        await self._venue.refresh(self._watch.quotes)
        if self._pace.due("status", _STATUS_EVERY):
            self.trading = await self._prices.trading()
        self.trading = self.trading and not (self._plan.weekly_pause and in_maintenance(self._clock()))

    def _judge(self) -> None:
        """Mark to the market; a loss too large halts at once and for good."""
        self._state.mark(self._watch.quotes)
        for halt in self._state.risk.observe(self._state.profit()["total"], self._clock()):
            self.halted(halt)

    def halted(self, halt: Halt) -> None:
        """Say it once and keep it on disk before anything else happens."""
        log.warning("halted (%s): %s; it stays so until a person clears it", halt.name, halt.why)
        self._save(True)

    async def _act(self) -> None:
        if self._state.risk.halted:
            if self._venue.resting():
                await self._venue.cancel_all()
            return
        if not self.trading:
            return
        for place, ticker in enumerate(self.tickers):
            decide = self._plan.strategies[place % len(self._plan.strategies)]
            quote = self._watch.quotes.get(ticker)
            if quote is not None and not self._venue.frozen(ticker):
                for intent in decide(self._view(quote)):
                    await self._do(intent, quote)
        await self._leave_others()

    async def _leave_others(self) -> None:
        """Orders in markets that we no longer trade go; their positions wait for the market to settle."""
        for order in self._venue.resting():
            if order.ticker not in self.tickers:
                await self._attempt(self._venue.cancel(order))

    def _view(self, quote: Quote) -> MarketView:
        mine = [order for order in self._venue.resting() if order.ticker == quote.ticker]
        return MarketView(
            now=self._clock(), quote=quote, mids=self._watch.mids(quote.ticker),
            position=self._state.positions.position(quote.ticker), resting=mine, size=self._plan.order_size,
            most=self._plan.max_position, draw=self._random.random(),
        )  # fmt: skip

    async def _do(self, intent: Intent, quote: Quote) -> None:
        """Carry out one wish, as far as risk lets it."""
        if isinstance(intent, CancelOrder):
            await self._attempt(self._venue.cancel(intent.order))
            return
        verdict = self._state.risk.review(intent, quote, self._venue.resting(), self._clock())
        if isinstance(verdict, PlaceOrder):
            await self._attempt(self._venue.place(verdict))

    @staticmethod
    async def _attempt(deed: Awaitable[None]) -> None:
        """A no is an answer; a doubt freezes the market until it is resolved."""
        try:
            await deed
        except OrderRejected as error:
            log.debug("refused: %s", error)
        except OrderUncertain as error:
            log.info("no answer that can be believed, reading what became of it: %s", error)

    async def _if_blind(self) -> None:
        """Nothing of ours should rest on prices too old to stand behind, nor while halted."""
        blind = self._clock() - self._watch.newest > self._state.risk.limits.stale_after
        if (blind or self._state.risk.halted) and self._venue.resting():
            try:
                await self.withdraw()
            except VenueError as error:
                self._note(str(error))

    def _note(self, trouble: str) -> None:
        if trouble and not self.trouble:
            log.warning("trouble: %s", trouble)
        elif self.trouble and not trouble:
            log.info("all well again")
        self.trouble = trouble
