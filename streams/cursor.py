"""A reader's cursor as it came: found in the request, read, and judged against the journal that we have."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qs

Reason = Literal["epoch", "future", "malformed"]

_CURSOR: Final = re.compile(r"([a-z0-9]{1,32})-(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place as the reader names it. seq is 0 when it wants everything from the beginning."""

    epoch: str
    seq: int


def asked(headers: Iterable[tuple[bytes, bytes]], query: bytes) -> str | None:
    """The cursor's text in a request, None when there is none.

    A Last-Event-ID that is not empty wins, even a malformed one: a browser that reconnects keeps the query of
    its first request, so the header is the newer of the two.
    """
    for name, value in headers:
        if name == b"last-event-id" and (text := value.decode("latin-1").strip(" \t")):  # not every server strips
            return text
    found = parse_qs(query.decode("latin-1"), max_num_fields=None).get("last_event_id")
    return found[0] if found else None


def read(text: str) -> Cursor | None:
    """The cursor in a text, None when it is malformed."""
    match = _CURSOR.fullmatch(text)
    return Cursor(match[1], int(match[2])) if match else None


def refused(found: Cursor | None, epoch: str, head: int) -> Reason | None:
    """Why a cursor cannot be honoured by a journal of this epoch that ends at head; None when it can."""
    if found is None:
        return "malformed"
    if found.epoch != epoch:
        return "epoch"
    return "future" if found.seq > head else None
