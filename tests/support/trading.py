"""Short constructors for quotes, executions, orders, views and the bot's state."""

from decimal import Decimal
from typing import Any

from bot.clock import BotClock
from bot.halts import LossLimits
from bot.market_data import mark_of_prices
from bot.risk import RiskLimits
from bot.strategy_types import Execution, MarketView, PlaceOrder, Quote, RestingOrder, Side
from bot.trading_state import TradingState

D = Decimal


class ManualClock:
    """Time that a test moves: wall in Unix seconds, monotonic from 0."""

    def __init__(self, wall: float = 1_700_200_000.0) -> None:
        self.wall = wall
        self.monotonic = 0.0

    def pass_time(self, seconds: float) -> None:
        """Move both clocks."""
        self.wall += seconds
        self.monotonic += seconds

    @property
    def clock(self) -> BotClock:
        """The clock to give to the bot."""
        return BotClock(lambda: self.wall, lambda: self.monotonic)


def quote(bid: str | None = "0.49", ask: str | None = "0.51", **more: Any) -> Quote:
    """A market with 100 contracts on each side that has a price; its mark is that of the ledger's rule."""
    values: dict[str, Any] = {
        "ticker": "KXA", "bid": D(bid) if bid else None, "bid_size": D(100 if bid else 0),
        "ask": D(ask) if ask else None, "ask_size": D(100 if ask else 0), "last": D("0.50"), "volume": D(0),
        "read_at": 0.0,
    }  # fmt: skip
    values |= more
    values.setdefault("mark", mark_of_prices(values["bid"], values["ask"], values["last"], values.get("value")))
    return Quote(**values)


def execution(
    side: Side, quantity: str, price: str, fee: str = "0", ticker: str = "KXA", name: str = "f", at: str = "0"
) -> Execution:
    """A fill."""
    return Execution(name, "o", ticker, side, D(quantity), D(price), D(fee), D(at), True)


def order(side: Side, quantity: str, price: str, ticker: str = "KXA", name: str = "c") -> RestingOrder:
    """A resting order."""
    return RestingOrder(name, f"order-{name}", ticker, side, D(price), D(quantity))


def wish(side: Side, quantity: str, price: str, ticker: str = "KXA", rest: bool = True) -> PlaceOrder:
    """An order that a strategy might want."""
    return PlaceOrder(ticker, side, D(price), D(quantity), rest, "test")


def view(now: Quote | None = None, position: str = "0", **more: Any) -> MarketView:
    """The view of a strategy: five contracts an order, twenty at most."""
    values: dict[str, Any] = {
        "now": 0.0, "quote": now or quote(), "mids": (), "position": D(position), "resting": (), "size": D(5),
        "most": D(20),
    }  # fmt: skip
    return MarketView(**(values | more))


def limits(**more: Any) -> RiskLimits:
    """Limits that most tests stay below."""
    values: dict[str, Any] = {
        "order_size": D(10), "market_exposure": D(20), "event_exposure": D(50), "total_exposure": D(50),
        "stale_after": 10.0,
    }  # fmt: skip
    return RiskLimits(**(values | more))


def loss_limits(**more: Any) -> LossLimits:
    """Loss limits of 30 dollars a day and 40 below the best, which act at once."""
    values: dict[str, Any] = {"daily_loss": D(30), "drawdown": D(40), "lasting": 0.0}
    return LossLimits(**(values | more))


def trading_state(exchange: bool = False, boot_id: str = "boot", **more: Any) -> TradingState:
    """An empty state. more: limits by name."""
    losses = {name: more.pop(name) for name in ("daily_loss", "drawdown", "lasting") if name in more}
    return TradingState(boot_id, limits(**more), loss_limits(**losses), exchange)
