"""The desk: takes reports from the venue into books and tape, marks positions, and knows what a restart must know."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bot.account import Account
from bot.books import Books
from bot.errors import StateDamaged
from bot.risk import Risk, RiskLimits
from bot.tape import Tape
from bot.view import Execution, Quote

_LIVES = 100  # boot ids remembered; an order that rests is of one of the last


class Desk:
    """Everything that is true of our trading, in one place. Synchronous; a Report for the venue.

    exchange: executions carry the exchange's fill ids (live and demo, not paper).
    """

    def __init__(self, boot_id: str, limits: RiskLimits, exchange: bool) -> None:
        self.exchange = exchange
        # all mutable state: the parts, what one YES is worth in each market, and the boot ids that came before
        self.books = Books()
        self.account = Account()
        self.tape = Tape(boot_id)
        self.risk = Risk(limits, self.books)
        self.marks: dict[str, Decimal] = {}
        self.lives: list[str] = []

    def __repr__(self) -> str:
        return f"Desk({self.books!r}, {self.risk!r}, {self.tape!r})"

    def execution(self, execution: Execution) -> None:
        """Books first, so that whoever is woken by the tape finds them true."""
        self.books.trade(execution)
        self.tape.add(execution, self.exchange)

    def settlement(self, ticker: str, value: Decimal) -> None:
        """The market is over."""
        self.books.settle(ticker, value)
        self.marks[ticker] = value

    def mark(self, quotes: Mapping[str, Quote]) -> None:
        """Take the new prices."""
        self.marks |= {ticker: quote.mark for ticker, quote in quotes.items() if quote.mark is not None}

    def profit(self) -> dict[str, Decimal]:
        """realized, unrealized, fees, total."""
        return self.books.profit(self.marks)

    def dump(self) -> dict[str, Any]:
        """What a restart must know."""
        marks = {ticker: str(mark) for ticker, mark in self.marks.items() if self.books.position(ticker)}
        lives = [*self.lives, self.tape.boot_id][-_LIVES:]
        kept = {"risk": self.risk.dump(), "books": self.books.dump(), "marks": marks, "lives": lives}
        return kept | ({"account": self.account.dump()} if self.exchange else {})

    def load(self, kept: Mapping[str, Any]) -> None:
        """Take it up again. Raises StateDamaged."""
        try:
            self.books = self.risk.books = Books.load(kept["books"])
            self.risk.load(kept["risk"])
            self.lives = [str(boot_id) for boot_id in kept.get("lives", ())]
            self.marks = {ticker: Decimal(mark) for ticker, mark in kept["marks"].items()}
            if self.exchange:
                self.account = Account.load(kept["account"])
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise StateDamaged(f"the state file is not whole ({error!r:.80}); move it away to start afresh") from error
