"""Records that the ledger adds up, read from the bodies of journal entries with every number checked.

Quantities are signed in YES terms: + buys YES, - sells YES, which is the same as buying NO at one minus the price.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from ledger.amounts import ONE, ZERO, complement

Body = Mapping[str, Any]


class RecordError(ValueError):
    """A field of an entry's body that the ledger cannot use; the text names kind, seq, field and value."""


class TradeRecord(NamedTuple):
    """One execution. corrects: the seq of the trade that it replaces; a quantity of 0 voids that trade."""

    seq: int
    timestamp: Decimal  # Unix seconds
    ticker: str
    quantity: Decimal  # contracts, + YES, - NO
    price: Decimal  # dollars of one YES contract
    fee: Decimal | None  # dollars; None where the reporter gave none
    corrects: int | None = None
    outside: bool = False  # made by the account, not by the bot


@dataclass(frozen=True, slots=True)
class SettlementRecord:
    """The payout of a market. revenue is what the account was paid; fee repeats the fees of the market's trades."""

    seq: int
    timestamp: Decimal
    ticker: str
    result: str
    value: Decimal | None  # dollars of one YES contract; None only where net is 0
    net: Decimal  # contracts, + YES, - NO: the difference of the gross counts
    revenue: Decimal
    fee: Decimal

    @property
    def expected_revenue(self) -> Decimal:
        """Return the dollars that the net contracts should be paid at this value."""
        if self.value is None:
            return ZERO
        return abs(self.net) * (self.value if self.net >= 0 else complement(self.value))


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """A deposit or a withdrawal in one of its states; only an applied one has moved the balance."""

    seq: int
    timestamp: Decimal
    transfer_id: str
    direction: str  # deposit or withdrawal
    amount: Decimal
    fee: Decimal
    status: str


@dataclass(frozen=True, slots=True)
class ReportedPosition:
    """One market as the exchange reports it: contracts + YES, - NO, and dollars."""

    quantity: Decimal
    cost: Decimal
    realized: Decimal
    fees: Decimal

    @property
    def traded_cash(self) -> Decimal:
        """Dollars that buying and selling moved, fees included."""
        return self.realized - self.cost - self.fees


@dataclass(frozen=True, slots=True)
class BaselineRecord:
    """The account at the first start: earlier entries are included in it. balance is None where it was not read."""

    seq: int
    timestamp: Decimal
    balance: Decimal | None
    positions: Mapping[str, ReportedPosition]


def read_trade(body: Body) -> TradeRecord:
    """Read the body of a trade or a correction. Raises RecordError."""
    quantity, price, fee = _number(body, "quantity"), _number(body, "price"), body.get("fee")
    side, outcome, corrects = body.get("side"), body.get("outcome"), body.get("corrects")
    if side not in ("BUY", "SELL") or outcome not in ("yes", "no"):
        raise _error(body, "side", "BUY or SELL of outcome yes or no")
    if quantity <= ZERO and (quantity or corrects is None):
        raise _error(body, "quantity", "contracts above 0")
    if not ZERO <= price <= ONE:
        raise _error(body, "price", "dollars from 0 to 1")
    return TradeRecord(
        body["seq"], _number(body, "timestamp"), _text(body, "ticker"),
        quantity if (side == "BUY") == (outcome == "yes") else -quantity,
        price if outcome == "yes" else complement(price),
        None if fee is None else _number(body, "fee"), corrects, body.get("origin") == "account",
    )  # fmt: skip


def read_settlement(body: Body) -> SettlementRecord:
    """Read the body of a settlement. Raises RecordError where value is outside 0..1 or contradicts the result.

    Only a market of which as many YES as NO were held may have no value.
    """
    revenue, result = _number(body, "revenue"), _text(body, "result")
    net = _number(body, "yes_quantity") - _number(body, "no_quantity")
    value = None if body.get("value") is None and not net else _number(body, "value")
    if value is not None and not 0 <= value <= 1:
        raise _error(body, "value", "a payout from 0 to 1")
    if (result == "yes" and value not in (None, 1)) or (result == "no" and value == 1):
        raise _error(body, "value", f"the payout of result {result}")
    if revenue < 0:
        raise _error(body, "revenue", "dollars from 0")
    return SettlementRecord(
        body["seq"], _number(body, "timestamp"), _text(body, "ticker"), result, value, net, revenue,
        _number(body, "fee"),
    )  # fmt: skip


def read_transfer(body: Body) -> TransferRecord:
    """Read the body of a transfer. Raises RecordError."""
    direction, amount = body.get("direction"), _number(body, "amount")
    if direction not in ("deposit", "withdrawal"):
        raise _error(body, "direction", "deposit or withdrawal")
    if amount < 0:
        raise _error(body, "amount", "dollars from 0")
    fee = ZERO if body.get("fee") is None else _number(body, "fee")
    return TransferRecord(
        body["seq"], _number(body, "timestamp"), _text(body, "transfer_id"), str(direction), amount, fee,
        _text(body, "status"),
    )  # fmt: skip


def read_baseline(body: Body) -> BaselineRecord:
    """Read the body of a baseline. Raises RecordError, also for a ticker that stands twice."""
    positions: dict[str, ReportedPosition] = {}
    rows = body.get("positions")
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise _error(body, "positions", "a list of objects")
    for row in rows:
        ticker = _text(row, "ticker")
        opening = ReportedPosition(*(_number(row, name) for name in ("quantity", "cost", "realized_pnl", "fees")))
        if ticker in positions:
            raise _error(body, "positions", f"one row for {ticker}")
        if opening.cost < 0:
            raise _error(row, "cost", "dollars from 0")
        positions[ticker] = opening
    balance = None if body.get("balance") is None else _number(body, "balance")
    return BaselineRecord(body["seq"], _number(body, "timestamp"), balance, positions)


def _number(body: Body, name: str) -> Decimal:
    value = body.get(name)
    if type(value) is Decimal and value.is_finite():
        return value
    if type(value) is int:
        return Decimal(value)
    raise _error(body, name, "an exact number")


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _error(body, name, "a text")
    return value


def _error(body: Body, name: str, expected: str) -> RecordError:
    value = body.get(name)
    text = f"{value}" if isinstance(value, Decimal) else f"{value!r:.60}"
    return RecordError(f"entry {body.get('seq', '?')}: {name}: expected {expected}, got {text}")
