"""What a bot's answers say: its trades and its state, each field read with care; what cannot be read is counted."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import blake2b
from typing import Any, Final

from ingest.errors import UnreadableRecord
from ingest.payload_fields import absent, number, snapped, token
from journal.entries import Mode, Outcome, Side, Trade

PRICE_STEP: Final = Decimal("0.0001")
QUANTITY_STEP: Final = Decimal("0.01")
MICROSECOND: Final = Decimal("0.000001")
EARLIEST, LATEST = Decimal(10**8), Decimal(10**11)  # beyond them a "second" is a millisecond or nonsense
MOST_CONTRACTS: Final = Decimal(10**9)
# What other bots call trades that move no money, and money of the exchange's demo; without case, spaces, dashes. A word
# that is neither says nothing of money (auto, maker, …).
PAPER_WORDS: Final = frozenset({
    "paper", "papertrade", "papertrading", "papermode", "dry", "dryrun", "sim", "simulate", "simulated", "simulation",
    "simulator", "backtest", "backtesting", "mock", "fake", "shadow", "test", "testing",
})  # fmt: skip
DEMO_WORDS: Final = frozenset({"demo", "sandbox", "testnet"})
PAPER_FLAGS: Final = (
    "paper",
    "paper_trading",
    "paper_mode",
    "is_paper",
    "dry_run",
    "dryrun",
    "simulated",
    "simulation",
)


@dataclass(frozen=True, slots=True)
class ReportedTrade:
    """One trade of a bot's window; seq is the bot's own number for it, where it gives one."""

    trade: Trade
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class BotReport:
    """A bot's window: what was read, oldest first, and what was not: a digest of each such record, and the reason."""

    trades: tuple[ReportedTrade, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def skipped(self) -> Mapping[str, int]:
        """How many records were not read, by reason."""
        return Counter(reason for _, reason in self.unread)


def joined(one: BotReport, more: BotReport) -> BotReport:
    """Two readings of one bot as a single window; one's word on what was not read stands."""
    known = {each.seq for each in one.trades}
    return BotReport(ordered([*one.trades, *(each for each in more.trades if each.seq not in known)]), one.unread)


def ordered(trades: Iterable[ReportedTrade]) -> tuple[ReportedTrade, ...]:
    """Oldest first; at one moment in the bot's own order."""
    return tuple(sorted(trades, key=lambda each: (each.trade.timestamp, each.seq or 0)))


@dataclass(frozen=True, slots=True)
class BotStatusReading:
    """A bot's status answer. loop_age: seconds since its own loop last turned, None when it does not say."""

    mode: Mode = "live"
    loop_age: float | None = None
    trades: int | None = None
    boot_id: str | None = None
    seq: int | None = None
    order_prefix: str | None = None


def read_trades(answer: object, mode: Mode) -> BotReport:
    """The trades in a list or in {"trades": […]}, in any order. Raises UnreadableRecord when it is neither."""
    records = answer.get("trades") if isinstance(answer, Mapping) else answer
    if not isinstance(records, list):
        raise UnreadableRecord("neither a list of trades nor an object with one")
    unread: list[tuple[str, str]] = []
    found = list(_readable(records, mode, unread))
    if found and found[0].trade.timestamp > found[-1].trade.timestamp:
        found.reverse()  # newest first: so those of one moment come in the order in which they were made, too
    return BotReport(ordered(found), tuple(unread))


def _readable(records: Iterable[object], mode: Mode, unread: list[tuple[str, str]]) -> Iterable[ReportedTrade]:
    for record in records:
        try:
            yield read_trade(record, mode)
        except UnreadableRecord as why:
            unread.append((blake2b(repr(record).encode("utf-8", "replace"), digest_size=8).hexdigest(), str(why)))


def read_trade(record: object, mode: Mode) -> ReportedTrade:
    """One record: the six that a bot must give, and those it may. Raises UnreadableRecord naming the field."""
    if not isinstance(record, Mapping):
        raise UnreadableRecord("not an object")
    trade = Trade(
        timestamp=_timestamp(record),
        ticker=token(record, "ticker"),
        side=_side(record),
        quantity=_quantity(record),
        price=_price(record),
        trade_id=token(record, "trade_id"),
        source="bot_live",
        mode=mode,
        outcome=_outcome(record),
        fee=_fee(record),
        order_id=_optional_token(record, "order_id"),
        boot_id=_optional_token(record, "boot_id"),
        fill_id=_optional_token(record, "fill_id"),
    )
    return ReportedTrade(trade, _count(record, "seq"))


def read_status(answer: object, now: float) -> BotStatusReading:
    """What the status answer says. Unknown fields and unreadable ones say nothing; it must be an object."""
    if not isinstance(answer, Mapping):
        raise UnreadableRecord("not an object")
    return BotStatusReading(
        mode=_mode(answer),
        loop_age=_loop_age(answer, now),
        trades=_count(answer, "trades", "trade_count", "trades_count", "total_trades"),
        boot_id=_optional_token(answer, "boot_id"),
        seq=_count(answer, "seq", "last_seq"),
        order_prefix=_optional_token(answer, "order_prefix"),
    )


def _timestamp(record: Mapping[str, Any]) -> Decimal:
    seconds = number(record, "timestamp")
    if seconds >= LATEST:
        raise UnreadableRecord("timestamp: in milliseconds, seconds were expected")
    if seconds < EARLIEST:
        raise UnreadableRecord("timestamp: not a Unix time")
    return seconds.quantize(MICROSECOND, ROUND_HALF_EVEN)


def _side(record: Mapping[str, Any]) -> Side:
    if absent(record, "side"):
        raise UnreadableRecord("side: missing")
    match str(record["side"]).upper():
        case "BUY":
            return "BUY"
        case "SELL":
            return "SELL"
    raise UnreadableRecord("side: neither BUY nor SELL")


def _outcome(record: Mapping[str, Any]) -> Outcome:
    if absent(record, "outcome"):
        return "yes"
    match str(record["outcome"]).lower():
        case "yes":
            return "yes"
        case "no":
            return "no"
    raise UnreadableRecord("outcome: neither yes nor no")


def _quantity(record: Mapping[str, Any]) -> Decimal:
    quantity = snapped(number(record, "quantity"), QUANTITY_STEP, "quantity")
    if not 0 < quantity <= MOST_CONTRACTS:
        raise UnreadableRecord("quantity: not positive" if quantity <= 0 else "quantity: too large")
    return quantity


def _price(record: Mapping[str, Any]) -> Decimal:
    price = number(record, "price")
    if not 0 < price <= 1:
        raise UnreadableRecord("price: not in dollars between 0 and 1")
    price = snapped(price, PRICE_STEP, "price")
    if not price:
        raise UnreadableRecord("price: not in dollars between 0 and 1")
    return price


def _fee(record: Mapping[str, Any]) -> Decimal | None:
    """An optional field that cannot be read is unknown; the trade itself is good and stays."""
    try:
        fee = number(record, "fee")
    except UnreadableRecord:
        return None
    return fee.quantize(MICROSECOND, ROUND_HALF_EVEN) if abs(fee) < MOST_CONTRACTS else None


def _optional_token(record: Mapping[str, Any], name: str) -> str | None:
    try:
        return token(record, name)
    except UnreadableRecord:
        return None


def _count(record: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            return value
    return None


def _mode(answer: Mapping[str, Any]) -> Mode:
    word = re.sub(r"[\s_-]", "", str(answer.get("mode") or "")).lower()
    if word in PAPER_WORDS or any(answer.get(flag) is True for flag in PAPER_FLAGS):
        return "paper"
    return "demo" if word in DEMO_WORDS else "live"


def _loop_age(answer: Mapping[str, Any], now: float) -> float | None:
    for name in ("loop_age", "last_loop_age"):
        try:
            return float(number(answer, name))
        except UnreadableRecord:
            continue
    try:
        return max(0.0, now - float(_timestamp(answer)))
    except UnreadableRecord:
        return None
