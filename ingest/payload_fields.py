"""Fields of a bot's record: exact numbers, times and short printable words; a wrong one raises UnreadableRecord."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, TypeVar

T = TypeVar("T")
Record = Mapping[str, Any]
MAX_LENGTH: Final = 128  # characters of a ticker or an id
FLOAT_NOISE: Final = Decimal("1e-9")  # float arithmetic may add as much to a decimal number: 0.1 + 0.2
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?")
_ISO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)")


class BotResponseError(Exception):
    """A response of the bot is missing or useless; the message repeats for the same failure."""


class UnreadableRecord(BotResponseError):
    """A record or a response lacks a field or holds a wrong value; the message names the field."""


def field(record: Record, name: str) -> Any:
    """Return the value of a required field, which is not null."""
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
    value = field(record, name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise UnreadableRecord(f"{name}: not a number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise UnreadableRecord(f"{name}: not a number")
    if isinstance(value, int) and abs(value) >= 10**20:
        raise UnreadableRecord(f"{name}: too large")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 20:
        raise UnreadableRecord(f"{name}: out of range")
    return exact


def rounded_number(record: Record, name: str, step: Decimal) -> Decimal:
    """Return the multiple of step within 1e-9 of a number."""
    value = number(record, name)
    near = value.quantize(step, ROUND_HALF_EVEN)
    if abs(near - value) > FLOAT_NOISE:
        raise UnreadableRecord(f"{name}: finer than {step}")
    return near


def is_iso_time(value: object) -> bool:
    """Return True for text such as 2026-11-27T06:12:09.5Z, with a time zone."""
    return isinstance(value, str) and _ISO_TIME.fullmatch(value) is not None


def seconds_of(record: Record, name: str) -> Decimal:
    """Return Unix seconds of a number, or to the microsecond of an ISO 8601 time."""
    if not is_iso_time(record.get(name)):
        return number(record, name)
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", record[name].upper()))
        return Decimal(int(moment.replace(microsecond=0).timestamp())) + Decimal(moment.microsecond) / 1_000_000
    except (ValueError, OverflowError):
        raise UnreadableRecord(f"{name}: not a time") from None


def token(record: Record, name: str) -> str:
    """Return a text without spaces or control characters, at most 128 characters; a whole number serves as one."""
    value = field(record, name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        value = str(value)
    if not isinstance(value, str) or not value:
        raise UnreadableRecord(f"{name}: expected a text without spaces")
    if len(value) > MAX_LENGTH:
        raise UnreadableRecord(f"{name}: longer than {MAX_LENGTH} characters")
    if not value.isprintable() or any(map(str.isspace, value)):
        raise UnreadableRecord(f"{name}: spaces or control characters")
    return value


def one_of(record: Record, name: str, words: Mapping[str, T]) -> T:
    """Return the value of a word, which is compared in lower case."""
    if (found := words.get(str(field(record, name)).lower())) is None:
        raise UnreadableRecord(f"{name}: neither {' nor '.join(map(str, words.values()))}")
    return found


def optional_count(record: Record, *names: str) -> int | None:
    """Return the first field of these that holds a whole number from 0 to 2**63 - 1, or None."""
    for name in names:
        value = record.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
            return value
    return None


def optional_text(record: Record, *names: str) -> str:
    """Return the first non-empty text of these fields in printable characters, at most 200; "" for none."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            text = "".join(each if each.isprintable() else " " for each in value[:1000])
            return " ".join(text.split())[:200]
    return ""
