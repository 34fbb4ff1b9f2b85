"""Stands in for the service and for Spring: the same URLs, no more sense than a proxy test needs."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

entries: list[str] = []  # the trades seen, as JSON; the seq is the place
more = asyncio.Condition()
stopping = asyncio.Event()
open_streams = 0


async def poll(bot: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(bot + "/trades") as answer:
                    trades = (await answer.json())["trades"]
            except aiohttp.ClientError:
                trades = []
            async with more:
                for trade in trades[len(entries) :]:
                    entries.append(json.dumps(trade | {"seq": len(entries) + 1}))
                    more.notify_all()
            await asyncio.sleep(0.05)


async def events(cursor: str | None) -> AsyncIterator[str]:
    global open_streams
    open_streams += 1
    try:
        async for text in follow(cursor):
            yield text
    finally:
        open_streams -= 1


async def follow(cursor: str | None) -> AsyncIterator[str]:
    at = int(cursor.split("-")[1]) if cursor else len(entries)
    yield f"retry: {random.randint(500, 1500)}\n: hello\n\nid: standin0-{at}\n\n"
    while not stopping.is_set():
        while at < len(entries):
            trade, at = entries[at], at + 1
            body = f'{{"trades": [{trade}], "count": 1, "source": "bot_live"}}'
            yield f"event: new_trades\nid: standin0-{at}\ndata: {body}\n\n"
        try:
            async with asyncio.timeout(0.3), more:
                await more.wait()
        except TimeoutError:
            yield ": ping\n\n"
    yield 'event: bye\ndata: {"reason": "shutdown"}\n\n'


async def stream(request: Request) -> Response:
    cursor = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    return StreamingResponse(events(cursor), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def stats(_: Request) -> Response:
    return JSONResponse({"open": open_streams})


async def other(request: Request) -> Response:
    if request.headers.get("if-none-match") == 'W/"one"':
        return Response(status_code=304, headers={"etag": 'W/"one"'})
    body = {"url": str(request.url), "client": request.client and request.client.host, "headers": dict(request.headers)}
    return JSONResponse(body | {"filler": "x" * 20_000}, headers={"etag": 'W/"one"'})


class Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: object) -> None:
        stopping.set()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]


async def main(port: int, bot: str) -> None:
    paths = ["/api/python/sse/" + name for name in ("trading", "trades", "portfolio", "status")]
    routes = [*(Route(path + end, stream) for path in paths for end in ("", "/")), Route("/{rest:path}", other)]
    routes.insert(0, Route("/api/python/sse/stats", stats))
    poller = asyncio.create_task(poll(bot))
    config = uvicorn.Config(Starlette(routes=routes), port=port, log_level="warning", timeout_graceful_shutdown=3)
    await Server(config).serve()
    poller.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
