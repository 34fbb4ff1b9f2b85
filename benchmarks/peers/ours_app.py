"""Our streams as they are, on Starlette, with a SQLite journal: what the server does between poller and socket."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from journal.entries import Draft, Trade
from journal.sqlite import SqliteJournal
from streams.hub import Hub
from streams.sse import EventStream, StreamLimits, event_streams
from streams.subscriber import EAGER_TASKS

journal = SqliteJournal(os.environ["JOURNAL_FILE"])
streams: dict[str, EventStream] = {}
made = 0


def trades(count: int) -> list[Draft]:
    """So many new trades, made now."""
    global made
    drafts: list[Draft] = []
    for _ in range(count):
        made += 1
        now = Decimal(time.time_ns() // 1000) / 1_000_000
        drafts.append(
            Trade(now, f"MARKET-{made % 97:02}", "BUY", Decimal(50), Decimal("0.65"), f"t{made}", "bot_live", "live",
                  fee=Decimal("0.0175"), boot_id=str(os.getpid()))
        )  # fmt: skip
    return drafts


async def burst(request: Request) -> Response:
    """events=N trades, gap seconds apart, `batch` a publish; without a gap: journalled first, told without a pause."""
    query = request.query_params
    events, gap, batch = int(query["events"]), float(query.get("gap", "0")), int(query.get("batch", "1"))
    hub: Hub = request.app.state.hub
    if not gap:
        kept = (await journal.append(trades(events))).entries
        for start in range(0, len(kept), batch):
            hub.publish(kept[start : start + batch])
    due = time.monotonic()
    for _ in range(0, events if gap else 0, batch):
        hub.publish((await journal.append(trades(batch))).entries)
        due += gap
        await asyncio.sleep(max(due - time.monotonic(), 0))
    return JSONResponse({"events": events})


async def rest(request: Request) -> Response:
    """A small answer, to see how long it waits for the fan-out."""
    return Response(b'{"balance":1}', media_type="application/json")


async def stats(request: Request) -> Response:
    """Return the body of /sse/stats."""
    hub: Hub = request.app.state.hub
    return JSONResponse(hub.stats.view(len(list(hub.subscribers)), hub.position))


class Stream:
    """A class instance, so that Starlette takes it for an ASGI app."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the trading stream."""
        await streams["trading"](scope, receive, send)


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the journal; the hub begins at its head."""
    await journal.open()
    hub = app.state.hub = Hub(journal.epoch, await journal.head(), 20_000)
    hub.status('{"status":"online"}')
    eager = EAGER_TASKS and os.environ.get("DELIVERY", "eager") == "eager"
    streams.update(event_streams(hub, journal, StreamLimits(eager=eager)))
    yield
    hub.close("shutdown")
    await journal.close()


app = Starlette(
    routes=[
        Mount("/api/python", routes=[Route("/sse/trading", Stream()), Route("/rest", rest), Route("/stats", stats)]),
        Route("/burst", burst, methods=["POST"]),
    ],
    lifespan=lifespan,
)
