"""Paper trading: real prices, simulated fills, no more favourable than the exchange would be.

An order that takes gets the displayed size at the best price and no more, and what it took stays taken until the
quote changes. An order that rests waits behind the size that was there before it: it fills when the market trades
through its price, or when as much as stood before it has traded at its price. Fees are those of the exchange.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.clock import BotClock
from bot.errors import OrderRejected, VenueUnavailable
from bot.fees import HIGHEST_FEES, FeeRule
from bot.reasons import MARKET_CLOSED, POST_ONLY
from bot.strategy_types import ZERO, Execution, OrderOrigin, PlaceOrder, Quote, RestingOrder, Side
from bot.trade_log import decimal_seconds
from bot.venues.base import ExecutionListener


@dataclass(slots=True)
class _Waiting:
    order: RestingOrder
    left: Decimal
    ahead: Decimal  # contracts that must trade at this price before this order
    origin: OrderOrigin | None


class PaperVenue:
    """A Venue without an exchange. boot_id makes its ids unique over restarts; fee_rule returns a market's fees."""

    def __init__(
        self, listener: ExecutionListener, boot_id: str, prefix: str, clock: BotClock,
        fee_rule: Callable[[str], Awaitable[FeeRule]],
    ) -> None:  # fmt: skip
        self._listener = listener
        self._boot_id = boot_id
        self._prefix = prefix
        self._clock = clock
        self._fee_rule = fee_rule
        # all mutable state: the last quotes, the size taken of them, our orders, known fees, and the newest number
        self._quotes: dict[str, Quote] = {}
        self._taken: dict[tuple[str, Side], Decimal] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._fees: dict[str, FeeRule] = {}
        self._number = itertools.count(1)

    def __repr__(self) -> str:
        return f"PaperVenue(resting={len(self._waiting)})"

    def resting(self) -> list[RestingOrder]:
        """Return the orders that wait."""
        return [replace(waiting.order, quantity=waiting.left) for waiting in self._waiting.values()]

    def frozen(self, ticker: str) -> bool:
        """Return False: no answer is ever lost on paper."""
        return False

    def other_orders(self) -> list[str]:
        """Return no orders: paper trading has no account."""
        return []

    def account_lag(self) -> float:
        """Return 0: paper trading has no account."""
        return 0.0

    def second_bot(self) -> str:
        """Return "": paper trading has no account to share."""
        return ""

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Apply new quotes: fill what they reached, drop what rests in a closed market, settle what has paid."""
        for quote in quotes.values():
            before = self._quotes.get(quote.ticker)
            if before is not None and quote.read_at == before.read_at:
                continue
            self._quotes[quote.ticker] = quote
            self._forget_taken(before, quote)
            waiting = [w for w in self._waiting.values() if w.order.ticker == quote.ticker]
            if quote.active:
                self._move(waiting, quote.volume - before.volume if before is not None else ZERO, quote)
            else:
                for each in waiting:
                    del self._waiting[each.order.client_order_id]
            if quote.value is not None and (before is None or before.value is None):
                self._listener.settlement(quote.ticker, quote.value)

    async def place(self, order: PlaceOrder, origin: OrderOrigin | None = None) -> None:
        """Take at once, or rest. Raises OrderRejected where the exchange would refuse."""
        quote = self._quotes.get(order.ticker)
        if quote is None or not quote.active:
            raise OrderRejected(f"{order.ticker}: the market does not trade", MARKET_CLOSED)
        await self._read_fees(order.ticker)
        now = self._clock.wall()
        origin = None if origin is None else replace(origin, sent_at=now, acknowledged_at=now)
        number = f"{self._prefix}{self._boot_id}-{next(self._number)}"
        mine = RestingOrder(number, f"paper-{number}", order.ticker, order.side, order.price, order.quantity)
        best = quote.ask if order.side == "BUY" else quote.bid
        crosses = best is not None and (best <= order.price if order.side == "BUY" else best >= order.price)
        if order.rest:
            if crosses:
                raise OrderRejected(f"{order.ticker}: post only cross", POST_ONLY)
            self._waiting[number] = _Waiting(mine, order.quantity, self._queue(quote, mine), origin)
        elif crosses and best is not None:
            size = quote.ask_size if order.side == "BUY" else quote.bid_size
            taken = self._taken.get((order.ticker, order.side), ZERO)
            quantity = min(order.quantity, size - taken)
            if quantity > 0:
                self._taken[order.ticker, order.side] = taken + quantity
                self._fill(mine, quantity, best, True, origin)

    async def cancel(self, order: RestingOrder) -> None:
        """Remove an order."""
        self._waiting.pop(order.client_order_id, None)

    async def cancel_all(self) -> None:
        """Remove all orders."""
        self._waiting.clear()

    def _forget_taken(self, before: Quote | None, now: Quote) -> None:
        if before is None or (before.ask, before.ask_size) != (now.ask, now.ask_size):
            self._taken.pop((now.ticker, "BUY"), None)
        if before is None or (before.bid, before.bid_size) != (now.bid, now.bid_size):
            self._taken.pop((now.ticker, "SELL"), None)

    async def _read_fees(self, ticker: str) -> None:
        if ticker not in self._fees:
            with suppress(VenueUnavailable):  # until they are read, the highest count
                self._fees[ticker] = await self._fee_rule(ticker)

    @staticmethod
    def _queue(quote: Quote, order: RestingOrder) -> Decimal:
        """Return the size that stood at our price before us; where it is not shown, that of the best."""
        best, size = (quote.bid, quote.bid_size) if order.side == "BUY" else (quote.ask, quote.ask_size)
        if best is None or (order.price > best if order.side == "BUY" else order.price < best):
            return ZERO
        return size

    def _move(self, waiting: list[_Waiting], traded: Decimal, now: Quote) -> None:
        """Fill the orders that the market reached, best price first; no contract serves two of them."""
        waiting.sort(key=lambda w: -w.order.price if w.order.side == "BUY" else w.order.price)
        for each in waiting:
            price, buys = each.order.price, each.order.side == "BUY"
            best, size = (now.ask, now.ask_size) if buys else (now.bid, now.bid_size)
            if best is not None and (best <= price if buys else best >= price):  # the other side reached us
                taken = self._taken.get((now.ticker, each.order.side), ZERO)
                self._taken[now.ticker, each.order.side] = taken + self._fill_waiting(each, size - taken)
            elif now.last is not None and (now.last < price if buys else now.last > price):  # traded through us
                traded -= self._fill_waiting(each, traded)
            elif now.last == price:
                passed = min(each.ahead, traded)
                each.ahead -= passed
                traded -= passed + self._fill_waiting(each, traded - passed)

    def _fill_waiting(self, waiting: _Waiting, available: Decimal) -> Decimal:
        quantity = min(waiting.left, available)
        if quantity <= 0:
            return ZERO
        waiting.left -= quantity
        if waiting.left <= 0:
            self._waiting.pop(waiting.order.client_order_id, None)
        self._fill(waiting.order, quantity, waiting.order.price, False, waiting.origin)
        return quantity

    def _fill(
        self, order: RestingOrder, quantity: Decimal, price: Decimal, is_taker: bool, origin: OrderOrigin | None
    ) -> None:
        fee = self._fees.get(order.ticker, HIGHEST_FEES).fee(quantity, price, is_taker)
        trade_id = f"paper-{self._boot_id}-{next(self._number)}"
        moment = decimal_seconds(self._clock.wall())
        self._listener.execution(Execution(
            trade_id, order.order_id, order.ticker, order.side, quantity, price, fee, moment, is_taker, origin
        ))  # fmt: skip
