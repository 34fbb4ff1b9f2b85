"""Build the services of one process from its settings."""

import asyncio
import contextlib
import logging
import resource
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import aiohttp

from cache.base import Cache, RedisAddress
from cache.decimal_json import loads
from cache.memory import MemoryCache
from cache.stale_cache import StaleCache
from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever
from cluster.workers import RelaySettings
from config.settings import VERSION, ServerSettings
from ingest.bot_client import PollSettings
from ingest.journal_ledgers import JournalLedgers
from ingest.reconciliation import AccountAudit
from ingest.supervisor import Supervisor, Upstreams
from journal.base import Journal
from journal.dsn import open_journal
from journal.entries import Entry
from journal.entry_store import Query
from kalshi.auth import Signer
from kalshi.client import KalshiClient
from kalshi.environments import is_loopback, mode_of, socket_url
from kalshi.errors import BadRequest, KalshiError, NotConfigured, NotFound
from kalshi.fill_socket import FillSocket
from kalshi.markets import Markets
from kalshi.portfolio import Portfolio, Tiers
from routes.access import Access
from routes.application import Durations
from routes.client_limits import ClientRateLimit
from routes.context import Services
from routes.health import snapshot
from routes.login import RevokedTickets, Tickets
from routes.problems import SECURITY
from streams.hub import Hub
from streams.keepalive import KeepaliveSettings
from streams.sse import StreamLimits, event_streams

log = logging.getLogger(__name__)

MOVING: Final = ("trade", "correction", "settlement", "transfer")  # kinds of entries that change the account
RECENT: Final = 100  # entries looked at on start, for the last thing that happened to the account
DESCRIPTORS: Final = 1 << 20  # asked for where the hard limit is unlimited
RESERVED: Final = 200  # descriptors for the journal, Redis, the exchange and REST connections


async def open_services(settings: ServerSettings, durations: Durations, stack: contextlib.AsyncExitStack) -> Services:
    """Open all parts, each after those it needs; the stack closes them in reverse."""
    journal = open_journal(settings.journal_url)
    await journal.open()
    stack.push_async_callback(journal.close)
    session = await stack.enter_async_context(aiohttp.ClientSession(json_serialize=str))
    store = open_cache(settings)
    stack.push_async_callback(store.close)
    client = KalshiClient.over(session, settings.kalshi_api_url, signer(settings), settings.kalshi_subaccount)
    cache = StaleCache(store, "kalshi_api", (KalshiError,), (NotFound, BadRequest, NotConfigured))
    stack.push_async_callback(cache.close)
    client.calls.on_recovery.append(cache.end_waits)
    tiers = Tiers(settings.cache_ttl_medium, settings.cache_ttl_long, settings.marks_ttl)
    portfolio = Portfolio(client, cache, tiers)
    head = await journal.read_head()
    max_streams = streams_within(raise_descriptor_limit(), settings.max_streams)
    hub = Hub(head.epoch, head.seq, max_streams, check=head.check)
    touch(portfolio, await journal.history(Query(limit=RECENT, before=hub.position + 1)))
    ledgers = JournalLedgers(journal, ComponentHealth("ledger"))
    supervisor = await open_supervisor(settings, stack, session, client, journal, store, hub, portfolio, ledgers)
    keepalive = KeepaliveSettings(heartbeat=settings.heartbeat_interval, max_age=settings.max_stream_age)
    limits = StreamLimits(keepalive, settings.client_queue_size, headers=SECURITY)
    return Services(
        version=VERSION,
        portfolio=portfolio,
        markets=Markets(client, cache, settings.cache_ttl_short),
        journal=journal,
        hub=hub,
        supervisor=supervisor,
        ledgers=ledgers,
        audit=open_audit(stack, client, ledgers, supervisor),
        cache=cache,
        client=client,
        durations=durations,
        streams=event_streams(hub, journal, limits),
        access=await open_access(settings, stack, journal),
        warnings=tuple(warnings(settings)),
    )


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open file descriptors to the hard one and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY:
        return DESCRIPTORS
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def streams_within(limit: int, max_streams: int) -> int:
    """Return how many streams, each with one descriptor, fit into so many: at most max_streams and at least one."""
    fit = max(1, min(max_streams, limit - RESERVED))
    if fit < max_streams:
        log.warning(
            "MAX_STREAMS=%d needs more than the %d file descriptors that this process may open: at most %d streams; "
            "raise the hard limit (ulimit -Hn, LimitNOFILE=)", max_streams, limit, fit,
        )  # fmt: skip
    else:
        log.info("up to %d streams (MAX_STREAMS) with %d file descriptors", fit, limit)
    return fit


