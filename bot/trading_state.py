"""Positions, account, trades, risk and marks in one place, and their form in the state file."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.account_fills import AccountFills
from bot.errors import InvalidStateFile
from bot.halts import Halts, LossLimits
from bot.positions import Positions
from bot.risk import Risk, RiskLimits
from bot.state_values import read_price
from bot.strategy_types import ZERO, Execution, Quote
from bot.trade_log import TradeLog
from kalshi.account_models import Position

_BOOT_IDS = 100  # runs remembered; an order that rests was sent by one of the last


class TradingState:
    """The state of our trading. Synchronous; an ExecutionListener for the venue.

    exchange: executions carry the exchange's fill ids (live and demo, not paper).
    """

    def __init__(self, boot_id: str, limits: RiskLimits, loss_limits: LossLimits, exchange: bool) -> None:
        self.exchange = exchange
        # all mutable state: the parts, dollars that one YES is worth in each market, boot ids of earlier runs, and
        # order groups by shard
        self.positions = Positions()
        self.account = AccountFills()
        self.trade_log = TradeLog(boot_id)
        self.halts = Halts(loss_limits)
        self.risk = Risk(limits, self.positions, self.halts)
        self.marks: dict[str, Decimal] = {}
        self.boot_ids: list[str] = []
        self.order_groups: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"TradingState({self.positions!r}, {self.risk!r}, {self.trade_log!r})"

    def execution(self, execution: Execution) -> None:
        """Count a fill: positions first, so that a reader woken by the trade finds them up to date."""
        self.positions.trade(execution)
        self.trade_log.add(execution, self.exchange)

    def settlement(self, ticker: str, value: Decimal) -> None:
        """Count the payout of a market."""
        self.positions.settle(ticker, value)
        self.marks[ticker] = value

    def mark(self, quotes: Mapping[str, Quote]) -> None:
        """Store new marks; a market without one keeps the last."""
        self.marks |= {ticker: quote.mark for ticker, quote in quotes.items() if quote.mark is not None}

    def take_account(self, positions: list[Position]) -> None:
        """Store the account's positions: cost that is not ours counts as risk elsewhere."""
        ours = self.positions.by_ticker
        self.risk.elsewhere = {
            row.ticker: cost
            for row in positions
            if (cost := row.cost - (ours[row.ticker].cost if row.ticker in ours else ZERO)) > ZERO
            and row.quantity != self.positions.position(row.ticker)
        }

    def profit(self) -> dict[str, Decimal]:
        """Return realized, unrealized, fees and total in dollars."""
        return self.positions.profit(self.marks)

    def dump(self) -> dict[str, Any]:
        """Return the state that a restart needs, JSON-ready."""
        marks = {ticker: str(mark) for ticker, mark in self.marks.items() if self.positions.position(ticker)}
        boot_ids = [*self.boot_ids, self.trade_log.boot_id][-_BOOT_IDS:]
        values = {"risk": self.halts.dump(), "books": self.positions.dump(), "marks": marks, "lives": boot_ids}
        return values | ({"account": self.account.dump(), "groups": self.order_groups} if self.exchange else {})

    def load(self, stored: Mapping[str, Any]) -> None:
        """Take over the state that dump gave. Raises InvalidStateFile."""
        try:
            self.positions = self.risk.positions = Positions.load(stored["books"])
            self.halts.load(stored["risk"])
            self.boot_ids = [str(boot_id) for boot_id in stored.get("lives", ())]
            self.marks = {ticker: read_price(mark) for ticker, mark in stored["marks"].items()}
            if self.exchange:
                self.account = AccountFills.load(stored["account"])
                self.order_groups |= {str(shard): str(group) for shard, group in stored.get("groups", {}).items()}
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise InvalidStateFile(
                f"the state file is damaged ({error!r:.120}); move it away to start with the account's positions"
            ) from error
