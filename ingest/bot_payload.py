"""A bot's response: exact, short and printable fields, words for a mode, and trades; a bad one has a reason."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from typing import Any, Final, TypeVar

from journal.entries import Mode, Outcome, Side, Trade
from ledger.amounts import ZERO

T = TypeVar("T")
Record = Mapping[str, Any]
MAX_LENGTH: Final = 128  # characters of a ticker or an id
FLOAT_NOISE: Final = Decimal("1e-9")  # float arithmetic may add as much to a decimal number: 0.1 + 0.2
PRICE_STEP: Final = Decimal("0.0001")
QUANTITY_STEP: Final = Decimal("0.01")
MICROSECOND: Final = Decimal("0.000001")
EARLIEST: Final = Decimal(10**9)  # Unix seconds, September 2001
MILLISECONDS_FROM: Final = Decimal(10**11)  # a larger number of seconds lies after the year 5000
FUTURE_TOLERANCE: Final = 86_400  # seconds by which a bot's clock may be ahead of ours
MAX_CONTRACTS: Final = Decimal(10**9)
SIDES: Final[dict[str, Side]] = {"buy": "BUY", "sell": "SELL"}
OUTCOMES: Final[dict[str, Outcome]] = {"yes": "yes", "no": "no"}
# Words are compared in lower case, without spaces, underscores and dashes. Another one (auto, maker) names no mode.
MODE_WORDS: Final[dict[str, Mode]] = {
    **dict.fromkeys(("paper", "papertrade", "papertrading", "papermode", "dry", "dryrun", "sim", "simulate"), "paper"),
    **dict.fromkeys(("simulated", "simulation", "simulator", "backtest", "backtesting", "mock", "fake"), "paper"),
    **dict.fromkeys(("shadow", "test", "testing"), "paper"),
    **dict.fromkeys(("demo", "sandbox", "testnet"), "demo"),
    **dict.fromkeys(("live", "real", "production", "prod", "livetrading"), "live"),
}
PAPER_FLAGS: Final = (
    "paper", "paper_trading", "paper_mode", "is_paper", "dry_run", "dryrun", "simulated", "simulation",
)  # fmt: skip
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?")
_ISO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)")


class BotResponseError(Exception):
    """A response of the bot is missing or useless; the message repeats for the same failure."""


class UnreadableRecord(BotResponseError):
    """A record or a response lacks a field or holds a wrong value; the message names the field."""


def required(record: Record, name: str) -> Any:
    """Return the value of a field, which is not null."""
    if (value := record.get(name)) is None:
        raise UnreadableRecord(f"{name}: missing")
    return value


def optional(read: Callable[[Record, str], T], record: Record, name: str) -> T | None:
    """Return the field as read() gives it, or None where it is absent or unreadable."""
    try:
        return read(record, name)
    except UnreadableRecord:
        return None


def number(record: Record, name: str) -> Decimal:
    """Return a finite number that stands as a number or as text."""
    value = required(record, name)
    is_number = _NUMBER.fullmatch(value) if isinstance(value, str) else isinstance(value, int | Decimal)
    if not is_number or isinstance(value, bool):
        raise UnreadableRecord(f"{name}: not a number")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 20:
        raise UnreadableRecord(f"{name}: out of range")
    return exact


def _rounded(record: Record, name: str, step: Decimal) -> Decimal:
    """Return the multiple of step within 1e-9 of a number."""
    value = number(record, name)
    near = value.quantize(step, ROUND_HALF_EVEN)
    if abs(near - value) > FLOAT_NOISE:
        raise UnreadableRecord(f"{name}: finer than {step}")
    return near


def _is_iso_time(value: object) -> bool:
    """Return True for text such as 2026-11-27T06:12:09.5Z, with a time zone."""
    return isinstance(value, str) and _ISO_TIME.fullmatch(value) is not None


def seconds_of(record: Record, name: str) -> Decimal:
    """Return Unix seconds of a number, or to the microsecond of an ISO 8601 time."""
    if not _is_iso_time(record.get(name)):
        return number(record, name)
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", record[name].upper()))
        return Decimal(int(moment.replace(microsecond=0).timestamp())) + Decimal(moment.microsecond) / 1_000_000
    except (ValueError, OverflowError):
        raise UnreadableRecord(f"{name}: not a time") from None


def token(record: Record, name: str) -> str:
    """Return a text without spaces or control characters, at most 128 characters; a whole number serves as one."""
    value = required(record, name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        value = str(value)
    if not isinstance(value, str) or not value:
        raise UnreadableRecord(f"{name}: expected a text without spaces")
    if len(value) > MAX_LENGTH:
        raise UnreadableRecord(f"{name}: longer than {MAX_LENGTH} characters")
    if not value.isprintable() or any(map(str.isspace, value)):
        raise UnreadableRecord(f"{name}: spaces or control characters")
    return value


def optional_count(record: Record, *names: str) -> int | None:
    """Return the first field of these that holds a whole number from 0 to 2**63 - 1, or None."""
    values = (record.get(name) for name in names)
    return next((each for each in values if type(each) is int and 0 <= each < 2**63), None)


def read_mode(record: Record) -> Mode | None:
    """Return the mode that a status or a trade names by word or by flag, or None."""
    if any(record.get(flag) is True for flag in PAPER_FLAGS):
        return "paper"
    return MODE_WORDS.get(normalized(record.get("mode")))


def normalized(word: object) -> str:
    """Return a word as the tables have it."""
    return re.sub(r"[\s_-]", "", str(word or "")).lower()


@dataclass(frozen=True, slots=True)
class ReportedTrade:
    """One trade of a bot's window."""

    trade: Trade  # its mode is valid only if own_mode is set or the caller replaces it
    seq: int | None = None  # the bot's own number of the trade
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
    """Read six required fields; a bad optional one is None. mixed: the window's units of time differ."""
    if not isinstance(record, Mapping):
        raise UnreadableRecord("not an object")
    mode, taker = read_mode(record), record.get("is_taker")
    names: dict[str, Any] = {
        name: optional(token, record, name) for name in ("order_id", "boot_id", "fill_id", "strategy")
    }
    numbers: dict[str, Any] = {
        name: _micros(record, name, ZERO, MILLISECONDS_FROM)
        for name in ("mid", "decided_at", "sent_at", "acknowledged_at")
    }
    trade = Trade(
        _timestamp(record, mixed, now), token(record, "ticker"), _one_of(record, "side", SIDES), _quantity(record),
        _price(record), token(record, "trade_id"), "bot_live", mode or "live",
        outcome="yes" if record.get("outcome") is None else _one_of(record, "outcome", OUTCOMES),
        fee=_micros(record, "fee", -MAX_CONTRACTS, MAX_CONTRACTS),
        is_taker=taker if isinstance(taker, bool) else None, **names, **numbers,
    )  # fmt: skip
    return ReportedTrade(trade, optional_count(record, "seq"), mode)


