"""The trading loop. Each turn reads the markets, updates the state, checks loss limits and carries out decisions."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from bot.clock import BotClock
from bot.decisions import MarketDecision
from bot.errors import VenueError
from bot.exchange_hours import in_maintenance
from bot.halts import Halt
from bot.intents import intents_of
from bot.market_data import MarketData
from bot.order_sender import OrderSender
from bot.reasons import EXCHANGE_PAUSED, MAINTENANCE
from bot.risk import orders_by_ticker
from bot.strategies import Strategy
from bot.strategy_types import MarketView, Quote, RestingOrder
from bot.throttle import Throttle
from bot.trading_state import TradingState
from bot.venues.base import Venue
from bot.watchlist import Watchlist
from kalshi.account_models import Balance
from kalshi.errors import KalshiError

log = logging.getLogger(__name__)

_STATUS_EVERY = 5.0  # seconds between reads of the exchange's status
_SAVE_EVERY = 5.0  # seconds between writes of the state file
_BALANCE_EVERY = 10.0
_FLATTEN_EVERY = 2.0
_QUIET_AFTER = 60.0  # seconds without an order sent or resting
_LATE = 90.0  # seconds; the account is read as a whole every 30 s
_LASTING = 5.0  # seconds of failing turns after which a failure counts as lasting


@dataclass(frozen=True, slots=True)
class TradingPlan:
    """The markets, strategies and sizes. tickers empty: the `markets` most traded ones, chosen anew as they close.

    weekly_pause: the exchange has its Thursday maintenance. flatten: a halt by a person or a loss closes positions.
    """

    strategies: Sequence[Strategy]
    tickers: Sequence[str]
    markets: int
    order_size: Decimal
    max_position: Decimal
    interval: float
    weekly_pause: bool
    flatten: bool = False


class Engine:
    """Drives one venue with one trading state.

    save(durable) writes the state file. read_balance: None on paper.
    """

    def __init__(
        self, market_data: MarketData, venue: Venue, state: TradingState, plan: TradingPlan,
        save: Callable[[bool], None], clock: BotClock, random: Random,
        read_balance: Callable[[], Awaitable[Balance]] | None = None,
    ) -> None:  # fmt: skip
        self._market_data = market_data
        self._venue = venue
        self._state = state
        self._plan = plan
        self._save = save
        self._clock = clock
        self._random = random
        self._read_balance = read_balance
        self._watchlist = Watchlist(market_data, plan.tickers, plan.markets, clock.monotonic)
        self._throttle = Throttle(clock.monotonic)
        # all mutable state of its own: sent orders and decisions; the reason why the exchange takes no orders, "" if it
        # does; the present failure, its reason and its monotonic time; the turn's number; the lock of senders
        self.sender = OrderSender(venue, state, clock)
        self.exchange_reason = ""
        self._failure = self._failure_reason = ""
        self._failing_since = 0.0
        self._turn = 0
        self._acting = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Engine(tickers={self.tickers}, trouble={self.trouble!r})"

    @property
    def tickers(self) -> list[str]:
        """The markets traded."""
        return self._watchlist.tickers

    @property
    def trouble(self) -> str:
        """A sentence about the failure or refusals that keep the bot from trading; "" if nothing does."""
        refused = self.sender.trouble
        return self._failure or ("" if refused is None else refused.trouble)

    @property
    def failure_reason(self) -> str:
        """The reason of the present failure; "" if there is none."""
        return self._failure_reason

    @property
    def lasting_failure(self) -> str:
        """The reason of a failure that several turns in a row had; "" if there is none."""
        lasts = self._failure and self._clock.monotonic() - self._failing_since >= _LASTING
        return self._failure_reason if lasts else ""

    @property
    def account_is_late(self) -> bool:
        """True while the exchange's account reads trail by more than a minute and a half."""
        return self._venue.account_lag() > _LATE

    @property
    def quotes(self) -> Mapping[str, Quote]:
        """The last quotes by ticker."""
        return self._watchlist.quotes

    @property
    def quiet(self) -> bool:
        """True while no market can be traded, or no order was sent or rested for a while."""
        idle = self._clock.monotonic() - self.sender.last_sent > _QUIET_AFTER
        return (self._turn > 0 and not self.tickers) or (idle and not self._venue.resting())

    async def turn(self) -> None:
        """Run one turn. A failure of the venue ends the turn and is stored in `trouble`."""
        self._turn += 1
        try:
            await self._read()
            self._check()
            async with self._acting:
                await self._act()
            self.report_failure("", "")
        except VenueError as error:
            self.report_failure(str(error), error.reason)
            await self._withdraw_if_blind()
        if self._throttle.due("save", _SAVE_EVERY):
            self._save(False)

    async def withdraw(self) -> None:
        """Cancel all orders. Raises VenueError while some of them may still rest."""
        async with self._acting:
            await self._venue.cancel_all()

    async def apply_change(self) -> None:
        """Save what a person has changed and cancel the orders that rest under the old rules.

        If that fails, later turns go on cancelling while the bot is halted or paused.
        """
        self._save(True)
        try:
            await self.withdraw()
        except VenueError as error:
            self.report_failure(str(error), error.reason)

    def report_halt(self, halt: Halt) -> None:
        """Log a new halt and save it before anything else happens."""
        log.warning("halted (%s): %s; no orders until POST /clear or a start with --clear", halt.name, halt.why)
        self._save(True)

    def report_failure(self, failure: str, reason: str) -> None:
        """Record what keeps turns from working, and its reason; "" once they work."""
        if failure and not self._failure:
            self._failing_since = self._clock.monotonic()
            log.warning("turn failed (%s): %s; the next turn tries again", reason, failure)
        elif self._failure and not failure:
            log.info("turns work again after: %s", self._failure)
        self._failure, self._failure_reason = failure, reason

    async def _read(self) -> None:
        positions = [ticker for ticker, book in self._state.positions.by_ticker.items() if book.quantity]
        resting = [order.ticker for order in self._venue.resting()]
        await self._watchlist.read(positions, resting, self._depth_tickers())
        self._state.risk.events, self._state.risk.terms = self._watchlist.events(), self._watchlist.terms()
        await self._venue.refresh(self._watchlist.quotes)
        if self._read_balance is not None and self._throttle.due("balance", _BALANCE_EVERY):
            with suppress(KalshiError):  # the last one stays in use
                self.sender.balance = await self._read_balance()
        if self._throttle.due("status", _STATUS_EVERY):
            with self._throttle.retried("status"):
                await self._read_exchange_state()

    async def _read_exchange_state(self) -> None:
        state = await self._market_data.state()
        weekly = self._plan.weekly_pause and in_maintenance(self._clock.wall())
        # outside the weekly window, maintenance shows as reads that fail with 503
        self.exchange_reason = MAINTENANCE if weekly else "" if state.trading else EXCHANGE_PAUSED

    def _depth_tickers(self) -> list[str]:
        return [t for place, t in enumerate(self.tickers) if self._strategy(place).needs_depth]

    def _check(self) -> None:
        """Value the positions; halt at once on a loss beyond its limit and on a second bot under our prefix."""
        self._state.mark(self._watchlist.quotes)
        profit, now = self._state.profit(), self._clock.wall()
        realized = profit["total"] - profit["unrealized"]
        for halt in self._state.halts.observe(profit["total"], now, self._clock.monotonic(), realized):
            self.report_halt(halt)
        second = self._venue.second_bot()
        if second and self._state.halts.halt("second_bot", second, now):
            self.report_halt(self._state.halts.halts["second_bot"])

    async def _act(self) -> None:
        if self._state.halts.halted:
            if self._venue.resting():
                await self._venue.cancel_all()
            elif self._plan.flatten and not self._state.halts.halts.keys() - {"person", "daily_loss", "drawdown"}:
                await self._flatten()
            return
        if self.exchange_reason:
            return
        resting = orders_by_ticker(self._venue.resting())
        for place, ticker in enumerate(self.tickers):
            await self._decide(self._strategy(place), ticker, resting.get(ticker, []))
        await self._cancel_unwanted()

    async def _decide(self, strategy: Strategy, ticker: str, resting: Sequence[RestingOrder]) -> None:
        quote = self._watchlist.quotes.get(ticker)
        view = None if quote is None else self._view(quote, resting, strategy.needs_depth)
        decision = MarketDecision(
            self._clock.wall(), self._turn, ticker, strategy.name, quote, self._state.positions.position(ticker),
            len(resting),
        )  # fmt: skip
        if quote is None or view is None:
            decision.stopped_by = "unknown market"
        elif self._venue.frozen(ticker):
            decision.stopped_by = "uncertain order"
        self.sender.decisions.add(decision)
        if quote is None or view is None or decision.stopped_by:
            return
        for intent in intents_of(strategy, view):
            await self.sender.carry_out(intent, quote, decision)

    async def _cancel_unwanted(self) -> None:
        """Cancel orders in markets that are no longer traded or close soon; positions wait for the settlement."""
        now = self._clock.wall()
        for order in self._venue.resting():
            quote = self._watchlist.quotes.get(order.ticker)
            if order.ticker not in self.tickers or (quote and self._state.risk.closes_soon(quote, now)):
                await self.sender.cancel(order)

    async def _flatten(self) -> None:
        if not self._throttle.due("flatten", _FLATTEN_EVERY):
            return
        for ticker, position in list(self._state.positions.by_ticker.items()):
            quote = self._watchlist.quotes.get(ticker)
            if position.quantity and quote and quote.active and not self._venue.frozen(ticker):
                await self.sender.close_position(ticker, position.quantity, quote)

    def _strategy(self, place: int) -> Strategy:
        return self._plan.strategies[place % len(self._plan.strategies)]

    def _view(self, quote: Quote, resting: Sequence[RestingOrder], with_depth: bool) -> MarketView:
        bids, asks = self._watchlist.depth.get(quote.ticker, ((), ())) if with_depth else ((), ())
        balance = self.sender.balance
        return MarketView(
            now=self._clock.wall(), quote=quote, mids=self._watchlist.mids(quote.ticker),
            position=self._state.positions.position(quote.ticker),
            resting=resting,
            size=self._plan.order_size, most=self._plan.max_position, draw=self._random.random(),
            cash=None if balance is None else balance.balance, fees=self._watchlist.fees(quote.ticker),
            bids=bids, asks=asks,
        )  # fmt: skip

    async def _withdraw_if_blind(self) -> None:
        """Cancel all orders while prices are too old to trade on, or while halted."""
        blind = self._watchlist.age > self._state.risk.limits.stale_after
        if (blind or self._state.halts.halted) and self._venue.resting():
            try:
                await self.withdraw()
            except VenueError as error:
                self.report_failure(str(error), error.reason)
