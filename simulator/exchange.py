"""The matching engine: orders in, fills out; synchronous, with an injected clock and injected ids."""

import copy
from collections.abc import Callable
from dataclasses import replace

from simulator.account import Account
from simulator.floor import Floor
from simulator.happening import OrderChanged, Reason
from simulator.market import Market
from simulator.order import NewOrder, Order, Side
from simulator.rules import check, check_grid, check_open, check_size, closable, funded


class Exchange(Floor):
    """What members may do with orders, and what the exchange does to them."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        super().__init__(clock, new_id)
        self.trading = True  # False during a trading pause: no create, no amend
        self._pending = 0.0  # expiry of the order that expires first, 0 when none does

    # ---- what members do

    def place(self, account: Account, asked: NewOrder) -> Order:
        """Take an order: match it, then rest what may rest. Raises Refusal."""
        market, now = self.market(asked.ticker), self.clock()
        check(market, account, asked, now)
        if asked.client_order_id:
            account.client_ids.add(asked.client_order_id)
        count = min(asked.count, closable(account, asked)) if asked.reduce_only else asked.count
        order = Order(
            self.new_id(),
            account.name,
            asked,
            asked.price,
            asked.count,
            count,
            now,
            now,
            asked.client_order_id,
            asked.expires,
        )
        if not account.house:
            self.orders[order.order_id] = order
        reason: Reason = ""
        if asked.force != "fill_or_kill" or self._fillable(market, order) >= order.remaining:
            reason = self._match(market, order)
        self._rest_or_end(market, order, reason)
        return order

    def cancel(self, account: Account, order_id: str, reason: Reason = "") -> tuple[Order, int]:
        """End a resting order; the order and the count taken off the book."""
        order = self.order(account, order_id)
        return order, self.end(order, reason)

    def decrease(self, account: Account, order_id: str, to: int, reason: Reason = "Decrease") -> Order:
        """Let at most `to` remain; the order keeps its place in time. Nothing left is a cancel."""
        order = self.order(account, order_id)
        if to <= 0:
            self.end(order, reason)
            return order
        by = order.remaining - to
        order.remaining = to
        order.initial = order.filled + to
        order.updated = self.clock()
        self.markets[order.ticker].book.own(order.side).resize(order, -by)
        self.tell(OrderChanged(order.updated, copy.copy(order), reason))
        return order

    def amend(self, account: Account, order: Order, price: int, count: int, expires: float | None) -> Order:
        """Change price and total count; less at the same price keeps the place in time, all else goes behind.

        count: filled plus wanted. The checks on funds and grid are the caller's, in rules.
        """
        remaining = count - order.filled
        order.expires = expires
        self._note_expiry(order)
        if price == order.price and 0 < remaining <= order.remaining:
            return self.decrease(account, order.order_id, remaining, "Amend")
        market = self.markets[order.ticker]
        market.book.own(order.side).remove(order)
        account.unrest(order)
        order.price, order.initial, order.remaining, order.updated = price, count, remaining, self.clock()
        self._rest_or_end(market, order, self._match(market, order), "Amend")
        return order

    # ---- what the exchange does

    def expire(self, now: float) -> None:
        """End the members' orders whose time has passed."""
        if not self._pending or now < self._pending:
            return
        waiting = [order for order in self.resting() if order.expires]
        for order in waiting:
            if order.expires and order.expires <= now:
                self.end(order, "ExpiryCancel")
        self._pending = min((o.expires for o in waiting if o.expires and o.status == "resting"), default=0.0)

    def pause(self) -> None:
        """Begin a trading pause; orders that asked for it are cancelled."""
        self.trading = False
        for order in self.resting():
            if order.asked.cancel_on_pause:
                self.end(order, "HaltCancel")

    def _note_expiry(self, order: Order) -> None:
        if order.expires:
            self._pending = min(self._pending or order.expires, order.expires)

    def _fillable(self, market: Market, order: Order) -> int:
        """What a fill-or-kill could take without meeting its own account."""
        total = 0
        for maker in market.book.against(order.side).orders():
            own = maker.account == order.account
            if not order.crosses(maker.price) or (own and order.asked.self_trade == "taker_at_cross"):
                break
            total += 0 if own else maker.remaining
        return total

    def _match(self, market: Market, taker: Order) -> Reason:
        """Trade against the book; why the rest must not rest, "" when it may."""
        account, ladder = self.accounts[taker.account], market.book.against(taker.side)
        while taker.remaining and (maker := ladder.first()) and taker.crosses(maker.price):
            if maker.account == taker.account:
                if taker.asked.self_trade == "taker_at_cross":
                    return "SelfTradeCancel"
                self.end(maker, "SelfTradeCancel")
                continue
            count = min(taker.remaining, maker.remaining)
            if not funded(self.accounts[maker.account], maker.side, maker.ticker, maker.price, count):
                self.end(maker, "MarginCancel")
                continue
            if not funded(account, taker.side, taker.ticker, maker.price, count):
                return "MarginCancel"
            self._take(market, taker, maker, count)
        return ""

    def cross(self, account: Account, asked: NewOrder, against: Account) -> Order:
        """One private execution with a house account at the order's price: the book is neither met nor moved."""
        market, now = self.market(asked.ticker), self.clock()
        check_open(market)
        check_grid(market, asked.price)
        check_size(asked.count)
        other: Side = "ask" if asked.side == "bid" else "bid"
        taker, maker = (
            Order(self.new_id(), name, order, order.price, order.count, order.count, now, now, order.client_order_id)
            for name, order in ((account.name, asked), (against.name, replace(asked, side=other)))
        )
        self.orders[taker.order_id] = taker
        self.execute(market, taker, maker, asked.count)
        return taker

    def _take(self, market: Market, taker: Order, maker: Order, count: int) -> None:
        """One execution against an order of the book."""
        ladder, owner = market.book.own(maker.side), self.accounts[maker.account]
        self.execute(market, taker, maker, count)
        ladder.resize(maker, -count)
        if not maker.remaining:
            ladder.remove(maker)
            owner.unrest(maker)
            if owner.house:
                del self.orders[maker.order_id]

    def _rest_or_end(self, market: Market, order: Order, stopped: Reason, changed: Reason = "") -> None:
        """What a match leaves: on the book when it may rest, cancelled when not."""
        if order.remaining and not stopped and order.asked.force == "good_till_canceled":
            account = self.accounts[order.account]
            self.orders[order.order_id] = order
            account.rest(order)
            market.book.own(order.side).add(order)
            market.quoted = True
            self._note_expiry(order)
        elif order.remaining or order.status == "resting":
            order.end()
        self.tell(OrderChanged(order.updated, copy.copy(order), stopped or changed))
