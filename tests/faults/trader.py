"""A scripted bot as a process of its own: it trades on the simulated exchange and serves the bot's API.

Kinds: `numbered` has the API of our bot (boot_id, seq, long poll), `plain` has the six fields alone, `reused` is plain
and restarts its trade ids at 1 after each start. Each number is logged before its order is sent, so no two runs share
one; the quantity of a trade is its number in hundredths, so that quantities identify executions.
"""

import argparse
import asyncio
import json
import secrets
import signal
import time
from collections import deque
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

GARBAGE = {
    "html": (200, "text/html", b"<html><body>Bad gateway</body></html>"),
    "half": (200, "application/json", b'{"trades": [{"timestamp": 17000'),
    "error": (500, "text/plain", b"Internal Server Error"),
    "null": (200, "application/json", b"null"),
    "empty": (200, "application/json", b""),
}
KEPT = 5000  # trades that a numbered bot can still report
ABREAST = 4  # executions on their way at once in a burst
CORRECTED_AFTER = 1.0  # seconds between a wrong report and the right one
CORRECTS_RATE = 5.0  # trades a second meanwhile, so that the window holds a correction long enough to be read
TWIN = 20  # one trade in so many is executed twice, alike in all but its id


class Trader:
    """Recent trades, the number of the last one, and the faults that are switched on."""

    def __init__(self, options: argparse.Namespace, session: aiohttp.ClientSession) -> None:
        self._options = options
        self._session = session
        self._log = options.log.open("a", buffering=1)
        lines = options.log.read_text().splitlines()
        self._number = max((json.loads(line)["n"] for line in lines), default=0)
        self.boot = secrets.token_hex(4)
        self.window: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.seq = 0
        self.rate = 0.0
        self.garbage = ""
        self.unread = False  # new records have a price that no reader can read
        self.corrects = False  # new records are reported with a wrong price first
        self.made = asyncio.Event()
        self._bursts: set[asyncio.Task[None]] = set()

    async def trade(self) -> None:
        """One number: one execution, or two that look alike."""
        self._number += 1
        number = self._number
        self._note({"n": number})
        for _ in range(2 if number % TWIN == 7 else 1):
            await self._execute(number)

    async def _execute(self, number: int) -> None:
        record = {
            "ticker": self._options.tickers[number % len(self._options.tickers)],
            "side": "BUY" if number // len(self._options.tickers) % 2 else "SELL",  # each market in turn
            "quantity": number / 100, "price": round(0.01 + number % 97 / 100, 2),
        }  # fmt: skip
        known: dict[str, Any] = {}
        if not self._options.paper:
            known = await self._fill(record)
        record["timestamp"] = round(time.time(), 6)
        self.seq += 1
        numbered, reused = self._options.kind == "numbered", self._options.kind == "reused"
        record["trade_id"] = str(self.seq) if reused else known.get("fill_id") or secrets.token_hex(8)
        if numbered:
            record |= {"boot_id": self.boot, "seq": self.seq, "order_id": known.get("order_id")}
        self._note({"n": number, "did": record})
        self.window.append(record | {"price": "unknown"} if self.unread else record)
        if self.corrects and not self.unread:
            self._misreport(record)
        self.made.set()
        self.made = asyncio.Event()

    async def _fill(self, record: dict[str, Any]) -> dict[str, Any]:
        body = {
            "ticker": record["ticker"], "side": "bid" if record["side"] == "BUY" else "ask",
            "count": f"{record['quantity']:.2f}", "price": f"{record['price']:.2f}",
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self._options.token_file.read_text()}"}
        async with self._session.post(self._options.control + "/fill", json=body, headers=headers) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found

    def _misreport(self, record: dict[str, Any]) -> None:
        """Report the newest trade with a wrong price, and correct it later under a number of its own."""
        wrong = record | {"price": round(record["price"] / 2 + 0.003, 4)}
        self.window[-1] = wrong
        asyncio.get_running_loop().call_later(CORRECTED_AFTER, self._correct, wrong, record)

    def _correct(self, wrong: dict[str, Any], record: dict[str, Any]) -> None:
        if "seq" in record:  # a poll by seq returns the correction as a new record
            self.seq += 1
            self.window.append(record | {"seq": self.seq})
        elif wrong in self.window:
            self.window[self.window.index(wrong)] = record

    def _note(self, what: dict[str, Any]) -> None:
        self._log.write(json.dumps(what) + "\n")

    async def run(self) -> None:
        """Trade at the rate that is set."""
        while True:
            rate = min(self.rate, CORRECTS_RATE) if self.corrects else self.rate
            await asyncio.sleep(1 / rate if rate else 0.05)
            if self.rate:
                await self._try()

    async def burst(self, count: int) -> None:
        """So many as fast as the exchange takes them."""
        left = iter(range(count))

        async def one_after_another() -> None:
            for _ in left:
                await self._try()

        await asyncio.gather(*(one_after_another() for _ in range(ABREAST)))

    async def _try(self) -> None:
        try:
            await self.trade()
        except (aiohttp.ClientError, TimeoutError):
            await asyncio.sleep(0.2)  # the order may or may not have been executed

    async def trades(self, request: web.Request) -> web.Response:
        """GET /trades."""
        if self.garbage:
            return self._rubbish()
        if self._options.kind != "numbered" or "after" not in request.query:
            return web.json_response({"trades": list(self.window)[-self._options.window :]})
        after, made = int(request.query["after"]), self.made
        if self.seq <= after and (wait := float(request.query.get("wait", 0))):
            try:
                async with asyncio.timeout(wait):
                    await made.wait()
            except TimeoutError:
                pass  # nothing happened: an empty page
        page = [record for record in self.window if record["seq"] > after]
        return web.json_response({"trades": page[: int(request.query.get("limit", 100))]})

    async def status(self, request: web.Request) -> web.Response:
        """GET /status."""
        if self.garbage:
            return self._rubbish()
        known = {"boot_id": self.boot, "seq": self.seq} if self._options.kind == "numbered" else {}
        return web.json_response({"status": "ok", "mode": "paper" if self._options.paper else "live", **known})

    def _rubbish(self) -> web.Response:
        status, kind, body = GARBAGE[self.garbage]
        return web.Response(status=status, content_type=kind, body=body)

    async def control(self, request: web.Request) -> web.Response:
        """POST /control: rate, burst, garbage, unread, corrects."""
        wish = await request.json()
        self.rate = float(wish.get("rate", self.rate))
        self.garbage = str(wish.get("garbage", self.garbage))
        self.unread = bool(wish.get("unread", self.unread))
        self.corrects = bool(wish.get("corrects", self.corrects))
        if count := int(wish.get("burst", 0)):
            task = asyncio.create_task(self.burst(count))
            self._bursts.add(task)
            task.add_done_callback(self._bursts.discard)
        return web.json_response({"number": self._number, "bursting": len(self._bursts)})


async def serve(options: argparse.Namespace) -> None:
    """Until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=4)) as session:
        trader = Trader(options, session)
        app = web.Application()
        app.add_routes([
            web.get("/trades", trader.trades), web.get("/status", trader.status), web.post("/control", trader.control),
        ])  # fmt: skip
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, options.host, options.port).start()
        trading = asyncio.create_task(trader.run())
        await stopped.wait()
        trading.cancel()
        await runner.cleanup()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.trader")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--kind", choices=("numbered", "plain", "reused"), default="numbered")
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--control", required=True)
    parser.add_argument("--token-file", type=Path, required=True, help="read for each order")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--tickers", nargs="+", required=True)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
