"""Lists in pages: newest first, an opaque cursor, an empty one at the end."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from simulator.refusal import bad_parameter

T = TypeVar("T")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


def limit_of(query: Mapping[str, str], default: int = 100, low: int = 1, high: int = 1000) -> int:
    """The page size; above the maximum is an error, not a clamp (recorded demo server)."""
    return whole(query, "limit", default, low, high)


def whole(query: Mapping[str, str], name: str, default: int, low: int = 0, high: int = 2**53) -> int:
    """A whole number in a query; refuses anything else."""
    text = query.get(name, "")
    if not text:
        return default
    if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
        raise bad_parameter(name)
    return int(text)


def word(query: Mapping[str, str], name: str, allowed: Sequence[str], default: str = "") -> str:
    """One of some words in a query; refuses any other."""
    text = query.get(name, "") or default
    if text and text not in allowed:
        raise bad_parameter(name)
    return text


def page(rows: Sequence[T], key: Callable[[T], str], query: Mapping[str, str], limit: int) -> tuple[list[T], str]:
    """One page of rows that are newest first, and the cursor of the next, "" at the end.

    A cursor names the last row of its page, so rows that come in at the front shift nothing; a cursor that
    does not decode, or names nothing, starts at page 1 (recorded demo server).
    """
    start, last = 0, _decode(query.get("cursor", ""))
    if last:
        start = next((index + 1 for index, row in enumerate(rows) if key(row) == last), 0)
    part = list(rows[start : start + limit])
    more = part and start + limit < len(rows)
    return part, base64.urlsafe_b64encode(key(part[-1]).encode()).decode() if more else ""


def _decode(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        return ""
