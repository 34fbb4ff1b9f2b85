"""Puts the parts of the bot together and runs them until a signal."""

import asyncio
import logging
import secrets
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from random import Random

import aiohttp
from aiohttp import web

from bot.account_check import AccountCheck
from bot.api import BotApi
from bot.clock import BotClock
from bot.controls import BotControls
from bot.engine import Engine, TradingPlan
from bot.errors import InvalidStateFile, LimitsTooLarge, TradingError
from bot.halts import LossLimits
from bot.market_data import MarketData
from bot.risk import RiskLimits
from bot.runner import BotRunner, RunnerTimes
from bot.state_file import BotStorage
from bot.strategies import load_strategies
from bot.trading_state import TradingState
from bot.venues.base import Venue
from bot.venues.fill_collector import listen
from bot.venues.live import LiveOptions, LiveVenue
from bot.venues.paper import PaperVenue
from config.bot import BotSettings
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.environments import socket_url
from kalshi.fill_socket import FillSocket
from kalshi.transport import RetryingClient, Transport

log = logging.getLogger("bot")

READ_LIMIT = 5.0  # seconds that a read may take with its retries: the loop must go on turning
_SHUTDOWN_LIMIT = 1.0  # seconds that requests in flight may take at the end


@dataclass(frozen=True, slots=True)
class BotParts:
    """The assembled bot. live: None on paper."""

    runner: BotRunner
    controls: BotControls
    live: LiveVenue | None


async def run(settings: BotSettings) -> None:
    """Trade and answer until SIGTERM or SIGINT. Raises TradingError for what cannot work."""
    signer = Signer.from_file(settings.api_key, settings.key_path) if settings.live else None
    async with aiohttp.ClientSession() as session:
        client = make_client(session, settings, signer)
        storage = storage_of(settings, client)
        with storage.state.locked():  # before it is read
            parts = assemble(settings, client, storage)
            listening = None
            if parts.live is not None and signer is not None:
                socket = FillSocket(session, socket_url(settings.api_url), signer, settings.subaccount)
                listening = asyncio.create_task(listen(socket, parts.live.fills))
            await _run_parts(settings, parts, listening)


def make_client(session: aiohttp.ClientSession, settings: BotSettings, signer: Signer | None) -> KalshiClient:
    """Return a client of the exchange that gives up after READ_LIMIT seconds."""
    transport = Transport(session, settings.api_url)
    return KalshiClient(
        RetryingClient(transport, signer, attempt=READ_LIMIT / 2, total=READ_LIMIT), settings.subaccount
    )


def storage_of(settings: BotSettings, client: KalshiClient) -> BotStorage:
    """Return the files of this bot; each account and mode has its own."""
    owner = f"{settings.mode}-{client.account}" if settings.live else "paper"
    return BotStorage(Path(settings.state_file or f"bot-{owner}.json"), owner, settings.order_prefix)


def assemble(
    settings: BotSettings, client: KalshiClient, storage: BotStorage, clock: BotClock | None = None
) -> BotParts:
    """Return the parts, wired. Raises InvalidStateFile and InvalidBotSettings."""
    clock = clock or BotClock()
    state, first = _load_state(settings, storage, secrets.token_hex(4))
    market_data = MarketData(client, clock.monotonic, clock.wall)
    venue: Venue
    live = check = prepare = verify = None
    if settings.live:
        venue = live = _live_venue(settings, client, state, clock)
        check = AccountCheck(client, state.account, live.fills, state.take_account)
        prepare, verify = _prepare(live, settings), _verify(check, settings)
    else:
        venue = PaperVenue(state, state.trade_log.boot_id, settings.order_prefix, clock, market_data.fee_rule)

    def save(durable: bool) -> None:
        try:
            storage.save(state.dump(), state.halts.dump_halts(), durable)
        except InvalidStateFile as error:  # a bot that cannot store its losses must not make any
            if state.halts.halt("fault", str(error), clock.wall()):
                log.error("halted: %s", error)

    engine = Engine(
        market_data, venue, state, plan_of(settings), save, clock, Random(settings.seed),
        client.balance if settings.live else None,
    )  # fmt: skip
    runner = BotRunner(state, venue, engine, check, first, RunnerTimes(settings.interval), save, clock, prepare, verify)
    return BotParts(runner, BotControls(settings, state, venue, engine, runner, clock), live)


def plan_of(settings: BotSettings) -> TradingPlan:
    """Return the plan of the settings. Raises InvalidBotSettings for a strategy that cannot be loaded."""
    return TradingPlan(
        load_strategies(settings.strategy, settings.parameters), settings.tickers, settings.markets,
        settings.order_size, settings.max_position, settings.interval,
        weekly_pause=not settings.simulated, flatten=settings.flatten,
    )  # fmt: skip