async def open_supervisor(
    settings: ServerSettings, stack: contextlib.AsyncExitStack, session: aiohttp.ClientSession, client: KalshiClient,
    journal: Journal, store: Cache, hub: Hub, portfolio: Portfolio, ledgers: JournalLedgers,
) -> Supervisor:  # fmt: skip
    """Poll the bot and, with keys, the exchange. Raises PrefixInUse if another journal uses the Redis prefix."""
    url, key = settings.kalshi_api_url, client.calls.signer
    traded, subaccount = ledgers.is_traded, settings.kalshi_subaccount
    push = FillSocket(session, socket_url(url), key, subaccount, is_traded=traded) if key else None
    polling = PollSettings(settings.bot_status_endpoint, settings.bot_trades_endpoint, settings.bot_poll_interval)
    redis = redis_address(settings)
    supervisor = Supervisor(
        Upstreams(session, polling, client if key else None, push, mode_of(url)),
        journal,
        hub,
        store,
        RelaySettings(redis, settings.redis_key_prefix, lambda: snapshot(hub, supervisor)) if redis else None,
        [lambda entries: touch(portfolio, entries), ledgers.offer],
        portfolio.touched,
        ledgers.wake,
    )
    client.calls.on_recovery.append(supervisor.request_backfill)
    await supervisor.start()
    stack.push_async_callback(supervisor.stop)
    return supervisor


def open_audit(
    stack: contextlib.AsyncExitStack, client: KalshiClient, ledgers: JournalLedgers, supervisor: Supervisor
) -> AccountAudit:
    """Start counting the journal's entries and comparing them with the account."""
    exchange = client if client.calls.signer else None
    audit = AccountAudit(ledgers, exchange, supervisor, ComponentHealth("reconciliation"))
    client.calls.on_recovery.append(audit.wake)
    works = [(ledgers.run, ledgers.health), (audit.run, audit.health)]
    tasks = [asyncio.create_task(run_forever(work, health)) for work, health in works]
    stack.push_async_callback(cancel_and_wait, *tasks)
    return audit


def touch(portfolio: Portfolio, entries: Sequence[Entry]) -> None:
    """Mark account data as stale that was read before these entries; paper trades do not touch the account."""
    real = [entry for entry in entries if entry.kind in MOVING and loads(entry.body)["mode"] != "paper"]
    if real:
        portfolio.touched(float(max(entry.timestamp for entry in real)))


def signer(settings: ServerSettings) -> Signer | None:
    """Return the trader's key; None unless both halves are set."""
    if settings.kalshi_api_key is None or settings.kalshi_rsa_key_path is None:
        return None
    return Signer.from_file(str(settings.kalshi_api_key), settings.kalshi_rsa_key_path)


def redis_address(settings: ServerSettings) -> RedisAddress | None:
    """Return the address of the shared Redis; None if it is not set."""
    if settings.redis_host is None:
        return None
    password = None if settings.redis_password is None else str(settings.redis_password)
    return RedisAddress(settings.redis_host, settings.redis_port, settings.redis_db, settings.redis_username, password)


def spring_redis_address(settings: ServerSettings) -> RedisAddress | None:
    """Return the address of the Redis that holds Spring's sessions; None if no Redis is set."""
    if (host := settings.spring_redis_host) is not None:
        settings = replace(settings, redis_host=host, redis_port=settings.spring_redis_port, redis_db=0)
    return redis_address(settings)


def open_cache(settings: ServerSettings) -> Cache:
    """Return a cache in Redis, which falls back to memory while it fails; else one in memory."""
    address = redis_address(settings)
    if address is None:
        return MemoryCache()
    from cache.redis import RedisCache, connect  # loads redis, which a service without one does not need

    return RedisCache(connect(address), settings.redis_key_prefix)


async def open_access(settings: ServerSettings, stack: contextlib.AsyncExitStack, journal: Journal) -> Access:
    """Return the rules of access."""
    sessions = None
    if settings.auth == "spring-session" and (address := spring_redis_address(settings)):
        from cache.redis import connect  # here for the same reason
        from routes.spring import SpringSessions

        redis = connect(address)
        stack.push_async_callback(redis.aclose)
        sessions = SpringSessions(redis, settings.spring_session_namespace)
    rates = ClientRateLimit(settings.rate_limit) if settings.rate_limit else None
    if settings.api_token is None:
        return Access(sessions=sessions, rates=rates)
    return Access(Tickets(str(settings.api_token)), sessions, rates, RevokedTickets(journal))


def warnings(settings: ServerSettings) -> Iterator[str]:
    """Return what a deployer must change, for the log and /health."""
    if not is_loopback(settings.host):
        if not settings.has_access_control and not settings.allow_public:
            yield (
                f"listening on {settings.host} without access control: every client that reaches the port can read the "
                "account; set API_TOKEN or AUTH, or ALLOW_PUBLIC=yes"
            )
        if not settings.allowed_hosts:
            yield f"listening on {settings.host} for any Host; set ALLOWED_HOSTS to the names of this service"
    key = settings.kalshi_rsa_key_path
    if key is not None and key.stat().st_mode & 0o077:
        yield f"the private key {key} can be read by other users; run chmod 600 on it"