def _one_of(record: Record, name: str, words: Mapping[str, T]) -> T:
    """Return the value of a word, which is compared in lower case."""
    if (found := words.get(str(required(record, name)).lower())) is None:
        raise UnreadableRecord(f"{name}: neither {' nor '.join(map(str, words.values()))}")
    return found


def _micros(record: Record, name: str, low: Decimal, high: Decimal) -> Decimal | None:
    """Return an optional number to the sixth decimal; None where it is absent, unreadable or out of range."""
    value = optional(number, record, name)
    return None if value is None or not low <= value < high else value.quantize(MICROSECOND, ROUND_HALF_EVEN)


def _time_unit(record: Record) -> str:
    """Return the unit of a record's timestamp; seconds where it cannot be read."""
    if _is_iso_time(record.get("timestamp")):
        return "ISO 8601"
    return "milliseconds" if (optional(number, record, "timestamp") or 0) >= MILLISECONDS_FROM else "seconds"


def _timestamp(record: Record, mixed: bool, now: float) -> Decimal:
    unit = _time_unit(record)
    if mixed and unit != "seconds":
        raise UnreadableRecord(f"timestamp: {unit} beside records in other units")
    seconds = seconds_of(record, "timestamp") / (1000 if unit == "milliseconds" else 1)
    if seconds < EARLIEST:
        raise UnreadableRecord("timestamp: not a Unix time")
    if seconds > Decimal(now) + FUTURE_TOLERANCE:
        raise UnreadableRecord("timestamp: more than a day in the future")
    return seconds.quantize(MICROSECOND, ROUND_HALF_EVEN)


def _quantity(record: Record) -> Decimal:
    quantity = _rounded(record, "quantity", QUANTITY_STEP)
    if not 0 <= quantity <= MAX_CONTRACTS:  # 0 voids the trade that was reported under this id and time
        raise UnreadableRecord("quantity: negative" if quantity < 0 else "quantity: too large")
    return quantity


def _price(record: Record) -> Decimal:
    if not 0 < number(record, "price") <= 1 or not (price := _rounded(record, "price", PRICE_STEP)):
        raise UnreadableRecord("price: not in dollars between 0 and 1")
    return price
