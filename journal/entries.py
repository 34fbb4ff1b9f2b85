"""What the journal holds: a trade, a settlement, a gap or a baseline, and the entry that each becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from cache.decimal_json import dumps

Kind = Literal["trade", "settlement", "gap", "baseline"]
Side = Literal["BUY", "SELL"]
Outcome = Literal["yes", "no"]
Mode = Literal["live", "demo", "paper"]
Origin = Literal["bot", "account"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the journal. body is its JSON text, seq included, encoded once and for ever."""

    seq: int
    kind: Kind
    timestamp: Decimal  # Unix seconds
    ticker: str  # "" for a gap and a baseline
    source: str  # the first reporter: bot_live or kalshi_api; journal for what we found ourselves
    body: str


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution, as its first reporter told it. Prices and fees in dollars, quantity in contracts."""

    timestamp: Decimal  # Unix seconds, at most microseconds
    ticker: str
    side: Side
    quantity: Decimal
    price: Decimal  # of the outcome that was traded
    trade_id: str
    source: str  # bot_live or kalshi_api
    mode: Mode
    outcome: Outcome = "yes"
    fee: Decimal | None = None
    order_id: str | None = None
    origin: Origin = "bot"
    boot_id: str | None = None  # which life of the bot reported it; identity only, never shown
    fill_id: str | None = None  # the exchange's id, where the reporter knows it; identity only

    kind: Kind = "trade"

    @property
    def yes_side(self) -> Side:
        """The side in YES terms: BUY no is SELL yes."""
        if self.outcome == "yes":
            return self.side
        return "SELL" if self.side == "BUY" else "BUY"

    @property
    def yes_price(self) -> Decimal:
        """The price in YES terms: p of NO is 1 - p of YES."""
        return self.price if self.outcome == "yes" else 1 - self.price

    def body(self, seq: int) -> str:
        """The JSON text that everybody sees."""
        return dumps({
            "seq": seq, "timestamp": self.timestamp, "ticker": self.ticker, "side": self.side,
            "quantity": self.quantity, "price": self.price, "trade_id": self.trade_id,
            "outcome": self.outcome, "fee": self.fee, "order_id": self.order_id,
            "origin": self.origin, "mode": self.mode, "source": self.source,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settlement:
    """A market of ours that paid out. value is dollars per YES contract; counts are contracts held."""

    timestamp: Decimal
    ticker: str
    event_ticker: str
    result: str  # yes, no, scalar or void; new words of the exchange pass through
    value: Decimal
    yes_quantity: Decimal
    no_quantity: Decimal
    revenue: Decimal
    fee: Decimal
    source: str
    mode: Mode

    kind: Kind = "settlement"

    def body(self, seq: int) -> str:
        """The JSON text that everybody sees."""
        return dumps({
            "seq": seq, "timestamp": self.timestamp, "ticker": self.ticker, "event_ticker": self.event_ticker,
            "result": self.result, "value": self.value, "yes_quantity": self.yes_quantity,
            "no_quantity": self.no_quantity, "revenue": self.revenue, "fee": self.fee,
            "mode": self.mode, "source": self.source,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole that could not be healed: executions between start and end (Unix seconds) may be missing."""

    timestamp: Decimal  # when it was given up
    start: Decimal
    end: Decimal
    why: str
    source: str = "journal"
    ticker: str = ""

    kind: Kind = "gap"

    def body(self, seq: int) -> str:
        """The JSON text that everybody sees."""
        return dumps({
            "seq": seq, "timestamp": self.timestamp, "from": self.start, "to": self.end,
            "why": self.why, "source": self.source,
        })  # fmt: skip


@dataclass(frozen=True, slots=True)
class Baseline:
    """The positions found at the first start: what the account held before the journal began to listen.

    positions: objects with ticker, quantity (+ YES, - NO), cost, average_price, realized_pnl, fees.
    """

    timestamp: Decimal
    positions: Sequence[Mapping[str, Any]]
    source: str
    mode: Mode
    ticker: str = ""

    kind: Kind = "baseline"

    def body(self, seq: int) -> str:
        """The JSON text that everybody sees."""
        return dumps({
            "seq": seq, "timestamp": self.timestamp, "positions": list(self.positions),
            "mode": self.mode, "source": self.source,
        })  # fmt: skip


Draft = Trade | Settlement | Gap | Baseline
