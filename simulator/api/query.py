"""Query parameters, and lists in pages: newest first, an opaque cursor that is empty on the last page."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from simulator.errors import bad_parameter

PageRow = TypeVar("PageRow")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")


def read_limit(query: Mapping[str, str], default: int = 100, low: int = 1, high: int = 1000) -> int:
    """Return the page size. Raises ApiError above the maximum; the exchange does not clamp (recorded demo server)."""
    return read_int(query, "limit", default, low, high)


def read_int(query: Mapping[str, str], name: str, default: int, low: int = 0, high: int = 2**53) -> int:
    """Return an integer parameter. Raises ApiError for anything else."""
    text = query.get(name, "")
    if not text:
        return default
    if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
        raise bad_parameter(name)
    return int(text)


def read_names(query: Mapping[str, str], name: str, most: int) -> list[str]:
    """Return the names of a parameter with commas between them. Raises ApiError for more than `most`."""
    names = [each for each in query.get(name, "").split(",") if each]
    if len(names) > most:
        raise bad_parameter(name)
    return names


def read_choice(query: Mapping[str, str], name: str, allowed: Sequence[str], default: str = "") -> str:
    """Return a parameter that has one of the allowed values. Raises ApiError for any other."""
    text = query.get(name, "") or default
    if text and text not in allowed:
        raise bad_parameter(name)
    return text


def paginate(
    rows: Sequence[PageRow], key: Callable[[PageRow], str], query: Mapping[str, str], limit: int
) -> tuple[list[PageRow], str]:
    """Return one page of rows that are newest first, and the cursor of the next page, "" on the last one.

    A cursor names the last row of its page, so new rows at the front shift nothing. A cursor that does not decode,
    or names no row, starts at page 1 (recorded demo server).
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
