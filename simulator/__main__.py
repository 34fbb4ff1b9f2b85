"""python -m simulator: the exchange on a loopback port, its control on another; one line of JSON says where."""

import argparse
import asyncio
import json
import logging
import secrets
import signal
import sys
import time
from pathlib import Path

from aiohttp import web

from simulator.app import make_app
from simulator.auth import Doorman
from simulator.buckets import TIERS
from simulator.control import Control
from simulator.desk import Desk, Plan
from simulator.keys import FILES, load_or_make
from simulator.sockets import Sockets

HOST = "127.0.0.1"
PULSE = 0.1
"""Seconds between two looks at the clock."""


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A Kalshi on your desk; loopback only.")
    parser.add_argument("--port", type=int, default=9500, help="of the exchange; 0 chooses one (default 9500)")
    parser.add_argument("--faults-port", type=int, default=0, help="of the control port; default: any free one")
    parser.add_argument("--keys", type=Path, default=Path("keys"), help="folder of rsa.pem and ed25519.pem")
    parser.add_argument("--seed", type=int, default=1, help="of markets, prices and crowd")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast markets open, close, settle")
    parser.add_argument("--tier", choices=TIERS, default="basic", help="size of the token buckets")
    parser.add_argument("--cash", type=int, default=10_000, help="dollars in the account at the start")
    parser.add_argument("--read-lag", type=float, default=0.0, help="seconds by which account reads trail (default 0)")
    parser.add_argument("--quiet-markets", action="store_true", help="no crowd, no schedule: only what is asked for")
    return parser


async def serve(options: argparse.Namespace) -> None:
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
    options = arguments().parse_args()
    try:
        asyncio.run(serve(options))
    except (OSError, ValueError) as error:
        sys.exit(f"simulator: {error}")


if __name__ == "__main__":
    main()
