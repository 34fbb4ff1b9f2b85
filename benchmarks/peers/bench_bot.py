"""A bot that trades when it is told to, so that the real server can be measured from its own poll on.

python bench_bot.py PORT        POST /burst?events=N&gap=SECONDS
"""

import asyncio
import sys
import time
from typing import Any

from aiohttp import web

BOOT = f"bench{time.time_ns()}"
trades: list[dict[str, Any]] = []
more = asyncio.Condition()


async def status(_: web.Request) -> web.Response:
    """Alive, with the number of its last trade."""
    return web.json_response({"status": "running", "boot_id": BOOT, "seq": len(trades), "trades": len(trades)})


async def listing(request: web.Request) -> web.Response:
    """The last hundred, or those after a seq, for which the reader may wait."""
    if "after" not in request.query:
        return answer(trades[-100:])
    after = int(request.query["after"])
    async with more:
        try:
            async with asyncio.timeout(float(request.query.get("wait", "0"))):
                await more.wait_for(lambda: len(trades) > after)
        except TimeoutError:
            pass
    return answer(trades[after : after + int(request.query.get("limit", "1000"))])


def answer(page: list[dict[str, Any]]) -> web.Response:
    """As our own bot tells its trades."""
    found = {"trades": page, "count": len(page), "boot_id": BOOT, "seq": len(trades), "oldest": 1 if trades else 0}
    return web.json_response(found)


async def burst(request: web.Request) -> web.Response:
    """Trade so often, gap seconds apart."""
    gap = float(request.query.get("gap", "0"))
    due = time.monotonic()
    for _ in range(int(request.query["events"])):
        async with more:
            seq = len(trades) + 1
            trades.append({
                "seq": seq, "boot_id": BOOT, "timestamp": round(time.time(), 6), "ticker": "PRES24-GOP", "side": "BUY",
                "quantity": 50, "price": 0.65, "trade_id": f"t{seq}", "outcome": "yes", "fee": 0.0175,
            })  # fmt: skip
            more.notify_all()
        due += gap
        if gap:
            await asyncio.sleep(max(due - time.monotonic(), 0))
    return web.json_response({"events": len(trades)})


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.add_routes([web.get("/status", status), web.get("/trades", listing), web.post("/burst", burst)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
