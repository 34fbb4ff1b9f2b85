"""python -m bot: read the settings, put the parts together, run until a signal."""

import asyncio
import logging
import secrets
import signal
import sys
import time
from functools import partial
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import web

from bot.account_check import AccountCheck
from bot.api import BotApi
from bot.controls import BotControls
from bot.engine import Engine, TradingPlan
from bot.errors import InvalidStateFile, TradingError
from bot.market_data import MarketData
from bot.risk import RiskLimits
from bot.runner import BotRunner
from bot.state_file import StateFile
from bot.strategies import strategies, strategy
from bot.trading_state import TradingState
from bot.venues.base import Venue
from bot.venues.fill_listener import listen
from bot.venues.live import LiveVenue
from bot.venues.paper import PaperVenue
from config.bot import BotSettings, read_bot_settings
from config.reader import SettingsError
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.environments import socket_url
from kalshi.errors import KeyUnusable
from kalshi.fill_socket import FillSocket
from kalshi.retrying_client import RetryingClient
from kalshi.transport import Transport

log = logging.getLogger("bot")

_PATIENCE = 5.0  # seconds that a read may take with its retries: the loop must go on turning
_CLOSING = 1.0  # seconds that requests in flight may take at the end


def main() -> int:
    """The command. Exit code 2 for settings and files that cannot work, and for what another bot uses."""
    try:
        settings = read_bot_settings(sys.argv[1:], strategies())
        logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        asyncio.run(run(settings))
    except asyncio.CancelledError:
        return 1
    except (SettingsError, TradingError, KeyUnusable) as error:
        print(f"bot: {error}", file=sys.stderr)
        return 2
    return 0


async def run(settings: BotSettings) -> None:
    """Trade and answer until SIGTERM or SIGINT."""
    signer = Signer.from_file(settings.api_key, settings.key_path) if settings.live else None
    async with aiohttp.ClientSession() as session:
        calls = RetryingClient(Transport(session, settings.api_url), signer, attempt=_PATIENCE / 2, total=_PATIENCE)
        client = KalshiClient(calls, settings.subaccount)
        with state_file(settings, client).held():  # before it is read
            runner, controls, live = assemble(settings, client)
            ears = None
            if live is not None and signer is not None:
                push = FillSocket(session, socket_url(settings.api_url), signer, settings.subaccount)
                ears = asyncio.create_task(listen(push, live))
            await trade(settings, runner, controls, ears)


async def trade(
    settings: BotSettings, runner: BotRunner, controls: BotControls, ears: asyncio.Task[None] | None
) -> None:
    """Answer, and live; then take down what was put up."""
    heed_signals(runner)
    web_runner = web.AppRunner(BotApi(controls, settings.token).app(), access_log=None, shutdown_timeout=_CLOSING)
    await web_runner.setup()
    try:
        await serve(web_runner, settings)
        await runner.run()
    finally:
        if ears is not None:
            ears.cancel()
            await asyncio.wait([ears])
        await web_runner.cleanup()


def heed_signals(runner: BotRunner) -> None:
    """The first signal ends the bot in order; the second does not wait for what cannot be cancelled."""
    loop, running = asyncio.get_running_loop(), asyncio.current_task()

    def ask() -> None:
        if not runner.stop() and running is not None:
            log.warning("asked twice: ending at once; the next start cancels what may still rest")
            running.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ask)


async def serve(web_runner: web.AppRunner, settings: BotSettings) -> None:
    """Open the port and say loudly what is traded, where, and within which limits."""
    site = web.TCPSite(web_runner, "127.0.0.1", settings.port)
    try:
        await site.start()
    except OSError as error:
        raise TradingError(
            f"127.0.0.1:{settings.port} cannot be opened ({error.strerror}); use another --port"
        ) from None
    host, port = web_runner.addresses[0][:2]
    loud = logging.WARNING if settings.mode == "live" else logging.INFO
    log.log(
        loud, "%s mode at http://%s:%s against %s: %s on %s, orders of at most %s contracts, %s dollars at risk in a "
        "market and %s in all, halting at %s lost in a day or %s below the best", settings.mode.upper(), host, port,
        settings.api_url, " and ".join(settings.strategy),
        ", ".join(settings.tickers) or f"the {settings.markets} most traded markets", settings.order_size,
        settings.market_exposure, settings.total_exposure, settings.daily_loss, settings.drawdown,
    )  # fmt: skip


def state_file(settings: BotSettings, client: KalshiClient) -> StateFile:
    """Where this bot remembers; each account and mode has its own."""
    return StateFile(Path(settings.state_file or f"bot-{owner_of(settings, client)}.json"))


def owner_of(settings: BotSettings, client: KalshiClient) -> str:
    """The account and mode that a file file belongs to."""
    return f"{settings.mode}-{client.account}" if settings.live else "paper"


def assemble(settings: BotSettings, client: KalshiClient) -> tuple[BotRunner, BotControls, LiveVenue | None]:
    """All the parts, wired. Raises InvalidStateFile when what was remembered cannot be believed."""
    boot_id = secrets.token_hex(4)
    limits = RiskLimits(
        settings.order_size, settings.market_exposure, settings.total_exposure, settings.daily_loss, settings.drawdown,
        settings.stale_after,
    )  # fmt: skip
    state = TradingState(boot_id, limits, exchange=settings.live)
    owner, file = owner_of(settings, client), state_file(settings, client)
    kept = file.load(owner)
    if kept is not None:
        state.load(kept)
    if settings.clear:
        forgotten = state.risk.clear(state.profit()["total"])
        log.warning("cleared at the start: %s", ", ".join(forgotten) or "nothing was halted")
    prices = MarketData(client, time.time)
    venue: Venue
    live = reconciler = alone = None
    if settings.live:
        venue = live = LiveVenue(client, state, state.account, settings.order_prefix, boot_id, time.time)
        reconciler = AccountCheck(client, state.account, live.fills)
        alone = None if settings.clear else partial(live.alone, state.boot_ids)
    else:
        venue = PaperVenue(state, boot_id, settings.order_prefix, time.time, prices.fee_rule)

    def save(durable: bool) -> None:
        try:
            file.save(owner, state.dump(), durable)
        except InvalidStateFile as error:  # who cannot remember losses must not make any, but goes on answering
            if state.risk.halt("fault", str(error), time.time()):
                log.error("halted: %s", error)

    plan = TradingPlan(
        [strategy(name) for name in settings.strategy], settings.tickers, settings.markets, settings.order_size,
        settings.max_position, settings.interval, weekly_pause=not settings.simulated,
    )  # fmt: skip
    engine = Engine(prices, venue, state, plan, save, time.time, Random(settings.seed))
    first = kept is None or settings.clear
    runner = BotRunner(state, venue, engine, reconciler, first, settings.interval, save, time.time, alone)
    return runner, BotControls(settings, state, venue, engine, runner, time.time), live


if __name__ == "__main__":
    sys.exit(main())
