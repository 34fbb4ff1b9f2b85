"""What the account holds and did: balance, positions, fills, orders, settlements, trades."""

import time

from starlette.requests import Request

from cache.base import Answer
from cache.decimal_json import RawJson
from journal.base import Query
from routes import params
from routes.services import Services, services
from streams.cursor import format_cursor

ORDER_STATUSES = ("resting", "canceled", "executed")


async def balance(request: Request) -> Answer:
    """The cash, in dollars."""
    return await services(request).portfolio.balance()


async def positions(request: Request) -> Answer:
    """What is held, with marks and P&L."""
    return await services(request).portfolio.positions()


async def fills(request: Request) -> Answer:
    """A page of the account's fills, newest first."""
    return await services(request).portfolio.fills(limit=params.limit(request), cursor=params.cursor(request))


async def orders(request: Request) -> Answer:
    """A page of the account's orders."""
    return await services(request).portfolio.orders(
        limit=params.limit(request),
        cursor=params.cursor(request),
        status=params.choice(request, "status", ORDER_STATUSES),
    )


async def settlements(request: Request) -> Answer:
    """A page of the markets that paid out."""
    return await services(request).portfolio.settlements(limit=params.limit(request), cursor=params.cursor(request))


async def live(request: Request) -> Answer:
    """The newest trades, from whoever knows them best now."""
    return await newest(services(request), params.limit(request))


async def newest(service: Services, limit: int) -> Answer:
    """At most limit trades, newest first, and the cursor from which a stream goes on without a hole."""
    found = await service.watch.live.answer(limit)
    place = format_cursor(service.journal.epoch, found.cursor_seq)
    value = {"trades": [RawJson(trade) for trade in found.trades], "count": len(found.trades), "cursor": place}
    return Answer(value, found.source, found.as_of, found.stale)


async def history(request: Request) -> Answer:
    """A page of the journal, by cursor or by time."""
    journal = services(request).journal
    query = Query(
        limit=params.limit(request),
        after=params.place(request, "after", journal.epoch),
        before=params.place(request, "before", journal.epoch),
        since=params.moment(request, "since"),
        until=params.moment(request, "until"),
        ticker=params.ticker(request),
    )
    head = await journal.head()  # read before the page: a reader that goes on from here sees an entry twice, never none
    entries = await journal.history(query)
    more = len(entries) == query.limit
    return Answer(
        {
            "entries": [RawJson(f'{{"kind":"{entry.kind}",{entry.body[1:]}') for entry in entries],
            "count": len(entries),
            "next": format_cursor(journal.epoch, entries[-1].seq) if more else None,
            "cursor": format_cursor(journal.epoch, head),
        },
        source="journal",
        as_of=time.time(),
    )
