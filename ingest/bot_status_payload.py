"""A bot's status response: its mode, its activity, its counters, and the clock of its own loop."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from ingest.errors import UnreadableRecord
from ingest.payload_fields import is_iso_time, iso_time, number, optional_count, optional_text, optional_token
from journal.entries import Mode

Activity = Literal["trading", "paused", "halted", "refused", "stopped", "other"]

# Compared in lower case, without spaces, underscores and dashes. A word in neither set (auto, maker) names no mode.
PAPER_WORDS: Final = frozenset({
    "paper", "papertrade", "papertrading", "papermode", "dry", "dryrun", "sim", "simulate", "simulated", "simulation",
    "simulator", "backtest", "backtesting", "mock", "fake", "shadow", "test", "testing",
})  # fmt: skip
DEMO_WORDS: Final = frozenset({"demo", "sandbox", "testnet"})
LIVE_WORDS: Final = frozenset({"live", "real", "production", "prod", "livetrading"})
PAPER_FLAGS: Final = (
    "paper", "paper_trading", "paper_mode", "is_paper", "dry_run", "dryrun", "simulated", "simulation",
)  # fmt: skip
ACTIVITY_WORDS: Final[dict[str, Activity]] = {
    **dict.fromkeys(("trading", "running", "ok", "online", "active", "up", "healthy", "alive", "started"), "trading"),
    **dict.fromkeys(("paused", "pause", "pausing", "suspended", "idle", "waiting", "maintenance"), "paused"),
    **dict.fromkeys(("halted", "halt", "killed", "killswitch", "emergencystop", "locked"), "halted"),
    **dict.fromkeys(("refused", "rejected", "blocked", "denied"), "refused"),
    **dict.fromkeys(("stopped", "stop", "stopping", "shutdown", "exited", "terminated", "finished"), "stopped"),
}  # fmt: skip
ACTIVITY_FIELDS: Final = ("activity", "state", "status")
REASON_FIELDS: Final = ("reason", "halt_reason", "trouble", "error", "message", "detail")


@dataclass(frozen=True, slots=True)
class BotStatusReading:
    """One status response. A field that the bot does not give is None.

    mode: None if the response has no word on it. loop_age: seconds since the bot's own loop last turned.
    loop_time: the timestamp of the response, compared only with earlier ones of the same bot.
    trades: the bot's own count of its trades. seq: the number of its newest trade. positions: contracts by ticker,
    + YES, - NO.
    """

    mode: Mode | None = None
    activity: Activity | None = None
    reason: str = ""
    loop_age: float | None = None
    loop_time: Decimal | None = None
    trades: int | None = None
    boot_id: str | None = None
    seq: int | None = None
    order_prefix: str | None = None
    positions: Mapping[str, Decimal] | None = None


def read_status(answer: object) -> BotStatusReading:
    """Read a status response; unknown and unreadable fields count as absent. Raises UnreadableRecord: not an object."""
    if not isinstance(answer, Mapping):
        raise UnreadableRecord("not an object")
    activity, unknown_word = read_activity(answer)
    reason = optional_text(answer, *REASON_FIELDS)
    if unknown_word:
        reason = f'the bot says "{unknown_word}"' + (f": {reason}" if reason else "")
    return BotStatusReading(
        mode=read_mode(answer),
        activity=activity,
        reason=reason,
        loop_age=_loop_age(answer),
        loop_time=_loop_time(answer),
        trades=optional_count(answer, "trades", "trade_count", "trades_count", "total_trades"),
        boot_id=optional_token(answer, "boot_id"),
        seq=optional_count(answer, "seq", "last_seq"),
        order_prefix=optional_token(answer, "order_prefix"),
        positions=_positions(answer),
    )


def read_mode(record: Mapping[str, Any]) -> Mode | None:
    """Return the mode that a status or a trade names by word or by flag, or None."""
    if any(record.get(flag) is True for flag in PAPER_FLAGS):
        return "paper"
    word = _normalized(record.get("mode"))
    if word in PAPER_WORDS:
        return "paper"
    if word in DEMO_WORDS:
        return "demo"
    return "live" if word in LIVE_WORDS else None


def read_activity(record: Mapping[str, Any]) -> tuple[Activity | None, str]:
    """Return the activity that a status names, and its own word where the table has none ("other")."""
    for flag, activity in (("halted", "halted"), ("paused", "paused")):
        if record.get(flag) is True:
            return ACTIVITY_WORDS[activity], ""
    found: Activity | None = None
    for name in ACTIVITY_FIELDS:
        if not (word := optional_text(record, name)):
            continue
        known = ACTIVITY_WORDS.get(_normalized(word))
        if known is None:
            return "other", word
        if found in (None, "trading"):  # a word of trouble in a later field outweighs "ok" in an earlier one
            found = known
    if record.get("running") is False and found in (None, "trading"):
        return "stopped", ""
    return ("trading" if found is None and record.get("running") is True else found), ""


def _normalized(word: object) -> str:
    return re.sub(r"[\s_-]", "", str(word or "")).lower()


def _loop_age(answer: Mapping[str, Any]) -> float | None:
    for name in ("loop_age", "last_loop_age"):
        try:
            return float(number(answer, name))
        except UnreadableRecord:
            continue
    return None


def _loop_time(answer: Mapping[str, Any]) -> Decimal | None:
    value = answer.get("timestamp")
    try:
        return iso_time(str(value), "timestamp") if is_iso_time(value) else number(answer, "timestamp")
    except UnreadableRecord:
        return None


def _positions(answer: Mapping[str, Any]) -> dict[str, Decimal] | None:
    """Read {ticker: contracts}; None without such an object or where one of its numbers cannot be read."""
    value = answer.get("positions")
    if not isinstance(value, Mapping) or not all(isinstance(ticker, str) for ticker in value):
        return None
    try:
        return {ticker: number(value, ticker) for ticker in value}
    except UnreadableRecord:
        return None
