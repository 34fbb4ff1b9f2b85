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
from commands.ports import free_port, parse_port, unavailable_reason
from routes.context import PREFIX

START_LIMIT = 60.0  # seconds within which the server must answer
WATCH_EVERY = 0.5  # seconds between two looks at the processes


def main(arguments: Sequence[str]) -> int:
    """Run until Ctrl-C or q. Return 1 if a process does not come up."""
    parser = argparse.ArgumentParser(prog="python server.py demo", description=__doc__)
    parser.add_argument(
        "--port",
        type=parse_port,
        default=8000,
        help="port of the server (default: %(default)s); simulator and bot take free ports",
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="prediction-investor-") as folder:
        return asyncio.run(run(given.port, Path(folder)))


async def run(port: int, folder: Path) -> int:
    """Start simulator, bot and server, print their events, and stop them in the end."""
    if why := unavailable_reason(port):
        print(f"port {port} cannot be used: {why}; choose another with --port")
        return 1
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal is closed
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    processes: list[DemoProcess] = []
    async with aiohttp.ClientSession() as session:
        show = asyncio.create_task(_show(session, port, folder, processes, ended))
        end = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait([show, end], return_when=asyncio.FIRST_COMPLETED)
            if not end.done():
                await show  # it ended by itself, so it failed
            print("\nstopping …", flush=True)
            return 0
        except (TimeoutError, ValueError, aiohttp.ClientError) as error:
            print(f"the demo did not come up: {str(error) or 'a process did not answer in time'}")
            for process in processes:
                print(f"--- {process.name}\n{process.log.read_text()[-2000:]}")
            return 1
        finally:
            show.cancel()
            end.cancel()
            await asyncio.wait([show, end])
            await _stop(processes)


async def _stop(processes: list[DemoProcess]) -> None:
    """Stop the simulator last: the bot cancels its orders there."""
    await asyncio.gather(*(process.stop() for process in processes[1:]))
    for process in processes[:1]:
        await process.stop()


async def _show(
    session: aiohttp.ClientSession, port: int, folder: Path, processes: list[DemoProcess], ended: asyncio.Event
) -> None:
    began = time.monotonic()
    simulator = DemoProcess("simulator", ["-m", "simulator", "--port", "0", "--keys", str(folder / "keys")], {}, folder)
    processes.append(simulator)
    await simulator.start()
    simulator_facts = json.loads(await simulator.first_line())
    key = simulator_facts["keys"][0]
    account = {
        "KALSHI_API_URL": simulator_facts["url"],
        "KALSHI_API_KEY": key["id"],
        "KALSHI_RSA_KEY_PATH": key["path"],
    }
    bot_port = free_port()
    bot = DemoProcess("bot", ["-m", "bot", "--live", "--port", str(bot_port)], account, folder)
    endpoints = {f"BOT_{name.upper()}_ENDPOINT": f"http://127.0.0.1:{bot_port}/{name}" for name in ("status", "trades")}
    settings = {**account, **endpoints, "JOURNAL_URL": f"sqlite:///{folder}/journal.db", "LOG_LEVEL": "INFO"}
    server = DemoProcess("server", [str(ROOT / "server.py"), "--port", str(port)], settings, folder)
    processes += [bot, server]
    await asyncio.gather(bot.start(), server.start())
    base = f"http://127.0.0.1:{port}{PREFIX}"
    await _wait_until_serving(session, f"{base}/health", server)
    print(f"serving after {time.monotonic() - began:.1f} s, with a simulated exchange and a bot that trades on it:\n")
    for path in ("dashboard", "docs", "portfolio/summary", "markets/", "health"):
        print(f"  {base}/{path}")
    print(f"\n  curl -N {base}/sse/trading\n\nlogs: {folder}\n{HELP if sys.stdin.isatty() else ''}\n", flush=True)
    faults = DemoFaults(bot, session, simulator_facts["faults"]["url"], simulator_facts["faults"]["token"])
    await asyncio.gather(
        _print_events(session, f"{base}/sse/trading", began),
        _handle_keys(faults, ended),
        report_ends(processes, began),
    )


async def report_ends(processes: list[DemoProcess], began: float, every: float = WATCH_EVERY) -> None:
    """Print a line when a process ends, with its exit status and its log."""
    reported: dict[str, int | None] = {}
    while True:
        await asyncio.sleep(every)
        for process in processes:
            status = process.exit_status
            if status is not None and reported.get(process.name) is None:
                seconds = time.monotonic() - began
                print(f"{seconds:6.1f} s  the {process.name} ended (exit status {status}): {process.log}", flush=True)
            reported[process.name] = status


async def _handle_keys(faults: DemoFaults, ended: asyncio.Event) -> None:
    async with contextlib.aclosing(keys()) as pressed:
        async for key in pressed:
            if key == "q":
                ended.set()
            elif words := await faults.press(key):
                print(f"* {words}", flush=True)


async def _print_events(session: aiohttp.ClientSession, url: str, began: float) -> None:
    """Print the events of a stream; after a break, resume at the last cursor."""
    cursor = ""
    while True:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            reading = session.get(
                url, headers={"Last-Event-ID": cursor} if cursor else {},
                timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
            )  # fmt: skip
            async with reading as stream:
                name = ""
                async for raw in stream.content:
                    line = raw.decode().rstrip("\n")
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("id: "):
                        cursor = line[4:]
                    elif line.startswith("data: "):
                        _print_event(name, json.loads(line[6:]), began)
        await asyncio.sleep(1.0)


def _print_event(name: str, data: dict[str, Any], began: float) -> None:
    now = f"{time.monotonic() - began:6.1f} s"
    if name == "new_trades":
        for trade in data["trades"]:
            words = f"{trade['side']:4} {trade['quantity']:>6} {trade['ticker']} at {trade['price']}"
            print(f"{now}  #{trade['seq']:<5} {words}", flush=True)
    elif name == "bot_status":
        parts = [data["status"], data.get("activity"), f"mode {data['mode'] or 'unknown'}", data["reason"]]
        print(f"{now}  bot {', '.join(part for part in parts if part)}", flush=True)
    elif name in ("settlement", "gap", "correction", "transfer"):
        print(f"{now}  #{data['seq']:<5} {name}: {data.get('ticker') or data.get('why')}", flush=True)


async def _wait_until_serving(session: aiohttp.ClientSession, url: str, server: DemoProcess) -> None:
    async with asyncio.timeout(START_LIMIT):
        while True:
            if not server.is_running:
                raise ValueError(f"the server ended with exit status {server.exit_status}")
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.05)