def limits_of(settings: BotSettings) -> RiskLimits:
    """Return the risk limits of the settings."""
    return RiskLimits(
        settings.order_size, settings.market_exposure, settings.event_exposure, settings.total_exposure,
        settings.stale_after, settings.stop_before,
    )  # fmt: skip


def _load_state(settings: BotSettings, storage: BotStorage, boot_id: str) -> tuple[TradingState, bool]:
    """Return the stored state, and True if the account's present positions must become the opening ones."""
    losses = LossLimits(settings.daily_loss, settings.drawdown)
    state = TradingState(boot_id, limits_of(settings), losses, exchange=settings.live)
    stored, halts = storage.load()
    if stored is not None:
        state.load(stored)
    try:
        state.halts.load_halts(halts)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidStateFile(f"{storage.halts.path}: is damaged ({error}); find out why, then delete it") from error
    if settings.clear:
        cleared = state.halts.clear(state.profit()["total"])
        log.warning("halts cleared at the start: %s", ", ".join(cleared) or "there were none")
    elif state.halts.halted:
        names = ", ".join(f"{halt.name}: {halt.why}" for halt in state.halts.halts.values())
        log.warning("still halted (%s): nothing is traded until POST /clear or a start with --clear", names)
    return state, stored is None or settings.clear


def _live_venue(settings: BotSettings, client: KalshiClient, state: TradingState, clock: BotClock) -> LiveVenue:
    options = LiveOptions(
        settings.order_prefix, state.trade_log.boot_id, settings.order_lifetime, settings.group_limit,
        earlier_boot_ids=tuple(state.boot_ids),
    )  # fmt: skip
    return LiveVenue(client, state, state.account, options, clock, state.order_groups)


def _prepare(live: LiveVenue, settings: BotSettings) -> Callable[[], Awaitable[None]]:
    async def prepare() -> None:
        await live.ensure_alone(adopt=settings.clear)

    return prepare


def _verify(check: AccountCheck, settings: BotSettings) -> Callable[[], Awaitable[None]]:
    async def verify() -> None:
        cash, cost = await check.cash()
        check_affordable(settings, cash + cost)

    return verify


def check_affordable(settings: BotSettings, money: Decimal) -> None:
    """Raise LimitsTooLarge if an order or all positions could cost more than the account has in cash and positions."""
    mistakes = []
    free = max(money, Decimal(0))
    whole = free.to_integral_value(ROUND_FLOOR)
    if settings.order_size > free:
        mistakes.append(f"BOT_ORDER_SIZE: expected at most {whole} contracts, got {settings.order_size}")
    if settings.total_exposure > free:
        mistakes.append(f"BOT_TOTAL_EXPOSURE: expected at most {free:.2f} dollars, got {settings.total_exposure}")
    if mistakes:
        account = f"the account has {money:.2f} dollars in cash and positions, and a contract costs up to 1 dollar"
        raise LimitsTooLarge("\n".join([f"limits beyond the account's money ({account}):", *mistakes]))


async def _run_parts(settings: BotSettings, parts: BotParts, listening: asyncio.Task[None] | None) -> None:
    """Serve the API and run the bot; then close everything."""
    handle_signals(parts.runner)
    web_runner = web.AppRunner(
        BotApi(parts.controls, settings.token).app(), access_log=None, shutdown_timeout=_SHUTDOWN_LIMIT
    )
    await web_runner.setup()
    try:
        await serve(web_runner, settings)
        await parts.runner.run()
    finally:
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
        await web_runner.cleanup()


def handle_signals(runner: BotRunner) -> None:
    """End the bot in order at the first SIGTERM or SIGINT, and at once at the second."""
    loop, running = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if not runner.stop() and running is not None:
            log.warning("second signal: ending at once; orders that still rest expire, or the next start cancels them")
            running.cancel()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)


async def serve(web_runner: web.AppRunner, settings: BotSettings) -> None:
    """Open the port and log what is traded, where, and within which limits. Raises TradingError."""
    site = web.TCPSite(web_runner, "127.0.0.1", settings.port)
    try:
        await site.start()
    except OSError as error:
        raise TradingError(
            f"127.0.0.1:{settings.port} cannot be opened ({error.strerror}); use another --port"
        ) from None
    host, port = web_runner.addresses[0][:2]
    level = logging.WARNING if settings.mode == "live" else logging.INFO
    log.log(
        level, "%s mode at http://%s:%s against %s: %s on %s, orders of at most %s contracts, %s dollars at risk in a "
        "market, %s in an event and %s in all, halting at %s lost in a day or %s below the best",
        settings.mode.upper(), host, port, settings.api_url, " and ".join(settings.strategy),
        ", ".join(settings.tickers) or f"the {settings.markets} most traded markets", settings.order_size,
        settings.market_exposure, settings.event_exposure, settings.total_exposure, settings.daily_loss,
        settings.drawdown,
    )  # fmt: skip
