"""Server-sent events as bytes: frames, and how journal entries become them."""

import random
from collections.abc import Iterator, Sequence
from itertools import groupby

from cache.decimal_json import dumps
from journal.entries import Entry

TRADES_PER_EVENT = 100
PING = b":\n\n"


def cursor(epoch: str, seq: int) -> str:
    """The id of a place in the journal: epoch names the journal, seq the place; 0 is before its first entry."""
    return f"{epoch}-{seq}"


def frame(name: str, data: str, id: str | None = None) -> bytes:
    """One event. data is one line (our JSON has no line breaks); raises ValueError when it is not."""
    if "\n" in data or "\r" in data:
        raise ValueError(f"event {name}: data must be one line")
    mark = "" if id is None else f"id: {id}\n"
    return f"event: {name}\n{mark}data: {data}\n\n".encode()


def id_only(id: str) -> bytes:
    """Moves the reader's cursor and dispatches nothing."""
    return f"id: {id}\n\n".encode()


def comment(text: str) -> bytes:
    """A line that no browser shows."""
    return f": {text}\n\n".encode()


def retry(seconds: float) -> bytes:
    """How long the reader waits before it comes back: seconds +-50 %, so that a thousand do not return together."""
    return f"retry: {round(seconds * 1000 * random.uniform(0.5, 1.5))}\n".encode()


def bye(reason: str, seconds: float) -> bytes:
    """The last event of a stream that the server ends on purpose, with the reader's way back."""
    return retry(seconds) + frame("bye", dumps({"reason": reason}))


def entry_frames(entries: Sequence[Entry], epoch: str) -> list[bytes]:
    """The events that tell these entries (ascending), each with the cursor of its last one.

    Trades that follow one another and have one source share an event, at most 100; all else stands alone.
    The bodies are joined as they are: nothing is encoded twice.
    """
    frames: list[bytes] = []
    for (kind, source), run in groupby(entries, lambda entry: (entry.kind, entry.source)):
        if kind == "trade":
            frames += [_trades(page, source, epoch) for page in _pages(list(run))]
        else:
            frames += [frame(kind, entry.body, cursor(epoch, entry.seq)) for entry in run]
    return frames


def _trades(trades: Sequence[Entry], source: str, epoch: str) -> bytes:
    bodies = ",".join([trade.body for trade in trades])
    data = f'{{"trades":[{bodies}],"count":{len(trades)},"source":{dumps(source)}}}'
    return frame("new_trades", data, cursor(epoch, trades[-1].seq))


def _pages(trades: list[Entry]) -> Iterator[list[Entry]]:
    for start in range(0, len(trades), TRADES_PER_EVENT):
        yield trades[start : start + TRADES_PER_EVENT]
