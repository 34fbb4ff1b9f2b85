"""Command line: python -m simulator. The first line on stdout is JSON with the URLs, the keys and the token."""

import asyncio
import json
import logging
import secrets
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aiohttp import web

from config.reader import SettingsError
from config.simulator import SimulatorSettings, read_simulator_settings
from simulator.admin.admin_api import AdminApi, admin_app
from simulator.api.authentication import Authenticator
from simulator.api.http_server import HttpServer
from simulator.api.keys import KEY_FILES, load_or_create
from simulator.api.rest_api import RestApi
from simulator.api.websocket_server import WebSocketServer
from simulator.books_file import BooksFile
from simulator.simulated_exchange import ExchangeOptions, SimulatedExchange

HOST = "127.0.0.1"
ACT_EVERY = 0.1
"""Seconds between two runs of what is due."""


async def serve(options: SimulatorSettings) -> None:
    """Run until SIGINT or SIGTERM."""
    authenticator = Authenticator(load_or_create(options.keys), time.time)
    settings = ExchangeOptions(
        options.seed, options.speed, options.tier, options.cash, options.quiet_markets, options.read_lag,
        options.crowd, shard_cash=options.shard_cash, fixed_ids=options.books is not None,
    )  # fmt: skip
    books = None if options.books is None else BooksFile(options.books, settings)
    exchange = SimulatedExchange(settings, time.time if books is None else books.clock)
    sockets, token = WebSocketServer(exchange), secrets.token_urlsafe(16)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if books is None:
        rest, admin = RestApi(exchange, authenticator), AdminApi(exchange, authenticator, sockets.cut)
    else:
        rest = RestApi(exchange, authenticator, books.record_rest)
        admin = AdminApi(exchange, authenticator, sockets.cut, books.record_admin)
        books.replay(exchange, rest, admin)
    runners = [_runner(HttpServer(rest, sockets).app()), _runner(admin_app(admin, token))]
    try:
        ports = [await _listen(r, p) for r, p in zip(runners, (options.port, options.faults_port), strict=True)]
        print(json.dumps(_first_line(options.keys, ports, token)), flush=True)
        await _run(exchange.act if books is None else partial(books.step, exchange), sockets, stopped)
    finally:
        if books is not None:
            books.close()
        sockets.cut()
        for runner in runners:
            await runner.cleanup()


async def _run(act: Callable[[], None], sockets: WebSocketServer, stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        act()
        sockets.flush()
        try:
            async with asyncio.timeout(ACT_EVERY):
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
        "keys": [{"id": key_id, "path": str((folder / name).resolve())} for key_id, name in KEY_FILES.items()],
        "faults": {"url": f"http://{HOST}:{ports[1]}", "token": token},
    }


def main() -> None:
    """Run the command line."""
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
