"""All state of trading: markets, accounts, resting orders, and the booking of one execution."""

import copy
from collections.abc import Callable

from simulator.account import MemberAccount
from simulator.errors import not_found
from simulator.events import (
    EventListener,
    ExchangeEvent,
    FillEvent,
    LevelEvent,
    OrderChangeReason,
    OrderEvent,
    PositionEvent,
    TradeEvent,
)
from simulator.fees import MAKER_RATE, TAKER_RATE
from simulator.market import SHARDS, SimulatedMarket
from simulator.order_book import SimulatedBook
from simulator.orders import OrderSide, SimulatedOrder


class MarketState:
    """Markets, accounts and orders. Listeners receive every event in order."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.new_id = new_id
        self.markets: dict[str, SimulatedMarket] = {}
        self.accounts: dict[str, MemberAccount] = {}
        self.floors: dict[str, int] = {}  # ticker -> settlement floor, of the markets that have one
        self.orders: dict[str, SimulatedOrder] = {}  # every order of members; of liquidity only the resting ones
        self.listeners: list[EventListener] = []
        self.level_listeners: list[Callable[[LevelEvent], None]] = []
        self.collected = 0  # money: all fees and roundings that left the accounts

    def open_account(self, name: str, cash: dict[int, int] | None = None, is_liquidity: bool = False) -> MemberAccount:
        """Create an account. cash: shard -> money."""
        account = MemberAccount(name, dict.fromkeys(SHARDS, 0) | (cash or {}), is_liquidity, floors=self.floors)
        self.accounts[name] = account
        return account

    def new_book(self, ticker: str) -> SimulatedBook:
        """Return an empty book whose changes are passed to the orders' accounts and to the level listeners."""

        def changed(side: OrderSide, price: int, delta: int, order: SimulatedOrder) -> None:
            self.accounts[order.account].book_changed(ticker)
            if self.level_listeners:
                event = LevelEvent(self.clock(), ticker, side, price, delta, order.account, order.client_order_id)
                for listener in self.level_listeners:
                    listener(event)

        return SimulatedBook(changed)

    def emit(self, event: ExchangeEvent) -> None:
        """Pass an event to all listeners."""
        for listener in self.listeners:
            listener(event)

    def market(self, ticker: str) -> SimulatedMarket:
        """Return a market. Raises ApiError for an unknown one."""
        if ticker not in self.markets:
            raise not_found("market not found")
        return self.markets[ticker]

    def order(self, account: MemberAccount, order_id: str) -> SimulatedOrder:
        """Return a resting order of the account. Raises ApiError for an unknown order and for an ended one."""
        order = self.orders.get(order_id)
        if order is None or order.account != account.name or order.status != "resting":
            raise not_found()
        return order

    def resting(self) -> list[SimulatedOrder]:
        """Return the members' resting orders."""
        return [
            order
            for account in self.accounts.values()
            if not account.is_liquidity
            for orders in account.resting.values()
            for order in orders.values()
        ]

    def emit_order(self, order: SimulatedOrder, reason: OrderChangeReason) -> None:
        """Report a change of a member's order; changes of liquidity are not reported."""
        if not self.accounts[order.account].is_liquidity:
            self.emit(OrderEvent(order.updated, copy.copy(order), reason))

    def end(self, order: SimulatedOrder, reason: OrderChangeReason = "") -> int:
        """Take a resting order off the book and return the count that this removed."""
        account = self.accounts[order.account]
        self.markets[order.ticker].book.own(order.side).remove(order)
        account.remove_resting(order)
        removed = order.end()
        order.updated = self.clock()
        if account.is_liquidity:
            self.orders.pop(order.order_id, None)
        self.emit_order(order, reason)
        return removed

    def end_all(self, market: SimulatedMarket, reason: OrderChangeReason) -> None:
        """Cancel every resting order of a market."""
        for order in [*market.book.bids.orders(), *market.book.asks.orders()]:
            self.end(order, reason)

    def execute(self, market: SimulatedMarket, taker: SimulatedOrder, maker: SimulatedOrder, count: int) -> None:
        """Book both sides of an execution at the maker's price."""
        now, price, trade_id = self.clock(), maker.price, self.new_id()
        for order in (maker, taker):
            self._book_fill(market, order, trade_id, price, count, now, is_taker=order is taker)
        market.last, market.last_size = price, count
        market.volume += count
        market.dollar_volume += count * price
        self.emit(TradeEvent(trade_id, market.ticker, price, count, taker.side, now))

    def _book_fill(
        self, market: SimulatedMarket, order: SimulatedOrder, trade_id: str, price: int, count: int, now: float,
        *, is_taker: bool,
    ) -> None:  # fmt: skip
        account = self.accounts[order.account]
        rate = TAKER_RATE if is_taker else MAKER_RATE if market.event.series.maker_fees else 0
        long = max(0, account.count(order.ticker))
        fee = account.trade(market, order.side, price, count, rate, now)
        market.open_interest += max(0, account.count(order.ticker)) - long
        market.holders.add(account.name)
        self.collected += fee
        order.fill(price, count, fee, is_taker)
        order.updated = now
        if account.is_liquidity:
            return
        position = account.positions[order.ticker]
        self.emit_order(order, "Trade")
        self.emit(
            FillEvent(
                trade_id, order.order_id, order.client_order_id, account.name, order.ticker, order.side, price, count,
                is_taker, fee, now, position.count, market.shard,
            )
        )  # fmt: skip
        self.emit(PositionEvent(now, account.name, order.ticker, copy.copy(position), dict(account.cash)))
