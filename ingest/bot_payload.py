"""A bot's trades response: one record a trade, each field checked; a record that cannot be read keeps its reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from typing import Any, Final

from ingest.bot_status_payload import read_mode
from ingest.errors import UnreadableRecord
from ingest.payload_fields import (
    is_absent,
    is_iso_time,
    iso_time,
    number,
    optional_count,
    optional_token,
    rounded_to_step,
    token,
)
from journal.entries import Mode, Outcome, Side, Trade

PRICE_STEP: Final = Decimal("0.0001")
QUANTITY_STEP: Final = Decimal("0.01")
MICROSECOND: Final = Decimal("0.000001")
EARLIEST: Final = Decimal(10**9)  # Unix seconds, September 2001
MILLISECONDS_FROM: Final = Decimal(10**11)  # a larger number of seconds lies after the year 5000
FUTURE_TOLERANCE: Final = 86_400  # seconds by which a bot's clock may be ahead of ours
MAX_CONTRACTS: Final = Decimal(10**9)

TimeReader = Callable[[Mapping[str, Any]], Decimal]


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


def merged(first: BotReport, more: BotReport) -> BotReport:
    """Return two reports of one bot as a single window; unread records are those of the first."""
    known = {each.seq for each in first.trades}
    return BotReport(ordered([*first.trades, *(each for each in more.trades if each.seq not in known)]), first.unread)


def ordered(trades: Iterable[ReportedTrade]) -> tuple[ReportedTrade, ...]:
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
    read_time = _time_reader(records, now)
    found: list[ReportedTrade] = []
    unread: list[tuple[str, str]] = []
    for record in records:
        try:
            found.append(read_trade(record, read_time))
        except UnreadableRecord as error:
            digest = blake2b(repr(record).encode("utf-8", "replace"), digest_size=8).hexdigest()
            unread.append((digest, str(error)))
    if found and found[0].trade.timestamp > found[-1].trade.timestamp:
        found.reverse()  # the bot lists the newest first; this keeps the order of trades with equal times
    return BotReport(ordered(found), tuple(unread))


def read_trade(record: object, read_time: TimeReader) -> ReportedTrade:
    """Read one record: six required fields, the rest optional. Raises UnreadableRecord naming the field."""
    if not isinstance(record, Mapping):
        raise UnreadableRecord("not an object")
    mode = read_mode(record)
    trade = Trade(
        timestamp=read_time(record),
        ticker=token(record, "ticker"),
        side=_side(record),
        quantity=_quantity(record),
        price=_price(record),
        trade_id=token(record, "trade_id"),
        source="bot_live",
        mode=mode or "live",
        outcome=_outcome(record),
        fee=_fee(record),
        order_id=optional_token(record, "order_id"),
        boot_id=optional_token(record, "boot_id"),
        fill_id=optional_token(record, "fill_id"),
        **_decision(record),
    )
    return ReportedTrade(trade, optional_count(record, "seq"), mode)


def _decision(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the optional fields about the bot's decision, for Trade; one that cannot be read is None."""
    taker = record.get("is_taker")
    names = ("mid", "decided_at", "sent_at", "acknowledged_at")
    return {
        "strategy": optional_token(record, "strategy"),
        "is_taker": taker if isinstance(taker, bool) else None,
        **{name: _optional_number(record, name) for name in names},
    }


def _optional_number(record: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        value = number(record, name)
    except UnreadableRecord:
        return None
    return value.quantize(MICROSECOND, ROUND_HALF_EVEN) if 0 <= value < MILLISECONDS_FROM else None


def _time_reader(records: Sequence[object], now: float) -> TimeReader:
    """Return a reader of timestamps in the unit that all records share, else one that accepts seconds alone."""
    values = [record.get("timestamp") for record in records if isinstance(record, Mapping)]
    if values and all(is_iso_time(value) for value in values):
        return lambda record: _within_range(iso_time(record["timestamp"], "timestamp"), now)
    if values and all(_is_milliseconds(record) for record in records if isinstance(record, Mapping)):
        return lambda record: _within_range(number(record, "timestamp") / 1000, now)
    return lambda record: _seconds(record, now)


def _is_milliseconds(record: Mapping[str, Any]) -> bool:
    try:
        return MILLISECONDS_FROM <= number(record, "timestamp") < 1000 * MILLISECONDS_FROM
    except UnreadableRecord:
        return False


def _seconds(record: Mapping[str, Any], now: float) -> Decimal:
    if is_iso_time(record.get("timestamp")):
        raise UnreadableRecord("timestamp: ISO 8601 beside records in other units")
    value = number(record, "timestamp")
    if value >= MILLISECONDS_FROM:
        raise UnreadableRecord("timestamp: milliseconds beside records in other units")
    return _within_range(value, now)


def _within_range(seconds: Decimal, now: float) -> Decimal:
    if seconds < EARLIEST:
        raise UnreadableRecord("timestamp: not a Unix time")
    if seconds > Decimal(now) + FUTURE_TOLERANCE:
        raise UnreadableRecord("timestamp: more than a day in the future")
    return seconds.quantize(MICROSECOND, ROUND_HALF_EVEN)


def _side(record: Mapping[str, Any]) -> Side:
    if is_absent(record, "side"):
        raise UnreadableRecord("side: missing")
    match str(record["side"]).upper():
        case "BUY":
            return "BUY"
        case "SELL":
            return "SELL"
    raise UnreadableRecord("side: neither BUY nor SELL")


def _outcome(record: Mapping[str, Any]) -> Outcome:
    if is_absent(record, "outcome"):
        return "yes"
    match str(record["outcome"]).lower():
        case "yes":
            return "yes"
        case "no":
            return "no"
    raise UnreadableRecord("outcome: neither yes nor no")


def _quantity(record: Mapping[str, Any]) -> Decimal:
    quantity = rounded_to_step(number(record, "quantity"), QUANTITY_STEP, "quantity")
    if not 0 <= quantity <= MAX_CONTRACTS:  # 0 voids the trade that was reported under this id and time
        raise UnreadableRecord("quantity: negative" if quantity < 0 else "quantity: too large")
    return quantity


def _price(record: Mapping[str, Any]) -> Decimal:
    price = number(record, "price")
    if not 0 < price <= 1:
        raise UnreadableRecord("price: not in dollars between 0 and 1")
    price = rounded_to_step(price, PRICE_STEP, "price")
    if not price:
        raise UnreadableRecord("price: not in dollars between 0 and 1")
    return price


def _fee(record: Mapping[str, Any]) -> Decimal | None:
    """Return the fee in dollars, or None where it is absent or unreadable: the trade itself stays readable."""
    try:
        fee = number(record, "fee")
    except UnreadableRecord:
        return None
    return fee.quantize(MICROSECOND, ROUND_HALF_EVEN) if abs(fee) < MAX_CONTRACTS else None
