"""A bot's trades response: one record a trade, each field checked; a record that cannot be read keeps its reason."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from typing import Any, Final

from ingest import payload_fields as fields
from ingest.bot_status import read_mode
from ingest.payload_fields import Record, UnreadableRecord
from journal.entries import Mode, Outcome, Side, Trade
from ledger.amounts import ZERO

PRICE_STEP: Final = Decimal("0.0001")
QUANTITY_STEP: Final = Decimal("0.01")
MICROSECOND: Final = Decimal("0.000001")
EARLIEST: Final = Decimal(10**9)  # Unix seconds, September 2001
MILLISECONDS_FROM: Final = Decimal(10**11)  # a larger number of seconds lies after the year 5000
FUTURE_TOLERANCE: Final = 86_400  # seconds by which a bot's clock may be ahead of ours
MAX_CONTRACTS: Final = Decimal(10**9)
SIDES: Final[dict[str, Side]] = {"buy": "BUY", "sell": "SELL"}
DECISION_NUMBERS: Final = ("mid", "decided_at", "sent_at", "acknowledged_at")
OUTCOMES: Final[dict[str, Outcome]] = {"yes": "yes", "no": "no"}


@dataclass(frozen=True, slots=True)
class ReportedTrade:
    """One trade of a bot's window.

    trade.mode is valid only if own_mode is set or the caller replaces it. seq: the bot's own number of the trade.
    """

    trade: Trade
    seq: int | None = None
    own_mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class BotReport:
    """A bot's window: trades that were read, oldest first, and a digest and a reason for each record that was not."""

    trades: tuple[ReportedTrade, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def unread_by_reason(self) -> Mapping[str, int]:
        """Return the number of unread records for each reason."""
        return Counter(reason for _, reason in self.unread)

    def with_more(self, more: "BotReport") -> "BotReport":
        """Return this report and the trades of another one of the same bot as a single window."""
        known = {each.seq for each in self.trades}
        added = (each for each in more.trades if each.seq not in known)
        return BotReport(_ordered([*self.trades, *added]), self.unread)


def _ordered(trades: Iterable[ReportedTrade]) -> tuple[ReportedTrade, ...]:
    """Return trades oldest first; trades of one moment keep the bot's own order."""
    return tuple(sorted(trades, key=lambda each: (each.trade.timestamp, each.seq or 0)))


def read_trades(answer: object, now: float) -> BotReport:
    """Read a list of trades or an object {"trades": […]} in any order.

    now: Unix seconds; a trade more than a day ahead is unreadable. Times are seconds; milliseconds or ISO 8601 are
    accepted where the whole window agrees on them. Raises UnreadableRecord: no list of trades.
    """
    records = answer.get("trades") if isinstance(answer, Mapping) else answer
    if not isinstance(records, list):
        raise UnreadableRecord("neither a list of trades nor an object with one")
    mixed = len({_time_unit(record) for record in records if isinstance(record, Mapping)}) > 1
    found: list[ReportedTrade] = []
    unread: list[tuple[str, str]] = []
    for record in records:
        try:
            found.append(_read_trade(record, mixed, now))
        except UnreadableRecord as error:
            digest = blake2b(repr(record).encode("utf-8", "replace"), digest_size=8).hexdigest()
            unread.append((digest, str(error)))
    if found and found[0].trade.timestamp > found[-1].trade.timestamp:
        found.reverse()  # the bot lists the newest first; this keeps the order of trades with equal times
    return BotReport(_ordered(found), tuple(unread))


def _read_trade(record: object, mixed: bool, now: float) -> ReportedTrade:
    """Read six required fields; the rest is optional. mixed: the window's records disagree on the unit of time."""
    if not isinstance(record, Mapping):
        raise UnreadableRecord("not an object")
    mode = read_mode(record)
    trade = Trade(
        timestamp=_timestamp(record, mixed, now),
        ticker=fields.token(record, "ticker"),
        side=fields.one_of(record, "side", SIDES),
        quantity=_quantity(record),
        price=_price(record),
        trade_id=fields.token(record, "trade_id"),
        source="bot_live",
        mode=mode or "live",
        outcome="yes" if record.get("outcome") is None else fields.one_of(record, "outcome", OUTCOMES),
        fee=_micros(record, "fee", -MAX_CONTRACTS, MAX_CONTRACTS),
        **_optional_fields(record),
    )
    return ReportedTrade(trade, fields.optional_count(record, "seq"), mode)


def _optional_fields(record: Record) -> dict[str, Any]:
    """Return fields for Trade; one that cannot be read is None."""
    taker = record.get("is_taker")
    return {
        "is_taker": taker if isinstance(taker, bool) else None,
        **{
            name: fields.optional(fields.token, record, name) for name in ("order_id", "boot_id", "fill_id", "strategy")
        },
        **{name: _micros(record, name, ZERO, MILLISECONDS_FROM) for name in DECISION_NUMBERS},
    }


def _micros(record: Record, name: str, low: Decimal, high: Decimal) -> Decimal | None:
    """Return an optional number to the sixth decimal; None where it is absent, unreadable or out of range."""
    value = fields.optional(fields.number, record, name)
    return None if value is None or not low <= value < high else value.quantize(MICROSECOND, ROUND_HALF_EVEN)


def _time_unit(record: Record) -> str:
    """Return the unit of a record's timestamp; seconds where it cannot be read."""
    if fields.is_iso_time(record.get("timestamp")):
        return "ISO 8601"
    return (
        "milliseconds" if (fields.optional(fields.number, record, "timestamp") or 0) >= MILLISECONDS_FROM else "seconds"
    )


def _timestamp(record: Record, mixed: bool, now: float) -> Decimal:
    unit = _time_unit(record)
    if mixed and unit != "seconds":
        raise UnreadableRecord(f"timestamp: {unit} beside records in other units")
    seconds = fields.seconds_of(record, "timestamp") / (1000 if unit == "milliseconds" else 1)
    if seconds < EARLIEST:
        raise UnreadableRecord("timestamp: not a Unix time")
    if seconds > Decimal(now) + FUTURE_TOLERANCE:
        raise UnreadableRecord("timestamp: more than a day in the future")
    return seconds.quantize(MICROSECOND, ROUND_HALF_EVEN)


def _quantity(record: Record) -> Decimal:
    quantity = fields.rounded_number(record, "quantity", QUANTITY_STEP)
    if not 0 <= quantity <= MAX_CONTRACTS:  # 0 voids the trade that was reported under this id and time
        raise UnreadableRecord("quantity: negative" if quantity < 0 else "quantity: too large")
    return quantity


def _price(record: Record) -> Decimal:
    if not 0 < fields.number(record, "price") <= 1 or not (price := fields.rounded_number(record, "price", PRICE_STEP)):
        raise UnreadableRecord("price: not in dollars between 0 and 1")
    return price
