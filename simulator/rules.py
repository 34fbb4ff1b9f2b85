"""What an order must satisfy before it is taken: state, grid, size, time, self-consistency, funds."""

from dataclasses import replace

from simulator.account import Account, Position, held
from simulator.fees import TAKER_RATE, settle_change, trade_fee
from simulator.market import Market
from simulator.order import NewOrder, Order, Side
from simulator.refusal import refuse


def check(market: Market, account: Account, asked: NewOrder, now: float) -> None:
    """Refuse an order that the exchange would refuse, with its code (recorded demo server; Kalshi docs: errors)."""
    check_open(market)
    check_grid(market, asked.price)
    check_size(asked.count)
    if asked.client_order_id in account.client_ids:
        raise refuse(409, "order_already_exists")
    if asked.expires is not None and (asked.force != "good_till_canceled" or asked.expires <= now):
        raise refuse(400, "invalid_order", "expiration_time must lie ahead and needs good_till_canceled")
    if asked.reduce_only and asked.force == "good_till_canceled":
        raise refuse(400, "invalid_order", "reduce_only needs immediate_or_cancel")
    if asked.post_only:
        check_passive(market, asked)
    check_funds(market, account, asked.side, asked.price, asked.count)


def check_open(market: Market) -> None:
    """After close every order operation is refused, cancel included (Kalshi docs: market lifecycle)."""
    if market.state != "active":
        raise refuse(400, "MARKET_INACTIVE", message="market is not active")


def check_grid(market: Market, price: int) -> None:
    """Prices lie on the market's grid, above 0 and below 1."""
    if not market.valid(price):
        raise refuse(400, "invalid_price")


def check_size(count: int) -> None:
    """At least 0.01 of a contract."""
    if count <= 0:
        raise refuse(400, "invalid_order_size")


def check_passive(market: Market, asked: NewOrder) -> None:
    """A post-only order must not take."""
    best = market.book.against(asked.side).best
    if asked.force != "good_till_canceled":
        raise refuse(400, "invalid_order", "post_only needs good_till_canceled")
    if best is not None and (best <= asked.price if asked.side == "bid" else best >= asked.price):
        raise refuse(400, "invalid_order", "post only cross")


def check_funds(
    market: Market, account: Account, side: Side, price: int, count: int, replaced: Order | None = None
) -> None:
    """Refuse what cash cannot pay: what it takes at the book's prices, with fees, and what then rests at its own."""
    if account.house:
        return
    ticker = market.ticker
    known = account.positions.get(ticker, Position())
    trial = Position(known.count, known.cost)
    cash, left, signed = account.cash, count, 1 if side == "bid" else -1
    for level, size in reversed(market.book.against(side).levels()):
        if not left or (level > price if side == "bid" else level < price):
            break
        taken = min(size, left)
        cash += settle_change(trial.trade(signed * taken, level), trade_fee(level, taken, TAKER_RATE))[0]
        left -= taken
    elsewhere = sum(
        held(orders.values(), account.positions[other].count if other in account.positions else 0)
        for other, orders in account.resting.items()
        if other != ticker
    )
    here = [order for order in account.resting.get(ticker, {}).values() if order is not replaced]
    rest = [Order("", "", NewOrder(ticker, side, price, left), price, left, left, 0, 0, "")] if left else []
    if cash < elsewhere + held([*here, *rest], trial.count):
        raise refuse(400, "insufficient_balance")


def funded(account: Account, side: Side, ticker: str, price: int, count: int) -> bool:
    """Whether one execution leaves the account's cash at or above zero."""
    if account.house:
        return True
    known = account.positions.get(ticker, Position())
    change = Position(known.count, known.cost).trade(count if side == "bid" else -count, price)
    return account.cash + settle_change(change, trade_fee(price, count, TAKER_RATE))[0] >= 0


def closable(account: Account, asked: NewOrder) -> int:
    """How much of the position an order of this side can close."""
    held_count = account.positions[asked.ticker].count if asked.ticker in account.positions else 0
    return max(0, -held_count if asked.side == "bid" else held_count)


def check_amendment(market: Market, account: Account, order: Order, price: int, count: int, new_client_id: str) -> None:
    """Refuse an amendment that the exchange would refuse. count: the new total, filled included."""
    check_open(market)
    check_grid(market, price)
    check_size(count - order.filled)
    if new_client_id and new_client_id in account.client_ids:
        raise refuse(409, "order_already_exists")
    asked = replace(order.asked, price=price)
    if asked.post_only:
        check_passive(market, asked)
    check_funds(market, account, order.side, price, count - order.filled, order)
