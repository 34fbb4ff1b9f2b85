"""Rules that an order must satisfy before it is accepted: status, grid, size, time, funds."""

from dataclasses import replace

from simulator.account import HeldPosition, MemberAccount, reservation
from simulator.errors import nested_error
from simulator.fees import TAKER_RATE, round_cash_change, trade_fee
from simulator.market import SimulatedMarket
from simulator.orders import OrderRequest, OrderSide, SimulatedOrder


def check_order(market: SimulatedMarket, account: MemberAccount, request: OrderRequest, now: float) -> None:
    """Raise ApiError with the exchange's code for an invalid order (recorded demo server; Kalshi docs: errors)."""
    check_active(market)
    check_price(market, request.price)
    check_size(request.count)
    if request.client_order_id in account.client_order_ids:
        raise nested_error(409, "order_already_exists")
    check_expiration(request, request.expires, now)
    if request.reduce_only and request.time_in_force != "immediate_or_cancel":
        raise nested_error(400, "invalid_order", "reduce_only needs immediate_or_cancel")
    if request.post_only:
        check_post_only(market, request)
    check_funds(market, account, request.side, request.price, request.count)


def check_active(market: SimulatedMarket) -> None:
    """Raise ApiError if the market does not trade; after close that includes cancels (Kalshi docs: lifecycle)."""
    if market.status != "active":
        raise nested_error(400, "MARKET_INACTIVE", message="market is not active")


def check_price(market: SimulatedMarket, price: int) -> None:
    """Raise ApiError for a price off the market's grid or not above its settlement floor."""
    if not market.is_valid(price):
        raise nested_error(400, "invalid_price")


def check_size(count: int) -> None:
    """Raise ApiError for less than 0.01 contract."""
    if count <= 0:
        raise nested_error(400, "invalid_order_size")


def check_expiration(request: OrderRequest, expires: float | None, now: float) -> None:
    """Raise ApiError for an expiry in the past or on an order that does not rest."""
    if expires is not None and (request.time_in_force != "good_till_canceled" or expires <= now):
        raise nested_error(400, "invalid_order", "expiration_time must be in the future and needs good_till_canceled")


def check_post_only(market: SimulatedMarket, request: OrderRequest) -> None:
    """Raise ApiError if a post-only order would take liquidity."""
    best = market.book.opposite(request.side).best
    if request.time_in_force != "good_till_canceled":
        raise nested_error(400, "invalid_order", "post_only needs good_till_canceled")
    if best is not None and (best <= request.price if request.side == "bid" else best >= request.price):
        raise nested_error(400, "invalid_order", "post only cross")


def check_funds(
    market: SimulatedMarket,
    account: MemberAccount,
    side: OrderSide,
    price: int,
    count: int,
    replaced: SimulatedOrder | None = None,
) -> None:
    """Raise ApiError if the cash on the market's shard does not cover the order.

    It must cover the part that takes, at the book's prices and with fees, and the part that rests, at its own price.
    replaced: the order that an amendment replaces.
    """
    if account.is_liquidity:
        return
    ticker = market.ticker
    trial = _trial_position(account, ticker)
    change, left = _take(market, trial, side, price, count)
    cash = account.cash[market.shard] + change
    here = [order for order in account.resting.get(ticker, {}).values() if order is not replaced]
    rest = [SimulatedOrder("", "", OrderRequest(ticker, side, price, left), price, left, left, 0, 0, "")] * bool(left)
    here_reserved = reservation([*here, *rest], trial.count, market.settlement_floor)
    if cash < account.reserved(market.shard, ticker) + here_reserved:
        raise nested_error(400, "insufficient_balance")


def _take(market: SimulatedMarket, trial: HeldPosition, side: OrderSide, price: int, count: int) -> tuple[int, int]:
    """Trade what the book offers into the trial position. Returns the change of cash and the count that would rest."""
    cash, left, signed = 0, count, 1 if side == "bid" else -1
    best = market.book.opposite(side).best
    crosses = best is not None and (best <= price if side == "bid" else best >= price)
    for level, size in reversed(market.book.opposite(side).levels()) if crosses else ():
        if not left or (level > price if side == "bid" else level < price):
            break
        taken = min(size, left)
        change = trial.trade(signed * taken, level, market.settlement_floor)
        cash += round_cash_change(change, trade_fee(level, taken, TAKER_RATE))[0]
        left -= taken
    return cash, left


def can_pay(account: MemberAccount, market: SimulatedMarket, side: OrderSide, price: int, count: int) -> bool:
    """Return True if one execution leaves the account's cash on the market's shard at or above zero."""
    if account.is_liquidity:
        return True
    signed = count if side == "bid" else -count
    change = _trial_position(account, market.ticker).trade(signed, price, market.settlement_floor)
    return account.cash[market.shard] + round_cash_change(change, trade_fee(price, count, TAKER_RATE))[0] >= 0


def _trial_position(account: MemberAccount, ticker: str) -> HeldPosition:
    position = account.positions.get(ticker)
    return HeldPosition(position.count, position.cost) if position else HeldPosition()


def closable(account: MemberAccount, request: OrderRequest) -> int:
    """Return the part of the position that an order of this side can close."""
    position = account.count(request.ticker)
    return max(0, -position if request.side == "bid" else position)


def check_amendment(
    market: SimulatedMarket,
    account: MemberAccount,
    order: SimulatedOrder,
    price: int,
    count: int,
    new_client_order_id: str,
) -> None:
    """Raise ApiError for an invalid amendment. count: the new total, filled included."""
    check_active(market)
    check_price(market, price)
    check_size(count - order.filled)
    if new_client_order_id and new_client_order_id in account.client_order_ids:
        raise nested_error(409, "order_already_exists")
    request = replace(order.request, price=price)
    if request.post_only:
        check_post_only(market, request)
    check_funds(market, account, order.side, price, count - order.filled, order)
