"""No framework at all: a raw ASGI app with a queue for each client; each event encoded once, what waits joined."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import parse_qs

queues: set[asyncio.Queue[bytes]] = set()
seq = 0


async def app(scope: Any, receive: Any, send: Any) -> None:
    """GET /events streams, POST /burst publishes."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["path"] == "/burst":
        query = parse_qs(scope["query_string"].decode())
        await burst(int(query["events"][0]), float(query.get("gap", ["0"])[0]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})
    else:
        await stream(receive, send)


async def stream(receive: Any, send: Any) -> None:
    """Everything published from now on, until the client leaves."""
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    queues.add(queue)
    pump = asyncio.create_task(write(queue, send))
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        queues.discard(queue)
        pump.cancel()


async def write(queue: asyncio.Queue[bytes], send: Any) -> None:
    """Send all that waits in one write."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
    while True:
        parts = [await queue.get()]
        while not queue.empty():
            parts.append(queue.get_nowait())
        await send({"type": "http.response.body", "body": b"".join(parts), "more_body": True})


async def burst(events: int, gap: float) -> None:
    """So many events, gap seconds apart; none: without giving way."""
    global seq
    for _ in range(events):
        seq += 1
        trade = {
            "seq": seq, "timestamp": time.time(), "ticker": "PRES24-GOP", "side": "BUY", "quantity": 50, "price": 0.65,
            "trade_id": f"t{seq}", "outcome": "yes", "fee": 0.0175, "order_id": None, "origin": "bot", "mode": "live",
            "source": "bot_live",
        }  # fmt: skip
        data = json.dumps({"trades": [trade], "count": 1, "source": "bot_live"})
        event = f"event: new_trades\nid: {seq}\ndata: {data}\n\n".encode()
        for queue in queues:
            queue.put_nowait(event)
        if gap:
            await asyncio.sleep(gap)
