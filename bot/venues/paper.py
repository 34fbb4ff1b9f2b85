"""Paper: real prices, our own fills, and no kinder than the exchange would be.

An order that takes gets the displayed size at the best price and no more, and what it took stays taken until the
quote changes. An order that rests waits behind the size that was there before it: it is filled when the market trades
through its price, or when as much as stood before it has traded at its price. Fees as the exchange charges them.
"""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from bot.errors import OrderRejected, VenueUnavailable
from bot.fees import DEAREST, FeeRule
from bot.strategy_types import ZERO, Execution, PlaceOrder, Quote, RestingOrder, Side
from bot.trade_log import decimal_seconds
from bot.venues.base import ExecutionListener


@dataclass(slots=True)
class _Waiting:
    order: RestingOrder
    left: Decimal
    ahead: Decimal  # contracts that must trade at this price before us


class PaperVenue:
    """A Venue without an exchange. boot_id makes its ids unique over lives; fee_rule tells a market's fees."""

    def __init__(
        self, report: ExecutionListener, boot_id: str, prefix: str, clock: Callable[[], float],
        fee_rule: Callable[[str], Awaitable[FeeRule]],
    ) -> None:  # fmt: skip
        self._report = report
        self._boot_id = boot_id
        self._prefix = prefix
        self._clock = clock
        self._fee_rule = fee_rule
        # all mutable state: the last quotes, what we took of them, our orders, fees known, and the last number given
        self._quotes: dict[str, Quote] = {}
        self._taken: dict[tuple[str, Side], Decimal] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._fees: dict[str, FeeRule] = {}
        self._number = itertools.count(1)

    def __repr__(self) -> str:
        return f"PaperVenue(resting={len(self._waiting)})"

    def resting(self) -> list[RestingOrder]:
        """What waits."""
        return [
            RestingOrder(w.order.client_order_id, w.order.order_id, w.order.ticker, w.order.side, w.order.price, w.left)
            for w in self._waiting.values()
        ]

    def frozen(self, ticker: str) -> bool:
        """Never: nothing is unsure on paper."""
        return False

    async def refresh(self, quotes: Mapping[str, Quote]) -> None:
        """Let the market move: fill what it reached, drop what rests in a closed one, settle what has paid."""
        for quote in quotes.values():
            before = self._quotes.get(quote.ticker)
            if before is not None and quote.as_of == before.as_of:
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
                self._report.settlement(quote.ticker, quote.value)

    async def place(self, order: PlaceOrder) -> None:
        """Take at once, or rest. OrderRejected as the exchange would."""
        quote = self._quotes.get(order.ticker)
        if quote is None or not quote.active:
            raise OrderRejected(f"{order.ticker}: the market does not trade")
        await self._learn_fees(order.ticker)
        number = f"{self._prefix}{self._boot_id}-{next(self._number)}"
        mine = RestingOrder(number, f"paper-{number}", order.ticker, order.side, order.price, order.quantity)
        best = quote.ask if order.side == "BUY" else quote.bid
        crosses = best is not None and (best <= order.price if order.side == "BUY" else best >= order.price)
        if order.rest:
            if crosses:
                raise OrderRejected(f"{order.ticker}: post only cross")
            self._waiting[number] = _Waiting(mine, order.quantity, self._queue(quote, mine))
        elif crosses and best is not None:
            size = quote.ask_size if order.side == "BUY" else quote.bid_size
            taken = self._taken.get((order.ticker, order.side), ZERO)
            quantity = min(order.quantity, size - taken)
            if quantity > 0:
                self._taken[order.ticker, order.side] = taken + quantity
                self._fill(mine, quantity, best, is_taker=True)

    async def cancel(self, order: RestingOrder) -> None:
        """Take it back."""
        self._waiting.pop(order.client_order_id, None)

    async def cancel_all(self) -> None:
        """Take back everything."""
        self._waiting.clear()

    def _forget_taken(self, before: Quote | None, now: Quote) -> None:
        if before is None or (before.ask, before.ask_size) != (now.ask, now.ask_size):
            self._taken.pop((now.ticker, "BUY"), None)
        if before is None or (before.bid, before.bid_size) != (now.bid, now.bid_size):
            self._taken.pop((now.ticker, "SELL"), None)

    async def _learn_fees(self, ticker: str) -> None:
        if ticker not in self._fees:
            with suppress(VenueUnavailable):  # until they are known, the dearest count
                self._fees[ticker] = await self._fee_rule(ticker)

    @staticmethod
    def _queue(quote: Quote, order: RestingOrder) -> Decimal:
        """Size that stood at our price when we came. Behind the best it is not shown: as much as at the best."""
        best, size = (quote.bid, quote.bid_size) if order.side == "BUY" else (quote.ask, quote.ask_size)
        if best is None or (order.price > best if order.side == "BUY" else order.price < best):
            return ZERO
        return size

    def _move(self, waiting: list[_Waiting], traded: Decimal, now: Quote) -> None:
        """Fill orders that the market reached, best price first; no contract serves two of them."""
        waiting.sort(key=lambda w: -w.order.price if w.order.side == "BUY" else w.order.price)
        for each in waiting:
            price, buys = each.order.price, each.order.side == "BUY"
            best, size = (now.ask, now.ask_size) if buys else (now.bid, now.bid_size)
            if best is not None and (best <= price if buys else best >= price):  # the other side came to us
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
        self._fill(waiting.order, quantity, waiting.order.price, is_taker=False)
        return quantity

    def _fill(self, order: RestingOrder, quantity: Decimal, price: Decimal, is_taker: bool) -> None:
        fee = self._fees.get(order.ticker, DEAREST).fee(quantity, price, is_taker)
        trade_id = f"paper-{self._boot_id}-{next(self._number)}"
        moment = decimal_seconds(self._clock())
        self._report.execution(
            Execution(trade_id, order.order_id, order.ticker, order.side, quantity, price, fee, moment, is_taker)
        )
