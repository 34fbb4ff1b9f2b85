"""Cursors: a position in the journal as text, found in a request, parsed, and compared with the journal."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl

Reason = Literal["epoch", "future", "malformed"]

QUERY_NAMES: Final = ("last_event_id", "lastEventId", "Last-Event-ID")  # names that clients in use send
CONTRADICTORY: Final = "contradictory"  # stands for a query with two different cursors; never a valid cursor
_CURSOR: Final = re.compile(r"([a-z0-9]{1,32})-(0|[1-9][0-9]{0,17})(?:-([0-9a-f]{4}))?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place named by a reader. seq 0 is before the first entry; check is empty where the reader gave none."""

    epoch: str
    seq: int
    check: str = ""


def format_cursor(epoch: str, seq: int, check: str = "") -> str:
    """Return `<epoch>-<seq>`, followed by `-<check>` where the entry's checksum is known."""
    return f"{epoch}-{seq}-{check}" if check else f"{epoch}-{seq}"


def find_cursor(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> str | None:
    """Return the cursor's text in a request, None when there is none.

    A Last-Event-ID header that is not empty wins, even a malformed one: a browser that reconnects repeats the query
    of its first request, so the header is the newer of the two.
    """
    for name, value in headers:
        if name == b"last-event-id" and (text := value.decode("latin-1").strip(" \t")):  # not every server strips
            return text
    if not query:
        return None
    found = {value for name, value in parse_qsl(query.decode("latin-1")) if name in QUERY_NAMES}
    if len(found) > 1:
        return CONTRADICTORY
    return found.pop() if found else None


def parse_cursor(text: str) -> Cursor | None:
    """Return the cursor in a text, None when it is malformed."""
    match = _CURSOR.fullmatch(text)
    return Cursor(match[1], int(match[2]), match[3] or "") if match else None
