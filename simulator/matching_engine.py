"""The matching engine: orders in, fills out; synchronous, with an injected clock and injected ids."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count as counter

from simulator.account import MemberAccount
from simulator.errors import nested_error
from simulator.events import OrderChangeReason
from simulator.market import SimulatedMarket
from simulator.market_state import MarketState
from simulator.order_rules import can_pay, check_active, check_order, check_price, check_size, closable
from simulator.orders import OrderRequest, OrderSide, SimulatedOrder


class MatchingEngine(MarketState):
    """Place, amend, decrease, cancel and expire orders."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        super().__init__(clock, new_id)
        self.trading = True  # False during a trading pause: no create, no amend
        self.next_expiry = 0.0  # Unix seconds at which the first order expires, 0 if none does
        self._liquidity_ids = counter()
        self.after_match: list[Callable[[], None]] = []  # called after each order that may have traded

    def place(self, account: MemberAccount, request: OrderRequest) -> SimulatedOrder:
        """Match an order, then rest what may rest. Raises ApiError.

        A fill_or_kill order that cannot fill raises too, and its client_order_id is used up.
        """
        market, now = self.market(request.ticker), self.clock()
        check_order(market, account, request, now)
        if request.client_order_id:
            account.client_order_ids.add(request.client_order_id)
        count = min(request.count, closable(account, request)) if request.reduce_only else request.count
        order = self._new_order(account.name, request, count, now, market.shard)
        if request.time_in_force == "fill_or_kill" and self._fillable(market, order) < order.remaining:
            raise nested_error(409, "fill_or_kill_insufficient_resting_volume")
        if not account.is_liquidity:
            self.orders[order.order_id] = order
        self._finish(market, order, self._match(market, order), announced=False)
        return order

    def cancel(self, account: MemberAccount, order_id: str) -> tuple[SimulatedOrder, int]:
        """End a resting order; return the order and the count taken off the book. Raises ApiError."""
        order = self.order(account, order_id)
        return order, self.end(order)

    def decrease(
        self, account: MemberAccount, order_id: str, to: int, reason: OrderChangeReason = "Decrease"
    ) -> SimulatedOrder:
        """Reduce the remaining count to `to`; the order keeps its time priority. 0 or less cancels it."""
        order = self.order(account, order_id)
        if to <= 0:
            self.end(order, reason)
            return order
        by = order.remaining - to
        order.remaining = to
        order.initial = order.filled + to
        order.updated = self.clock()
        self.markets[order.ticker].book.own(order.side).resize(order, -by)
        self.emit_order(order, reason)
        return order

    def amend(
        self, account: MemberAccount, order: SimulatedOrder, price: int, count: int, expires: float | None
    ) -> SimulatedOrder:
        """Change price, total count (filled included) and expiry; the caller has checked them.

        A smaller count at the same price keeps the time priority, everything else loses it.
        """
        remaining = count - order.filled
        order.expires = expires
        self._note_expiry(order)
        if price == order.price and 0 < remaining <= order.remaining:
            return self.decrease(account, order.order_id, remaining, "Amend")
        market = self.markets[order.ticker]
        market.book.own(order.side).remove(order)
        account.remove_resting(order)
        order.price, order.initial, order.remaining, order.updated = price, count, remaining, self.clock()
        self.emit_order(order, "Amend")
        self._finish(market, order, self._match(market, order), announced=True)
        return order

    def trade_privately(
        self, account: MemberAccount, request: OrderRequest, counterparty: MemberAccount
    ) -> SimulatedOrder:
        """Execute against a liquidity account at the order's price, without touching the book. Raises ApiError."""
        market, now = self.market(request.ticker), self.clock()
        check_active(market)
        check_price(market, request.price)
        check_size(request.count)
        other: OrderSide = "ask" if request.side == "bid" else "bid"
        taker = self._new_order(account.name, request, request.count, now, market.shard)
        maker = self._new_order(counterparty.name, replace(request, side=other), request.count, now, market.shard)
        self.orders[taker.order_id] = taker
        self.execute(market, taker, maker, request.count)
        for hook in self.after_match:
            hook()
        return taker

    def expire(self, now: float) -> None:
        """End the members' orders that have expired."""
        if not self.next_expiry or now < self.next_expiry:
            return
        expiring = [order for order in self.resting() if order.expires]
        for order in expiring:
            if order.expires and order.expires <= now:
                self.end(order, "ExpiryCancel")
        self.next_expiry = min((o.expires for o in expiring if o.expires and o.status == "resting"), default=0.0)

    def pause(self) -> None:
        """Begin a trading pause; orders with cancel_order_on_pause are cancelled."""
        self.trading = False
        for order in self.resting():
            if order.request.cancel_on_pause:
                self.end(order, "HaltCancel")

    def _new_order(self, account: str, request: OrderRequest, count: int, now: float, shard: int) -> SimulatedOrder:
        order_id = f"liquidity-{next(self._liquidity_ids)}" if self.accounts[account].is_liquidity else self.new_id()
        return SimulatedOrder(
            order_id, account, request, request.price, request.count, count, now, now, request.client_order_id,
            request.expires, shard,
        )  # fmt: skip

    def _note_expiry(self, order: SimulatedOrder) -> None:
        if order.expires and not self.accounts[order.account].is_liquidity:
            self.next_expiry = min(self.next_expiry or order.expires, order.expires)

    def _fillable(self, market: SimulatedMarket, order: SimulatedOrder) -> int:
        """Return the count that a fill_or_kill order could take without meeting an order of its own account."""
        total = 0
        for maker in market.book.opposite(order.side).orders():
            own = maker.account == order.account
            if not order.crosses(maker.price) or (own and order.request.self_trade == "taker_at_cross"):
                break
            total += 0 if own else maker.remaining
        return total

    def _match(self, market: SimulatedMarket, taker: SimulatedOrder) -> OrderChangeReason:
        """Trade against the book; return the reason why the rest must not rest, "" if it may."""
        account, makers = self.accounts[taker.account], market.book.opposite(taker.side)
        while taker.remaining and (maker := makers.first()) and taker.crosses(maker.price):
            if maker.account == taker.account:
                if taker.request.self_trade == "taker_at_cross":
                    return "SelfTradeCancel"
                self.end(maker, "SelfTradeCancel")
                continue
            count = min(taker.remaining, maker.remaining)
            if not can_pay(self.accounts[maker.account], market, maker.side, maker.price, count):
                self.end(maker, "MarginCancel")
                continue
            if not can_pay(account, market, taker.side, maker.price, count):
                return "MarginCancel"
            self._take(market, taker, maker, count)
        return ""

    def _take(self, market: SimulatedMarket, taker: SimulatedOrder, maker: SimulatedOrder, count: int) -> None:
        book_side, owner = market.book.own(maker.side), self.accounts[maker.account]
        self.execute(market, taker, maker, count)
        book_side.resize(maker, -count)
        if not maker.remaining:
            book_side.remove(maker)
            owner.remove_resting(maker)
            if owner.is_liquidity:
                del self.orders[maker.order_id]

    def _finish(
        self, market: SimulatedMarket, order: SimulatedOrder, stopped: OrderChangeReason, *, announced: bool
    ) -> None:
        """Rest or cancel what a match left. announced: an event with the order's state was emitted before the match.

        An order that was executed in full has been reported by its last trade.
        """
        if order.remaining and not stopped and order.request.time_in_force == "good_till_canceled":
            self._rest(market, order)
            if not announced and not order.filled:
                self.emit_order(order, "")
        elif order.status == "resting":
            order.end()
            self.emit_order(order, stopped)
        for hook in self.after_match:
            hook()

    def _rest(self, market: SimulatedMarket, order: SimulatedOrder) -> None:
        account = self.accounts[order.account]
        self.orders[order.order_id] = order
        account.add_resting(order)
        market.book.own(order.side).add(order)
        market.quoted = True
        self._note_expiry(order)
