"""`python server.py demo`: server, simulator and bot as processes; the bot's live path trades on the simulator."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from commands.demo_faults import HELP, DemoFaults, keys
from commands.demo_process import ROOT, DemoProcess
from commands.ports import free_port, named, taken
from routes.prefix import PREFIX

FIRST_TRADE = 10.0  # seconds within which the server must answer


def main(arguments: Sequence[str]) -> int:
    """Run until Ctrl-C or q; 1 when a part does not come up."""
    parser = argparse.ArgumentParser(prog="python server.py demo", description=__doc__)
    parser.add_argument("--port", type=named, default=8000, help="port of the server (8000); the others take free ones")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="prediction-investor-") as folder:
        return asyncio.run(run(given.port, Path(folder)))


async def run(port: int, folder: Path) -> int:
    """Start the three, show what they do, end them; whatever ends them, also while they start."""
    if why := taken(port):
        print(f"port {port} cannot be used ({why}); choose another with --port")
        return 1
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last when the terminal is closed
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    children: list[DemoProcess] = []
    async with aiohttp.ClientSession() as session:
        show = asyncio.create_task(_show(session, port, folder, children, ended))
        end = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait([show, end], return_when=asyncio.FIRST_COMPLETED)
            if not end.done():
                await show  # it shows until it is ended, so it failed
            print("\nending …", flush=True)
            return 0
        except (TimeoutError, ValueError, aiohttp.ClientError) as error:
            print(f"the demo did not come up: {str(error) or 'a part did not answer in time'}")
            for child in children:
                print(f"--- {child.name}\n{child.log.read_text()[-2000:]}")
            return 1
        finally:
            show.cancel()
            end.cancel()
            await asyncio.wait([show, end])
            await _stop(children)


async def _stop(children: list[DemoProcess]) -> None:
    """The simulator last: the bot takes back its orders there, and no log fills with an exchange that is gone."""
    await asyncio.gather(*(child.stop() for child in children[1:]))
    for child in children[:1]:
        await child.stop()


async def _show(
    session: aiohttp.ClientSession, port: int, folder: Path, children: list[DemoProcess], ended: asyncio.Event
) -> None:
    begun = time.monotonic()
    simulator = DemoProcess("simulator", ["-m", "simulator", "--port", "0", "--keys", str(folder / "keys")], {}, folder)
    children.append(simulator)
    await simulator.start()
    facts = json.loads(await simulator.first_line())
    key = facts["keys"][0]
    account = {"KALSHI_API_URL": facts["url"], "KALSHI_API_KEY": key["id"], "KALSHI_RSA_KEY_PATH": key["path"]}
    bot_port = free_port()
    bot = DemoProcess("bot", ["-m", "bot", "--live", "--port", str(bot_port)], account, folder)
    endpoints = {f"BOT_{name.upper()}_ENDPOINT": f"http://127.0.0.1:{bot_port}/{name}" for name in ("status", "trades")}
    settings = {**account, **endpoints, "JOURNAL_URL": f"sqlite:///{folder}/journal.db", "LOG_LEVEL": "INFO"}
    server = DemoProcess("server", [str(ROOT / "server.py"), "--port", str(port)], settings, folder)
    children += [bot, server]
    await asyncio.gather(bot.start(), server.start())
    base = f"http://127.0.0.1:{port}{PREFIX}"
    await _answers(session, f"{base}/health", server)
    print(f"serving after {time.monotonic() - begun:.1f} s: a simulated exchange, a bot that trades on it, and this:\n")
    for path in ("dashboard", "docs", "portfolio/summary", "markets/", "health"):
        print(f"  {base}/{path}")
    print(f"\n  curl -N {base}/sse/trading\n\nlogs: {folder}\n{HELP if sys.stdin.isatty() else ''}\n", flush=True)
    plugs = DemoFaults(bot, session, facts["faults"]["url"], facts["faults"]["token"])
    await asyncio.gather(_tell_events(session, f"{base}/sse/trading", begun), _obey(plugs, ended))


async def _obey(plugs: DemoFaults, ended: asyncio.Event) -> None:
    async with contextlib.aclosing(keys()) as pressed:
        async for key in pressed:
            if key == "q":
                ended.set()
            elif words := await plugs.press(key):
                print(f"* {words}", flush=True)


async def _tell_events(session: aiohttp.ClientSession, url: str, begun: float) -> None:
    """Print what the stream brings, and come back to it where it broke off, for as long as the demo runs."""
    place = ""
    while True:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            reading = session.get(
                url, headers={"Last-Event-ID": place} if place else {},
                timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
            )  # fmt: skip
            async with reading as stream:
                name = ""
                async for raw in stream.content:
                    line = raw.decode().rstrip("\n")
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("id: "):
                        place = line[4:]
                    elif line.startswith("data: "):
                        _tell(name, json.loads(line[6:]), begun)
        await asyncio.sleep(1.0)


def _tell(name: str, data: dict[str, Any], begun: float) -> None:
    now = f"{time.monotonic() - begun:6.1f} s"
    if name == "new_trades":
        for trade in data["trades"]:
            words = f"{trade['side']:4} {trade['quantity']:>6} {trade['ticker']} at {trade['price']}"
            print(f"{now}  #{trade['seq']:<5} {words}", flush=True)
    elif name == "bot_status":
        reason = f" ({data['reason']})" if data["reason"] else ""
        print(f"{now}  bot {data['status']}, mode {data['mode']}{reason}", flush=True)
    elif name in ("settlement", "gap"):
        print(f"{now}  #{data['seq']:<5} {name}: {data.get('ticker') or data.get('why')}", flush=True)


async def _answers(session: aiohttp.ClientSession, url: str, server: DemoProcess) -> None:
    async with asyncio.timeout(FIRST_TRADE):
        while True:
            if not server.is_running:
                raise ValueError("the server ended at once")
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
