"""The kinds of entries that a journal holds, as drafts before they are written and as entries afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, get_args

Kind = Literal["trade", "correction", "settlement", "transfer", "gap", "baseline"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Side = Literal["BUY", "SELL"]
Outcome = Literal["yes", "no"]
Mode = Literal["live", "demo", "paper"]
Origin = Literal["bot", "account"]
Direction = Literal["deposit", "withdrawal"]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a journal: its epoch, and the seq and the checksum of its last entry (0 and "" when it is empty)."""

    epoch: str
    seq: int
    checksum: str = ""

    @property
    def check(self) -> str:
        """The digits of the checksum that a cursor carries; "" for an empty journal."""
        return self.checksum[:4]

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}-{self.check}" if self.seq else f"{self.epoch}-0"


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the journal. body is its JSON text, seq included, encoded once and never changed."""

    seq: int
    kind: Kind
    timestamp: Decimal  # Unix seconds
    ticker: str  # "" for a transfer, a gap and a baseline
    source: str  # the first reporter: bot_live or kalshi_api; journal for gaps
    body: str
    checksum: str = ""  # 16 hex digits over the previous checksum, the kind and the body; "" where not read
    open: bool = field(default=False, compare=False)  # a second reporter may still be matched to it; False: not read

    @property
    def check(self) -> str:
        """The digits of the checksum that a cursor carries, so that one of another history is recognised."""
        return self.checksum[:4]


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution, as its first reporter sent it. Prices and fees in dollars, quantity in contracts.

    With corrects it is the trade as it is now, and the last correction of a seq counts.
    """

    timestamp: Decimal  # Unix seconds, at most microseconds
    ticker: str
    side: Side
    quantity: Decimal  # 0: the bot voids the trade that it reported before under this trade_id and timestamp
    price: Decimal  # of the outcome that was traded
    trade_id: str
    source: str  # bot_live or kalshi_api
    mode: Mode
    outcome: Outcome = "yes"
    fee: Decimal | None = None
    order_id: str | None = None
    origin: Origin = "bot"
    boot_id: str | None = None  # the bot's process; not in the body
    fill_id: str | None = None  # the exchange's id, where the reporter knows it; not in the body
    strategy: str | None = None
    is_taker: bool | None = None
    mid: Decimal | None = None  # dollars: middle of the quotes when the bot decided
    decided_at: Decimal | None = None  # Unix seconds, as the next two
    sent_at: Decimal | None = None
    acknowledged_at: Decimal | None = None
    corrects: int | None = None  # of a correction: the seq of the entry that first recorded the trade

    @property
    def kind(self) -> Kind:
        """Return correction for other content of a trade in the journal under this trade_id and timestamp."""
        return "trade" if self.corrects is None else "correction"

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


@dataclass(frozen=True, slots=True)
class Settlement:
    """A market that paid out. value: dollars per YES contract, None where unknown; quantities: contracts held."""

    timestamp: Decimal
    ticker: str
    event_ticker: str
    result: str  # yes, no, scalar or void; new words of the exchange pass through
    value: Decimal | None
    yes_quantity: Decimal
    no_quantity: Decimal
    revenue: Decimal
    fee: Decimal
    source: str
    mode: Mode

    kind: Kind = "settlement"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit or a withdrawal. amount and fee are dollars, both positive."""

    timestamp: Decimal
    direction: Direction
    amount: Decimal
    fee: Decimal | None  # None where it is not reported
    transfer_id: str  # under another status it is another entry
    status: str  # the exchange's word
    source: str
    mode: Mode
    ticker: str = ""

    kind: Kind = "transfer"


@dataclass(frozen=True, slots=True)
class Gap:
    """Executions that may be missing: those between start and end (Unix seconds, start <= end, both included)."""

    timestamp: Decimal  # when backfilling was given up
    start: Decimal
    end: Decimal
    why: str
    source: str = "journal"
    ticker: str = ""
    from_seq: int | None = None  # the first and the last missing number, where the bot numbers its trades
    to_seq: int | None = None

    kind: Kind = "gap"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The positions and the cash that the account had when the journal began."""

    timestamp: Decimal
    positions: Sequence[Mapping[str, Any]]  # ticker, quantity (+ YES, - NO), cost, average_price, realized_pnl, fees
    source: str
    mode: Mode
    ticker: str = ""
    balance: Decimal | None = None  # dollars, None where it could not be read

    kind: Kind = "baseline"


Draft = Trade | Settlement | Transfer | Gap | Baseline
