"""A live venue and its engine on a simulated exchange in the same process, in virtual time."""

from collections.abc import Sequence
from random import Random
from typing import Any

from bot.account_check import AccountCheck
from bot.backtest.in_process_client import in_process_client
from bot.clock import BotClock
from bot.engine import Engine, TradingPlan
from bot.market_data import MarketData
from bot.runner import BotRunner, RunnerTimes
from bot.strategies import Strategy, maker
from bot.venues.live import LiveOptions, LiveVenue
from kalshi.client import KalshiClient
from simulator.clock import VirtualClock
from simulator.in_process import InProcessExchange
from simulator.simulated_exchange import ExchangeOptions
from tests.support.trading import D, trading_state


class InProcessBot:
    """A bot that quotes `tickers` under the prefix pi-bot-. stored: the state of an earlier run.

    options: of the exchange, which is quiet by default. client: another way to it than direct calls.
    """

    def __init__(
        self, tickers: Sequence[str] = (), boot_id: str = "boot", decide: Any = maker.decide,
        exchange: InProcessExchange | None = None, live: dict[str, Any] | None = None,
        stored: dict[str, Any] | None = None, client: KalshiClient | None = None, **options: Any,
    ) -> None:  # fmt: skip
        self.exchange = exchange or InProcessExchange(
            ExchangeOptions(**{"quiet": True, "tier": "prestige", **options}), VirtualClock(1_800_000_000.0)
        )
        self.time = self.exchange.clock
        self.clock = BotClock(self.time, self.time)
        self.client = client or in_process_client(self.exchange)
        self.state = trading_state(
            True, boot_id, order_size=D(10), market_exposure=D(500), event_exposure=D(1000), total_exposure=D(5000)
        )
        if stored is not None:
            self.state.load(stored)
        live_options = LiveOptions(
            "pi-bot-", boot_id, **({"earlier_boot_ids": tuple(self.state.boot_ids)} | (live or {}))
        )
        self.venue = LiveVenue(
            self.client, self.state, self.state.account, live_options, self.clock, self.state.order_groups
        )
        self.check = AccountCheck(self.client, self.state.account, self.venue.fills, self.state.take_account)
        self.engine = Engine(
            MarketData(self.client, self.time, self.time), self.venue, self.state,
            TradingPlan([Strategy("test", decide)], tickers, 4, D(5), D(20), 1.0, False), lambda durable: None,
            self.clock, Random(1), self.client.balance,
        )  # fmt: skip
        self.runner = BotRunner(
            self.state, self.venue, self.engine, self.check, True, RunnerTimes(1.0), lambda durable: None, self.clock
        )
        self.runner.stage = "running"

    def market(self, beginning: str = "KXRAINNYC", bid: str = "0.4500", ask: str = "0.5500") -> str:
        """Return an open market after others have quoted it."""
        rows = self.exchange.request("GET", "/markets", {"status": "open", "limit": 1000}).body["markets"]
        ticker = str(next(row["ticker"] for row in rows if row["ticker"].startswith(beginning)))
        self.quote(ticker, bid, ask)
        return ticker

    def quote(self, ticker: str, bid: str, ask: str) -> None:
        """Let others quote a market."""
        self.exchange.admin("POST", "/quote", {"ticker": ticker, "bid": bid, "ask": ask, "count": "1000.00"})

    def fault(self, kind: str, **options: Any) -> None:
        """Put a fault in force."""
        response = self.exchange.admin("POST", "/faults", {"kind": kind} | options)
        assert response.status < 400, response.body

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.exchange.admin("DELETE", "/faults")

    def resting(self) -> list[dict[str, Any]]:
        """Return the account's resting orders as the exchange has them now."""
        return [order for order in self.exchange.admin("GET", "/ledger").body["orders"] if order["status"] == "resting"]

    async def turns(self, count: int = 1, seconds: float = 1.0) -> None:
        """Let time pass and run turns."""
        for _ in range(count):
            self.exchange.advance(seconds)
            await self.engine.turn()
