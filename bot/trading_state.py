"""Positions, account, trades, risk and marks in one place, and their form in the state file."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.account_fills import AccountFills
from bot.errors import InvalidStateFile
from bot.positions import Positions
from bot.risk import Risk, RiskLimits
from bot.strategy_types import Execution, Quote
from bot.trade_log import TradeLog

_LIVES = 100  # boot ids remembered; an order that rests is of one of the last


class TradingState:
    """Everything that is true of our trading, in one place. Synchronous; a ExecutionListener for the venue.

    exchange: executions carry the exchange's fill ids (live and demo, not paper).
    """

    def __init__(self, boot_id: str, limits: RiskLimits, exchange: bool) -> None:
        self.exchange = exchange
        # all mutable state: the parts, what one YES is worth in each market, and the boot ids that came before
        self.positions = Positions()
        self.account = AccountFills()
        self.trade_log = TradeLog(boot_id)
        self.risk = Risk(limits, self.positions)
        self.marks: dict[str, Decimal] = {}
        self.boot_ids: list[str] = []

    def __repr__(self) -> str:
        return f"TradingState({self.positions!r}, {self.risk!r}, {self.trade_log!r})"

    def execution(self, execution: Execution) -> None:
        """Books first, so that whoever is woken by the tape finds them true."""
        self.positions.trade(execution)
        self.trade_log.add(execution, self.exchange)

    def settlement(self, ticker: str, value: Decimal) -> None:
        """The market is over."""
        self.positions.settle(ticker, value)
        self.marks[ticker] = value

    def mark(self, quotes: Mapping[str, Quote]) -> None:
        """Take the new prices."""
        self.marks |= {ticker: quote.mark for ticker, quote in quotes.items() if quote.mark is not None}

    def profit(self) -> dict[str, Decimal]:
        """realized, unrealized, fees, total."""
        return self.positions.profit(self.marks)

    def dump(self) -> dict[str, Any]:
        """What a restart must know."""
        marks = {ticker: str(mark) for ticker, mark in self.marks.items() if self.positions.position(ticker)}
        lives = [*self.boot_ids, self.trade_log.boot_id][-_LIVES:]
        kept = {"risk": self.risk.dump(), "books": self.positions.dump(), "marks": marks, "lives": lives}
        return kept | ({"account": self.account.dump()} if self.exchange else {})

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take it up again. Raises InvalidStateFile."""
        try:
            self.positions = self.risk.positions = Positions.load(kept["books"])
            self.risk.load(kept["risk"])
            self.boot_ids = [str(boot_id) for boot_id in kept.get("lives", ())]
            self.marks = {ticker: Decimal(mark) for ticker, mark in kept["marks"].items()}
            if self.exchange:
                self.account = AccountFills.load(kept["account"])
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise InvalidStateFile(
                f"the state file is not whole ({error!r:.80}); move it away to start afresh"
            ) from error
