"""python -m bot watch: a separate process that cancels the bot's orders when the bot has died or is stuck."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp

from bot.application import make_client
from bot.cancel import CancelReceipt, cancel_orders, require_keys
from bot.errors import InvalidBotSettings
from bot.strategies import strategies
from bot.venues.order_client import OrderClient
from cache.decimal_json import loads
from config.bot import BotSettings, read_bot_settings
from kalshi.auth import Signer
from kalshi.errors import KalshiError

log = logging.getLogger("bot.watch")

_EVERY = 2.0  # seconds between two reads of the bot's status
_ANSWER_LIMIT = 2.0  # seconds for one read


class BotWatch:
    """Decides when the bot is away: no status, or a loop that has not turned, for `after` seconds.

    read_status: returns the bot's status, None without an answer. cancel: cancels and proves it.
    """

    def __init__(
        self, read_status: Callable[[], Awaitable[dict[str, object] | None]],
        cancel: Callable[[], Awaitable[CancelReceipt]], after: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._read_status = read_status
        self._cancel = cancel
        self._after = after
        self._monotonic = monotonic
        # all mutable state: monotonic times of the bot's last sign and of the last proven cancel, and if it is away
        self._seen = monotonic()
        self._cancelled: float | None = None
        self.away = False

    async def step(self) -> CancelReceipt | None:
        """Read the status once. While the bot is away, cancel and return the receipt."""
        status, now = await self._read_status(), self._monotonic()
        stuck = _loop_age(status)
        if status is not None and stuck <= self._after:
            if self.away:
                log.warning("the bot answers again; its orders are its own again")
            self._seen, self.away, self._cancelled = now, False, None
            return None
        if status is None and now - self._seen < self._after:
            return None
        if not self.away:
            why = f"its loop has not turned for {stuck:.0f} s" if status is not None else "it does not answer"
            log.warning("the bot is away (%s): cancelling its orders", why)
        self.away = True
        if self._cancelled is not None and now - self._cancelled < self._after:
            return None
        receipt = await self._cancel()
        if receipt.proven:  # a stuck bot may send again, so this is repeated
            self._cancelled = self._monotonic()
        return receipt


async def watch(settings: BotSettings, signer: Signer) -> None:
    """Watch until SIGTERM or SIGINT. Prints the first receipt, then those with a cancel or without a proof."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with aiohttp.ClientSession() as session:
        watching = BotWatch(
            lambda: _status(session, settings.status_url),
            lambda: cancel_orders(settings, signer, settings.order_prefix), settings.watch_after,
        )  # fmt: skip
        log.info(
            "watching %s: without a sign of it for %.0f s the orders of prefix %s are cancelled", settings.status_url,
            settings.watch_after, settings.order_prefix,
        )  # fmt: skip
        await _check_key(session, settings, signer)
        printed = False
        while not stopped.is_set():
            receipt = await watching.step()
            printed = printed and watching.away
            if receipt is not None and not (printed and receipt.proven and not receipt.cancelled):
                print(receipt.as_text(), flush=True)
                printed = True
            try:
                async with asyncio.timeout(_EVERY):
                    await stopped.wait()
            except TimeoutError:
                continue


def main(arguments: Sequence[str]) -> int:
    """Run the command. Raises SettingsError, TradingError and KeyUnusable."""
    settings = read_bot_settings(arguments, strategies())
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    own = {"BOT_WATCH_API_KEY": settings.watch_key, "BOT_WATCH_RSA_KEY_PATH": settings.watch_key_path}
    if any(own.values()) and not all(own.values()):
        missing, given = sorted(own, key=lambda name: bool(own[name]))
        raise InvalidBotSettings(f"{missing}: expected a value, because {given} is set and a key is both")
    key, path = settings.watch_key or settings.api_key, settings.watch_key_path or settings.key_path
    require_keys(key, path)
    asyncio.run(watch(settings, Signer.from_file(key, path)))
    return 0


async def _check_key(session: aiohttp.ClientSession, settings: BotSettings, signer: Signer) -> None:
    """Read the resting orders once and log a warning if the key cannot: a cancel would fail later."""
    try:
        await OrderClient(make_client(session, settings, signer)).resting()
    except KalshiError as error:
        log.warning("orders cannot be read with this key now (%s); a cancel would be unproven", error)


async def _status(session: aiohttp.ClientSession, url: str) -> dict[str, object] | None:
    """Return the bot's status; None without an answer of 200 with a JSON object."""
    try:
        async with asyncio.timeout(_ANSWER_LIMIT), session.get(url, allow_redirects=False) as response:
            body = loads(await response.read()) if response.status == 200 else None
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _loop_age(status: dict[str, object] | None) -> float:
    """Return the seconds since the bot's last turn; 0 where the status has none."""
    try:
        return float(str((status or {}).get("loop_age", 0)))
    except ValueError:
        return 0.0
