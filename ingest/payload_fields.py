"""Single fields of a foreign record: exact numbers and short printable words, or a reason why not."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from ingest.errors import UnreadableRecord

LONGEST: Final = 128  # characters of a ticker or an id
NOISE: Final = Decimal("1e-9")  # what float arithmetic may add to a decimal number: 0.1 + 0.2
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?")


def absent(record: Mapping[str, Any], name: str) -> bool:
    """Whether the field is missing or null."""
    return record.get(name) is None


def number(record: Mapping[str, Any], name: str) -> Decimal:
    """A finite number given as a number or as text. Raises UnreadableRecord."""
    if absent(record, name):
        raise UnreadableRecord(f"{name}: missing")
    value = record[name]
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise UnreadableRecord(f"{name}: not a number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise UnreadableRecord(f"{name}: not a number")
    if isinstance(value, int) and abs(value) >= 10**20:
        raise UnreadableRecord(f"{name}: too large")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > 20:
        raise UnreadableRecord(f"{name}: not a number of this world")
    return exact


def snapped(value: Decimal, step: Decimal, name: str) -> Decimal:
    """The multiple of step that value is, float noise forgiven. Raises UnreadableRecord when it is none."""
    near = value.quantize(step, ROUND_HALF_EVEN)
    if abs(near - value) > NOISE:
        raise UnreadableRecord(f"{name}: finer than {step}")
    return near


def token(record: Mapping[str, Any], name: str) -> str:
    """A word without spaces or control characters, at most 128 long; a whole number serves as one."""
    if absent(record, name):
        raise UnreadableRecord(f"{name}: missing")
    value = record[name]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        value = str(value)
    if not isinstance(value, str) or not value:
        raise UnreadableRecord(f"{name}: not a word")
    if len(value) > LONGEST:
        raise UnreadableRecord(f"{name}: longer than {LONGEST} characters")
    if not value.isprintable() or any(map(str.isspace, value)):
        raise UnreadableRecord(f"{name}: spaces or control characters")
    return value
