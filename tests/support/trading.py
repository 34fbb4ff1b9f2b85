"""Short ways to say a quote, an execution, an order, a view."""

from decimal import Decimal
from typing import Any

from bot.risk import RiskLimits
from bot.strategy_types import Execution, MarketView, PlaceOrder, Quote, RestingOrder, Side

D = Decimal


def quote(bid: str | None = "0.49", ask: str | None = "0.51", **more: Any) -> Quote:
    """A market with 100 contracts on each side that is there."""
    values: dict[str, Any] = {
        "ticker": "KXA", "bid": D(bid) if bid else None, "bid_size": D(100 if bid else 0),
        "ask": D(ask) if ask else None, "ask_size": D(100 if ask else 0), "last": D("0.50"), "volume": D(0),
        "as_of": 0.0,
    }  # fmt: skip
    return Quote(**(values | more))


def execution(side: Side, quantity: str, price: str, fee: str = "0", ticker: str = "KXA", name: str = "f") -> Execution:
    """A fill."""
    return Execution(name, "o", ticker, side, D(quantity), D(price), D(fee), D(0), True)


def order(side: Side, quantity: str, price: str, ticker: str = "KXA", name: str = "c") -> RestingOrder:
    """A resting order."""
    return RestingOrder(name, f"order-{name}", ticker, side, D(price), D(quantity))


def wish(side: Side, quantity: str, price: str, ticker: str = "KXA", rest: bool = True) -> PlaceOrder:
    """What a strategy might ask for."""
    return PlaceOrder(ticker, side, D(price), D(quantity), rest, "test")


def view(now: Quote | None = None, position: str = "0", **more: Any) -> MarketView:
    """What a strategy sees: five contracts an order, twenty at most."""
    values: dict[str, Any] = {
        "now": 0.0, "quote": now or quote(), "mids": (), "position": D(position), "resting": (), "size": D(5),
        "most": D(20),
    }  # fmt: skip
    return MarketView(**(values | more))


def limits(**more: Any) -> RiskLimits:
    """Roomy limits."""
    values: dict[str, Any] = {
        "order_size": D(10), "market_exposure": D(20), "total_exposure": D(50), "daily_loss": D(30), "drawdown": D(40),
        "stale_after": 10.0,
    }  # fmt: skip
    return RiskLimits(**(values | more))
