"""The matching engine: orders in, fills out; synchronous, with an injected clock and injected ids."""

import copy
from collections.abc import Callable
from dataclasses import replace

from simulator.account import Account
from simulator.book import Book
from simulator.fees import MAKER_RATE, TAKER_RATE
from simulator.happening import Fill, Happening, LevelChanged, OrderChanged, PositionChanged, Reason, Trade
from simulator.market import Market
from simulator.order import NewOrder, Order, Side
from simulator.refusal import not_found
from simulator.rules import check, check_grid, check_open, closable, funded


class Exchange:
    """Markets, accounts, orders. Everything that happens is told to the listeners, in order."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.new_id = new_id
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self.orders: dict[str, Order] = {}  # all of the members', but of the house only what rests
        self.listeners: list[Callable[[Happening], None]] = []
        self.collected = 0  # money: the fees ever paid, for the books to add up
        self.trading = True  # False during a trading pause: no create, no amend
        self._pending = 0.0  # expiry of the order that expires first, 0 when none does

    def open_account(self, name: str, cash: int, house: bool = False) -> Account:
        """A new account with cash (money)."""
        self.accounts[name] = Account(name, cash, house)
        return self.accounts[name]

    def new_book(self, ticker: str) -> Book:
        """A book that tells its changes."""

        def told(side: Side, price: int, delta: int, order: Order) -> None:
            self.tell(LevelChanged(self.clock(), ticker, side, price, delta, order.account, order.client_order_id))

        return Book(told)

    def tell(self, happening: Happening) -> None:
        """Say what happened to all who listen."""
        for listener in self.listeners:
            listener(happening)

    def market(self, ticker: str) -> Market:
        """The market; refuses an unknown one."""
        if ticker not in self.markets:
            raise not_found("market not found")
        return self.markets[ticker]

    def order(self, account: Account, order_id: str) -> Order:
        """A resting order of the account; one that ended is as unknown as one that never was."""
        order = self.orders.get(order_id)
        if order is None or order.account != account.name or order.status != "resting":
            raise not_found()
        return order

    # ---- what members do

    def place(self, account: Account, asked: NewOrder) -> Order:
        """Take an order: match it, then rest what may rest. Raises Refusal."""
        market, now = self.market(asked.ticker), self.clock()
        check(market, account, asked, now)
        if asked.client_order_id:
            account.client_ids.add(asked.client_order_id)
        count = min(asked.count, closable(account, asked)) if asked.reduce_only else asked.count
        order = Order(
            self.new_id(), account.name, asked, asked.price, asked.count, count, now, now, asked.client_order_id,
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

    def decrease(self, account: Account, order_id: str, to: int) -> Order:
        """Let at most `to` remain; the order keeps its place in time. Nothing left is a cancel."""
        order = self.order(account, order_id)
        if to <= 0:
            self.end(order, "Decrease")
            return order
        by = order.remaining - to
        order.remaining = to
        order.initial = order.filled + to
        order.updated = self.clock()
        self.markets[order.ticker].book.own(order.side).resize(order, -by)
        self.tell(OrderChanged(order.updated, copy.copy(order), "Decrease"))
        return order

    def amend(self, account: Account, order: Order, price: int, count: int, expires: float | None) -> Order:
        """Change price and total count; less at the same price keeps the place in time, all else goes behind.

        count: filled plus wanted. The checks on funds and grid are the caller's, in rules.
        """
        remaining = count - order.filled
        order.expires = expires
        if price == order.price and 0 < remaining <= order.remaining:
            return self.decrease(account, order.order_id, remaining) if remaining < order.remaining else order
        market = self.markets[order.ticker]
        market.book.own(order.side).remove(order)
        account.unrest(order)
        order.price, order.initial, order.remaining, order.updated = price, count, remaining, self.clock()
        self._rest_or_end(market, order, self._match(market, order), "Amend")
        return order

    # ---- what the exchange does

    def end(self, order: Order, reason: Reason = "") -> int:
        """Take a resting order off the book; the count that this took away."""
        account = self.accounts[order.account]
        self.markets[order.ticker].book.own(order.side).remove(order)
        account.unrest(order)
        reduced = order.end()
        order.updated = self.clock()
        if account.house:
            self.orders.pop(order.order_id, None)
        self.tell(OrderChanged(order.updated, copy.copy(order), reason))
        return reduced

    def end_all(self, market: Market, reason: Reason) -> None:
        """Cancel everything that rests in a market."""
        for order in [*market.book.bids.orders(), *market.book.asks.orders()]:
            self.end(order, reason)

    def expire(self, now: float) -> None:
        """End the members' orders whose time has passed."""
        if not self._pending or now < self._pending:
            return
        waiting = [order for order in self._resting() if order.expires]
        for order in waiting:
            if order.expires and order.expires <= now:
                self.end(order, "ExpiryCancel")
        self._pending = min((o.expires for o in waiting if o.expires and o.status == "resting"), default=0.0)

    def pause(self) -> None:
        """Begin a trading pause; orders that asked for it are cancelled."""
        self.trading = False
        for order in self._resting():
            if order.asked.cancel_on_pause:
                self.end(order, "HaltCancel")

    def _resting(self) -> list[Order]:
        return [
            order
            for account in self.accounts.values() if not account.house
            for orders in account.resting.values()
            for order in orders.values()
        ]

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
        other: Side = "ask" if asked.side == "bid" else "bid"
        taker, maker = (
            Order(self.new_id(), name, order, order.price, order.count, order.count, now, now, order.client_order_id)
            for name, order in ((account.name, asked), (against.name, replace(asked, side=other)))
        )
        self.orders[taker.order_id] = taker
        self._execute(market, taker, maker, asked.count)
        return taker

    def _take(self, market: Market, taker: Order, maker: Order, count: int) -> None:
        """One execution against an order of the book."""
        ladder, house = market.book.own(maker.side), self.accounts[maker.account]
        self._execute(market, taker, maker, count)
        ladder.resize(maker, -count)
        if not maker.remaining:
            ladder.remove(maker)
            house.unrest(maker)
            if house.house:
                del self.orders[maker.order_id]

    def _execute(self, market: Market, taker: Order, maker: Order, count: int) -> None:
        """Both sides of an execution at the maker's price."""
        now, price, trade_id = self.clock(), maker.price, self.new_id()
        for order in (maker, taker):
            self._book_fill(market, order, trade_id, price, count, order is taker, now)
        market.last, market.last_size, market.updated = price, count, now
        market.volume += count
        market.dollar_volume += count * price
        self.tell(Trade(trade_id, market.ticker, price, count, taker.side, now))

    def _book_fill(
        self, market: Market, order: Order, trade_id: str, price: int, count: int, is_taker: bool, now: float
    ) -> None:
        account = self.accounts[order.account]
        rate = TAKER_RATE if is_taker else MAKER_RATE if market.event.series.maker_fees else 0
        long = max(0, account.position(order.ticker).count)
        fee = account.trade(order.ticker, order.side, price, count, rate, now)
        market.open_interest += max(0, account.position(order.ticker).count) - long
        self.collected += fee
        order.fill(price, count, fee, is_taker)
        order.updated = now
        market.holders.add(account.name)
        position = account.positions[order.ticker]
        self.tell(OrderChanged(now, copy.copy(order), "Trade"))
        self.tell(Fill(
            trade_id, order.order_id, order.client_order_id, account.name, order.ticker, order.side, price, count,
            is_taker, fee, now, position.count,
        ))
        self.tell(PositionChanged(now, account.name, order.ticker, copy.copy(position), account.cash))

    def _rest_or_end(self, market: Market, order: Order, stopped: Reason, changed: Reason = "") -> None:
        """What a match leaves: on the book when it may rest, cancelled when not."""
        if order.remaining and not stopped and order.asked.force == "good_till_canceled":
            account = self.accounts[order.account]
            self.orders[order.order_id] = order
            account.rest(order)
            market.book.own(order.side).add(order)
            market.quoted = True
            if order.expires and not account.house:
                self._pending = min(self._pending or order.expires, order.expires)
        elif order.remaining or order.status == "resting":
            order.end()
        self.tell(OrderChanged(order.updated, copy.copy(order), stopped or changed))
