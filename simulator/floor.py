"""The floor of the exchange: markets, accounts, the orders on the books, and how an execution is booked."""

import copy
from collections.abc import Callable

from simulator.account import Account
from simulator.book import Book
from simulator.fees import MAKER_RATE, TAKER_RATE
from simulator.happening import Fill, Happening, LevelChanged, OrderChanged, PositionChanged, Reason, Trade
from simulator.market import Market
from simulator.order import Order, Side
from simulator.refusal import not_found


class Floor:
    """All state of the trading. Everything that happens is told to the listeners, in order."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.clock = clock
        self.new_id = new_id
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self.orders: dict[str, Order] = {}  # all of the members', but of the house only what rests
        self.listeners: list[Callable[[Happening], None]] = []
        self.collected = 0  # money: the fees ever paid, for the books to add up

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

    def resting(self) -> list[Order]:
        """The members' orders on the books."""
        return [
            order
            for account in self.accounts.values()
            if not account.house
            for orders in account.resting.values()
            for order in orders.values()
        ]

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

    def execute(self, market: Market, taker: Order, maker: Order, count: int) -> None:
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
        self.tell(
            Fill(
                trade_id,
                order.order_id,
                order.client_order_id,
                account.name,
                order.ticker,
                order.side,
                price,
                count,
                is_taker,
                fee,
                now,
                position.count,
            )
        )
        self.tell(PositionChanged(now, account.name, order.ticker, copy.copy(position), account.cash))
