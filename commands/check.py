"""`python server.py check`: the settings in force, and whether each neighbour that is configured can be used."""

import argparse
import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
from redis.exceptions import RedisError

from cache.redis import connect
from config.reader import masked, read
from config.settings import ServerSettings
from journal.dsn import open_journal
from journal.errors import JournalError, JournalMissing
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError
from runtime.bootstrap import redis_address, signer, warnings

LIMIT = 10.0  # seconds for each neighbour


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of one neighbour. ok is None when it is not configured, or may be away without harm."""

    name: str
    ok: bool | None
    words: str


def main(arguments: Sequence[str]) -> int:
    """0 when everything that is configured can be used, else 1."""
    argparse.ArgumentParser(prog="python server.py check", description=__doc__).parse_args(arguments)
    settings = read(ServerSettings)
    for name, value in masked(settings).items():
        print(f"{name:22} {value}")
    attempts = asyncio.run(check(settings))
    print()
    for attempt in attempts:
        print(f"{ {True: 'ok', False: 'wrong', None: '-'}[attempt.ok]:6} {attempt.name}: {attempt.words}")
    for warning in warnings(settings):
        print(f"warning {warning}")
    return 1 if any(attempt.ok is False for attempt in attempts) else 0


async def check(settings: ServerSettings) -> list[CheckResult]:
    """Try each neighbour once."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT)) as session:
        return [
            await _tried("journal", lambda: _journal(settings)),
            await _tried("redis", lambda: _redis(settings)),
            await _tried("exchange", lambda: _exchange(session, settings)),
            await _tried("account", lambda: _account(session, settings)),
            await _tried("bot", lambda: _bot(session, settings)),
        ]


async def _tried(name: str, attempt: Callable[[], Awaitable[tuple[bool | None, str]]]) -> CheckResult:
    try:
        async with asyncio.timeout(LIMIT):
            ok, words = await attempt()
    except (KalshiError, JournalError, RedisError, aiohttp.ClientError, OSError, TimeoutError) as error:
        return CheckResult(name, False, str(error) or f"no answer within {LIMIT:g} s")
    return CheckResult(name, ok, words)


async def _journal(settings: ServerSettings) -> tuple[bool | None, str]:
    journal = open_journal(settings.journal_url, create=False)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(journal.close)
        try:
            await journal.open()
        except JournalMissing:
            return True, "none yet; serving makes it"
        return True, f"epoch {journal.epoch}, head {await journal.head()}"


async def _redis(settings: ServerSettings) -> tuple[bool | None, str]:
    address = redis_address(settings)
    if address is None:
        return None, "REDIS_HOST is not set; the cache is in memory"
    client = connect(address, timeout=2.0)
    key = f"{settings.redis_key_prefix}check"
    try:
        await client.set(key, "1", px=1000)
        return True, f"{address} takes keys under {settings.redis_key_prefix}"
    finally:
        await client.aclose()


async def _exchange(session: aiohttp.ClientSession, settings: ServerSettings) -> tuple[bool | None, str]:
    status = await KalshiClient.over(session, settings.kalshi_api_url).status()
    return True, f"trading {'active' if status.trading_active else 'paused'} at {settings.kalshi_api_url}"


async def _account(session: aiohttp.ClientSession, settings: ServerSettings) -> tuple[bool | None, str]:
    key = signer(settings)
    if key is None:
        return None, "KALSHI_API_KEY and KALSHI_RSA_KEY_PATH are not set; portfolio URLs answer 503"
    client = KalshiClient.over(session, settings.kalshi_api_url, key, settings.kalshi_subaccount)
    balance = await client.balance()
    return True, f"{key.kind} key accepted, balance {balance.balance} dollars"


async def _bot(session: aiohttp.ClientSession, settings: ServerSettings) -> tuple[bool | None, str]:
    async with session.get(settings.bot_status_endpoint, allow_redirects=False) as answer:
        return answer.status in (200, 404), f"HTTP {answer.status} from {settings.bot_status_endpoint}"
