"""python -m simulator: the exchange on a loopback port, its control on another; one line of JSON says where."""

import asyncio
import json
import logging
import secrets
import signal
import sys
import time
from pathlib import Path

from aiohttp import web

from config.reader import SettingsError
from config.simulator import SimulatorSettings, read_simulator_settings
from simulator.app import make_app
from simulator.auth import Doorman
from simulator.control import Control
from simulator.desk import Desk, Plan
from simulator.keys import FILES, load_or_make
from simulator.sockets import Sockets

HOST = "127.0.0.1"
PULSE = 0.1
"""Seconds between two looks at the clock."""


async def serve(options: SimulatorSettings) -> None:
    """Run until SIGINT or SIGTERM."""
    doorman = Doorman(load_or_make(options.keys), time.time)
    plan = Plan(options.seed, options.speed, options.tier, options.cash, options.quiet_markets, options.read_lag)
    desk = Desk(plan, time.time)
    sockets, token = Sockets(desk), secrets.token_urlsafe(16)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runners = [_runner(make_app(desk, doorman, sockets)), _runner(Control(desk, sockets, token).app())]
    try:
        ports = [await _listen(r, p) for r, p in zip(runners, (options.port, options.faults_port), strict=True)]
        print(json.dumps(_first_line(options.keys, ports, token)), flush=True)
        await _live(desk, sockets, stopped)
    finally:
        sockets.cut()
        for runner in runners:
            await runner.cleanup()


async def _live(desk: Desk, sockets: Sockets, stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        desk.act()
        sockets.flush()
        try:
            async with asyncio.timeout(PULSE):
                await stopped.wait()
        except TimeoutError:
            continue


def _runner(app: web.Application) -> web.AppRunner:
    return web.AppRunner(app, access_log=None, shutdown_timeout=0.5)


async def _listen(runner: web.AppRunner, port: int) -> int:
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    return int(runner.addresses[0][1])


def _first_line(folder: Path, ports: list[int], token: str) -> dict[str, object]:
    return {
        "url": f"http://{HOST}:{ports[0]}/trade-api/v2",
        "ws_url": f"ws://{HOST}:{ports[0]}/trade-api/ws/v2",
        "keys": [{"id": key_id, "path": str((folder / name).resolve())} for key_id, name in FILES.items()],
        "faults": {"url": f"http://{HOST}:{ports[1]}", "token": token},
    }


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        asyncio.run(serve(read_simulator_settings(sys.argv[1:])))
    except SettingsError as error:
        print(f"simulator: {error}", file=sys.stderr)
        sys.exit(2)
    except (OSError, ValueError) as error:
        sys.exit(f"simulator: {error}")


if __name__ == "__main__":
    main()
