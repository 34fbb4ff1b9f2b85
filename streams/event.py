"""Server-sent events as bytes: cursors, frames, journal entries as events, and chunks of whole events."""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from cache.decimal_json import dumps
from journal.entries import Entry

Reason = Literal["epoch", "future", "malformed"]

QUERY_NAMES: Final = ("last_event_id", "lastEventId", "Last-Event-ID")  # names that clients in use send
CONTRADICTORY: Final = "contradictory"  # stands for a query with two different cursors; never a valid cursor
_CURSOR: Final = re.compile(r"([a-z0-9]{1,32})-(0|[1-9][0-9]{0,17})(?:-([0-9a-f]{4}))?")

TRADES_PER_EVENT: Final = 100
# A comment ends in one newline, so that it is part of the next event: clients that parse every block fail on one
# without data.
PING: Final = b":\n"
GREETING: Final = ": Prediction Investor\n"  # stands in the first event of every stream of this service


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


def frame(name: str, data: str, id: str | None = None, retry: float | None = None) -> bytes:
    """Return one event.

    retry: seconds before the reader reconnects, +-50 %, so that readers do not return together. It stands in the
    first and in the last event of a stream.
    Raises ValueError when data is more than one line (our JSON has no line breaks).
    """
    if "\n" in data or "\r" in data:
        raise ValueError(f"event {name}: data must be one line")
    delay = "" if retry is None else f"retry: {round(retry * 1000 * random.uniform(0.5, 1.5))}\n{GREETING}"
    place = "" if id is None else f"id: {id}\n"
    return f"{delay}event: {name}\n{place}data: {data}\n\n".encode()


def comment(text: str) -> bytes:
    """Return a line that no client shows; it belongs to the event that follows."""
    return f": {text}\n".encode()


def bye(reason: str, retry: float) -> bytes:
    """Return the last event of a stream that the server ends on purpose. retry: seconds, jittered."""
    return frame("bye", dumps({"reason": reason}), retry=retry)


def heartbeat(timestamp: float, head: str | None, id: str | None, retry: float | None = None) -> bytes:
    """Return a heartbeat. timestamp: Unix seconds. head: the last cursor put on the connection, None for none."""
    place = "null" if head is None else f'"{head}"'  # a cursor needs no escapes; dumps takes 10 us of each opening
    return frame("heartbeat", f'{{"timestamp":{round(timestamp, 3)},"head":{place}}}', id, retry)


def entry_cursor(entry: Entry, epoch: str) -> str:
    """Return the cursor of the place after an entry."""
    return format_cursor(epoch, entry.seq, entry.check)


def entry_frames(entries: Sequence[Entry], epoch: str) -> list[bytes]:
    """Return the events of these entries (ascending), each with the cursor of its last one.

    Consecutive trades of one source share an event, at most 100; every other entry is an event of its own.
    Bodies are joined as they are stored: nothing is encoded twice.
    """
    frames: list[bytes] = []
    for (kind, source), run in groupby(entries, lambda entry: (entry.kind, entry.source)):
        if kind == "trade":
            trades = list(run)
            pages = [trades[at : at + TRADES_PER_EVENT] for at in range(0, len(trades), TRADES_PER_EVENT)]
            frames += [_trades(page, source, epoch) for page in pages]
        else:
            frames += [frame(kind, entry.body, entry_cursor(entry, epoch)) for entry in run]
    return frames


def _trades(trades: Sequence[Entry], source: str, epoch: str) -> bytes:
    bodies = ",".join([trade.body for trade in trades])
    data = f'{{"trades":[{bodies}],"count":{len(trades)},"source":{dumps(source)}}}'
    return frame("new_trades", data, entry_cursor(trades[-1], epoch))


@dataclass(slots=True, eq=False)
class Chunk:
    """Whole events as one piece of bytes, encoded once and shared by all readers."""

    body: bytes
    events: int
    last: int | None = None  # seq of the last entry in it; None for none
    last_id: str | None = None  # and its cursor
    born: float = 0.0  # the hub's clock when it was published
    message: dict[str, Any] = field(init=False)  # of ASGI; shared too, since servers read it and never write to it

    def __post_init__(self) -> None:
        self.message = {"type": "http.response.body", "body": self.body, "more_body": True}

    @classmethod
    def of_entries(cls, entries: Sequence[Entry], epoch: str, born: float = 0.0) -> "Chunk":
        """Return entries (ascending, at least one) as events."""
        frames = entry_frames(entries, epoch)
        return cls(b"".join(frames), len(frames), entries[-1].seq, entry_cursor(entries[-1], epoch), born)

    @classmethod
    def joined(cls, chunks: Sequence["Chunk"]) -> "Chunk":
        """Return several chunks as one, to be written at once. born is the oldest's."""
        if len(chunks) == 1:
            return chunks[0]
        last, last_id = next(
            ((one.last, one.last_id) for one in reversed(chunks) if one.last is not None), (None, None)
        )
        body = b"".join([one.body for one in chunks])
        return cls(body, sum(one.events for one in chunks), last, last_id, chunks[0].born)
