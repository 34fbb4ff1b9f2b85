"""Carries out what strategies want, as far as risk limits, earlier refusals and the exchange allow."""

import logging
from decimal import Decimal

from bot.clock import BotClock
from bot.decisions import SENT, DecisionLog, MarketDecision
from bot.errors import OrderRejected, OrderUncertain
from bot.exposure import unit_cost
from bot.reasons import MARKET_CLOSED, NO_CASH, WRONG_SHARD
from bot.refusals import Refusals
from bot.risk import RiskRefusal
from bot.strategy_types import CancelOrder, Intent, OrderOrigin, PlaceOrder, Quote, RestingOrder
from bot.trading_state import TradingState
from bot.venues.base import Venue
from kalshi.account_models import Balance

log = logging.getLogger(__name__)


class OrderSender:
    """Sends orders and cancels to one venue and records the result of each. Raises VenueUnavailable."""

    def __init__(self, venue: Venue, state: TradingState, clock: BotClock) -> None:
        self._venue = venue
        self._state = state
        self._clock = clock
        # all mutable state: refusals of orders and of cancels, decisions, the account's last balance, the monotonic
        # time of the newest order
        self.refusals = Refusals(clock.monotonic)
        self.cancel_refusals = Refusals(clock.monotonic, "cancels")
        self.decisions = DecisionLog()
        self.balance: Balance | None = None
        self.last_sent = clock.monotonic()

    async def carry_out(self, intent: Intent, quote: Quote, decision: MarketDecision) -> None:
        """Send one intent and add its result to the decision."""
        if isinstance(intent, CancelOrder):
            result, detail = await self.cancel(intent.order), ""
        else:
            result, detail = await self._place(intent, quote, decision)
        self.decisions.result(decision, intent, result, detail)

    async def cancel(self, order: RestingOrder) -> str:
        """Cancel one order. Returns SENT or the reason why it could not be cancelled now."""
        try:
            await self._venue.cancel(order)
        except (OrderRejected, OrderUncertain) as error:
            log.info("order %s may still rest (%s); it is read and cancelled again", order.client_order_id, error)
            if error.reason != MARKET_CLOSED:  # the exchange cancels what rests in a market that closed
                self.cancel_refusals.refused(order.ticker, error.reason, str(error))
            return error.reason
        self.cancel_refusals.accepted(order.ticker)
        return SENT

    @property
    def trouble(self) -> Refusals | None:
        """The refusals, of orders or of cancels, that have become a run; None without one."""
        return next((each for each in (self.refusals, self.cancel_refusals) if each.trouble), None)

    async def close_position(self, ticker: str, quantity: Decimal, quote: Quote) -> None:
        """Close a position at the best price with an order that takes at once or vanishes."""
        price, size = (quote.bid, quote.bid_size) if quantity > 0 else (quote.ask, quote.ask_size)
        if price is None or self.refusals.blocked(ticker):
            return
        side = "SELL" if quantity > 0 else "BUY"
        order = PlaceOrder(ticker, side, price, min(abs(quantity), size), rest=False, why="flatten")  # type: ignore[arg-type]
        await self._send(order, quote, "flatten")

    async def _place(self, order: PlaceOrder, quote: Quote, decision: MarketDecision) -> tuple[str, str]:
        if blocked := self.refusals.blocked(order.ticker):
            return blocked, ""
        resting = self._venue.resting()
        verdict = self._state.risk.review(order, quote, resting, self._clock.wall(), self._clock.monotonic())
        if isinstance(verdict, RiskRefusal):
            return verdict.reason, verdict.detail
        return await self._send(verdict, quote, decision.strategy)

    async def _send(self, order: PlaceOrder, quote: Quote, strategy: str) -> tuple[str, str]:
        """Send an order; a rejection begins a pause, a lost answer freezes its market until it is resolved."""
        self.last_sent = self._clock.monotonic()
        try:
            await self._venue.place(order, OrderOrigin(strategy, quote.mid, self._clock.wall()))
        except OrderRejected as error:
            reason = self._refine(error.reason, order, quote)
            self.refusals.refused(order.ticker, reason, str(error))
            log.debug("order refused (%s): %s", reason, error)
            return reason, str(error)
        except OrderUncertain as error:
            log.info("the answer to an order was lost (%s); its market waits until the order was read", error)
            self.refusals.refused(order.ticker, error.reason, str(error))
            return "uncertain", str(error)
        self.refusals.accepted(order.ticker)
        return SENT, ""

    def _refine(self, reason: str, order: PlaceOrder, quote: Quote) -> str:
        """Return WRONG_SHARD for a lack of cash on this shard where the account's other shards have enough."""
        if reason != NO_CASH or self.balance is None or not self.balance.by_exchange_index:
            return reason
        needed = order.quantity * unit_cost(order.side, order.price)
        here = self.balance.by_exchange_index.get(quote.exchange_index, Decimal(0))
        return WRONG_SHARD if here < needed <= self.balance.balance else reason
