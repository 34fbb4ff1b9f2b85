"""One backtest: the engine with the live venue on a simulated exchange, turn by turn in virtual time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from bot.account_check import AccountCheck
from bot.backtest.in_process_client import in_process_client
from bot.backtest.markouts import MarkoutRecorder
from bot.backtest.simulated_market_data import SimulatedMarketData
from bot.clock import BotClock
from bot.engine import Engine, TradingPlan
from bot.halts import LossLimits
from bot.risk import RiskLimits
from bot.strategies import Strategy
from bot.trade_log import decimal_seconds
from bot.trading_state import TradingState
from bot.venues.live import LiveOptions, LiveVenue
from kalshi.account_models import Fill
from simulator.clock import VirtualClock
from simulator.events import ExchangeEvent, FillEvent
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import MEMBER, ExchangeOptions
from simulator.units import CONTRACT, DOLLAR, MONEY_DOLLAR

START = 1_800_000_000.0  # Unix seconds
_CASH = 10_000  # dollars
_NO_LIMIT = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """crowd: profile of the other traders. interval: seconds between turns. pace: activity of the other traders."""

    crowd: str = "stock"
    hours: float = 6.0
    interval: float = 30.0
    pace: float = 0.1
    markets: int = 16
    order_size: Decimal = Decimal(5)
    max_position: Decimal = Decimal(20)


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """One seed. profit, fees and worst (the lowest profit on the way) in dollars; markouts in cents per contract."""

    seed: int
    profit: Decimal
    fees: Decimal
    worst: Decimal
    fills: int
    contracts: Decimal
    maker_contracts: Decimal
    markouts: Sequence[Decimal | None]


class BacktestRun:
    """The parts of one backtest. Loss limits do not halt it."""

    def __init__(self, strategies: Sequence[Strategy], seed: int, options: BacktestOptions) -> None:
        self.options = options
        self.time = VirtualClock(START)
        exchange_options = ExchangeOptions(
            seed=seed, crowd=options.crowd, pace=options.pace, tier="prestige", cash=_CASH
        )
        self.exchange = InProcessExchange(exchange_options, self.time)
        clock = BotClock(self.time, self.time)
        client = in_process_client(self.exchange)
        limits = RiskLimits(options.order_size, Decimal(25), Decimal(50), Decimal(1000), 10.0 + 2 * options.interval)
        self.state = TradingState("backtest", limits, LossLimits(_NO_LIMIT, _NO_LIMIT), exchange=True)
        live = LiveOptions(
            "pi-bot-", "backtest", lifetime=max(600.0, 6 * options.interval), newest_every=600.0, fills_every=600.0,
            orders_every=300.0, settlements_every=60.0,
        )  # fmt: skip
        self.venue = LiveVenue(client, self.state, self.state.account, live, clock)
        self.check = AccountCheck(client, self.state.account, self.venue.fills, self.state.take_account)
        plan = TradingPlan(
            strategies, (), options.markets, options.order_size, options.max_position, options.interval, False
        )
        data = SimulatedMarketData(client, self.exchange.exchange.engine.markets, clock)
        self.engine = Engine(
            data, self.venue, self.state, plan, lambda durable: None, clock, Random(seed), client.balance
        )
        self.markouts = MarkoutRecorder(self.exchange)
        self.exchange.subscribe(self.markouts.on_event)
        self.exchange.subscribe(self._on_event)
        self._pushed: list[Fill] = []  # fills that the bot's socket would have sent

    async def run(self) -> BacktestResult:
        """Trade for the hours of the options; the same seed and options give the same result."""
        await self.check.begin()
        worst = Decimal(0)
        for _ in range(int(self.options.hours * 3600 / self.options.interval)):
            await self.engine.turn()
            await self._push()
            worst = min(worst, self.state.profit()["total"])
            self.markouts.advance(self.options.interval)
            await self._push()
        await self.engine.turn()
        profit = self.state.profit()
        return BacktestResult(
            self.seed, profit["total"], profit["fees"], worst, self.markouts.fills, self.markouts.contracts,
            self.markouts.maker_contracts, self.markouts.cents(),
        )  # fmt: skip

    def _on_event(self, event: ExchangeEvent) -> None:
        if isinstance(event, FillEvent) and event.account == MEMBER:
            self._pushed.append(Fill(
                fill_id=event.fill_id, order_id=event.order_id, ticker=event.ticker,
                timestamp=decimal_seconds(event.at), book_side=event.side,
                outcome_side="yes" if event.side == "bid" else "no", quantity=Decimal(event.count) / CONTRACT,
                yes_price=Decimal(event.price) / DOLLAR, fee=Decimal(event.fee) / MONEY_DOLLAR,
                is_taker=event.is_taker, client_order_id=event.client_order_id,
            ))  # fmt: skip

    async def _push(self) -> None:
        """Pass the fills to the venue as the fill socket does."""
        fills, self._pushed = self._pushed, []
        await self.venue.fills.take(fills)

    @property
    def seed(self) -> int:
        """The seed of the simulated exchange."""
        return self.exchange.exchange.options.seed
