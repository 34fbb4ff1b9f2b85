"""Trades and other entries of the journal: the newest trades, a page of history, and all of it as CSV."""

import csv
import io
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any, Final

from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from cache.base import Answer
from cache.decimal_json import RawJson, dumps, loads
from journal.entries import Entry
from journal.entry_store import Query as HistoryQuery
from routes.context import Services
from routes.endpoint import Query, unexpected
from streams.event import Cursor, entry_cursor, format_cursor

CSV_PAGE: Final = 500  # entries read from the journal at once
COLUMNS: Final = (
    "seq", "kind", "timestamp", "ticker", "side", "outcome", "quantity", "price", "fee", "trade_id", "order_id",
    "origin", "mode", "source", "corrects", "strategy", "is_taker", "mid", "decided_at", "sent_at",
    "acknowledged_at", "event_ticker", "result", "value", "yes_quantity", "no_quantity", "revenue", "transfer_id",
    "direction", "amount", "status", "from", "to", "from_seq", "to_seq", "why", "balance", "positions",
)  # fmt: skip
FORMULA: Final = tuple("=+-@\t\r\n")  # a spreadsheet runs text that begins so


async def newest(services: Services, limit: int) -> Answer:
    """Return at most limit trades, newest first, and the cursor at which a stream continues without a gap."""
    found, seq = await services.supervisor.live.answer(limit)
    place = services.hub.head if seq == services.hub.position else format_cursor(services.hub.epoch, seq)
    trades = [RawJson(trade) for trade in found.value]
    return replace(found, value={"trades": trades, "count": len(trades), "cursor": place})


async def page(services: Services, query: Query) -> Answer:
    """Return a page of the journal, by cursor or by time."""
    journal = services.journal
    # Read before the page: a stream that continues here may repeat an entry, but misses none.
    head = await journal.read_head()
    entries = await journal.history(history_query(query, journal.epoch, query["limit"]))
    more = len(entries) == query["limit"]
    return Answer(
        {
            "entries": [RawJson(f'{{"kind":"{entry.kind}",{entry.body[1:]}') for entry in entries],
            "count": len(entries),
            "next": entry_cursor(entries[-1], journal.epoch) if more else None,
            "cursor": str(head),
        },
        source="journal",
        as_of=time.time(),
    )


def history_query(query: Query, epoch: str, limit: int) -> HistoryQuery:
    """Return the journal's query. Raises Problem 400 for a cursor of another journal."""
    after, before = (_seq(name, query[name], epoch) for name in ("after", "before"))
    return HistoryQuery(limit, after, before, query["since"], query["until"], query["ticker"])


def _seq(name: str, place: Cursor | None, epoch: str) -> int | None:
    if place is None:
        return None
    if place.epoch not in ("", epoch):
        wanted = f"a cursor of the present journal, which begins with {epoch}-; read the state again"
        raise unexpected(name, f"{place.epoch}-{place.seq}", wanted)
    return place.seq


def as_csv(services: Services, query: Query) -> ASGIApp:
    """Return a response with every entry that the filter means, in the order of seq, whatever the limit."""
    first = history_query(query, services.journal.epoch, CSV_PAGE)
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": 'attachment; filename="trades.csv"'}
    return StreamingResponse(_csv(services, first), 200, headers, "text/csv")


async def _csv(services: Services, first: HistoryQuery) -> AsyncIterator[str]:
    yield ",".join(COLUMNS) + "\r\n"
    journal, after = services.journal, first.after or 0
    end = min(first.before or 2**62, await journal.head() + 1)  # entries that come meanwhile are left out
    while True:
        query = HistoryQuery(CSV_PAGE, after, end, first.since, first.until, first.ticker)
        entries = await journal.history(query)
        yield csv_lines(entries)
        if len(entries) < CSV_PAGE:
            return
        after = entries[-1].seq


def csv_lines(entries: Iterable[Entry]) -> str:
    """Return entries as lines of CSV."""
    lines = io.StringIO()
    bodies = ({"kind": entry.kind, **loads(entry.body)} for entry in entries)
    csv.writer(lines).writerows([csv_cell(body.get(column)) for column in COLUMNS] for body in bodies)
    return lines.getvalue()


def csv_cell(value: Any) -> str:
    """Return the text of a cell, which never begins like a formula; numbers have their exact text."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return "" if value is None else dumps(value)
