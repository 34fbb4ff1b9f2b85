"""`python server.py check`: print the settings in force and try everything that they name."""

import argparse
import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp
from redis.exceptions import RedisError

from cache.redis import connect
from config.parsers import without_password
from config.reader import masked, read
from config.settings import ServerSettings
from journal.dsn import open_journal
from journal.errors import JournalError, JournalMissing
from kalshi.client import KalshiClient
from kalshi.errors import KalshiError, printable
from kalshi.transport import connection_failure
from runtime.bootstrap import redis_address, signer, spring_redis_address, warnings

LIMIT = 10.0  # seconds for each check


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of one check. ok is None if there is nothing to check, or its failure does no harm."""

    name: str
    ok: bool | None
    words: str


def main(arguments: Sequence[str]) -> int:
    """Print the settings and try everything that they name; return 0 if all of it can be used, else 1."""
    argparse.ArgumentParser(prog="python server.py check", description=__doc__).parse_args(arguments)
    settings = read(ServerSettings)
    for name, value in masked(settings).items():
        print(f"{name:25} {value}")
    results = asyncio.run(check(settings))
    print()
    for result in results:
        print(f"{ {True: 'ok', False: 'wrong', None: '-'}[result.ok]:6} {result.name}: {result.words}")
    for warning in warnings(settings):
        print(f"warning {warning}")
    return 1 if any(result.ok is False for result in results) else 0


async def check(settings: ServerSettings) -> list[CheckResult]:
    """Try the journal, Redis, the logins, the exchange, the account and the bot once each."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT)) as session:
        login = settings.auth == "spring-session"
        return [
            await _tried("journal", lambda: _journal(settings)),
            await _tried("redis", lambda: _redis(settings)),
            *([await _tried("sessions", lambda: _sessions(settings))] if login else []),
            await _tried("exchange", lambda: _exchange(session, settings)),
            await _tried("account", lambda: _account(session, settings)),
            await _tried("bot", lambda: _bot(session, settings)),
        ]


async def _tried(name: str, attempt: Callable[[], Awaitable[tuple[bool | None, str]]]) -> CheckResult:
    try:
        async with asyncio.timeout(LIMIT):
            ok, words = await attempt()
    except aiohttp.ClientError as error:
        return CheckResult(name, False, connection_failure(error, with_place=False))
    except (KalshiError, JournalError, RedisError, OSError, TimeoutError) as error:
        return CheckResult(name, False, printable(str(error)) or f"no answer within {LIMIT:g} s")
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


async def _sessions(settings: ServerSettings) -> tuple[bool | None, str]:
    address = spring_redis_address(settings)
    if address is None:
        return False, "neither SPRING_REDIS_HOST nor REDIS_HOST is set; nobody can log in"
    client = connect(address, timeout=2.0)
    try:
        await client.exists(f"{settings.spring_session_namespace}:sessions:check")
        return True, f"{address} lets sessions under {settings.spring_session_namespace} be read"
    finally:
        await client.aclose()


async def _exchange(session: aiohttp.ClientSession, settings: ServerSettings) -> tuple[bool | None, str]:
    status = await KalshiClient.over(session, settings.kalshi_api_url).status()
    return (
        True,
        f"trading {'active' if status.trading_active else 'paused'} at {without_password(settings.kalshi_api_url)}",
    )


async def _account(session: aiohttp.ClientSession, settings: ServerSettings) -> tuple[bool | None, str]:
    key = signer(settings)
    if key is None:
        return None, "KALSHI_API_KEY and KALSHI_RSA_KEY_PATH are not set; portfolio URLs answer 503"
    client = KalshiClient.over(session, settings.kalshi_api_url, key, settings.kalshi_subaccount)
    balance = await client.balance()
    return True, f"{key.kind} key accepted, balance {balance.balance} dollars"


async def _bot(session: aiohttp.ClientSession, settings: ServerSettings) -> tuple[bool | None, str]:
    url = settings.bot_status_endpoint
    shown = without_password(url)
    try:
        async with session.get(url, allow_redirects=False) as answer:
            return answer.status in (200, 404), f"HTTP {answer.status} from {shown}"
    except aiohttp.ClientError as error:
        return False, f"{shown}: {connection_failure(error, with_place=False)}"
