"""The brief's first design as people write it: FastAPI and sse-starlette, a queue for each client."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from sse_starlette.sse import EventSourceResponse

app = FastAPI()
clients: set[asyncio.Queue[dict[str, Any]]] = set()
seq = 0


@app.get("/events")
async def events() -> EventSourceResponse:
    """Everything published from now on."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def stream() -> AsyncIterator[dict[str, str]]:
        clients.add(queue)
        try:
            yield {"event": "bot_status", "data": "{}"}
            while True:
                trades = await queue.get()
                yield {"event": "new_trades", "id": str(trades["trades"][-1]["seq"]), "data": json.dumps(trades)}
        finally:
            clients.discard(queue)

    return EventSourceResponse(stream(), ping=15)


@app.post("/burst")
async def burst(events: int, gap: float = 0) -> dict[str, int]:
    """So many events, gap seconds apart; none: without giving way."""
    global seq
    for _ in range(events):
        seq += 1
        trade = {
            "seq": seq, "timestamp": time.time(), "ticker": "PRES24-GOP", "side": "BUY", "quantity": 50, "price": 0.65,
            "trade_id": f"t{seq}", "outcome": "yes", "fee": 0.0175, "order_id": None, "origin": "bot", "mode": "live",
            "source": "bot_live",
        }  # fmt: skip
        for queue in clients:
            queue.put_nowait({"trades": [trade], "count": 1, "source": "bot_live"})
        if gap:
            await asyncio.sleep(gap)
    return {"events": events}
