"""Build the services of one process from its settings."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import aiohttp

from cache.base import Cache, MemoryCache, RedisAddress
from cache.decimal_json import loads
from cache.stale_cache import StaleCache
from cluster.component_health import ComponentHealth, cancel_and_wait, run_forever
from cluster.workers import RelaySettings
from config.settings import VERSION, ServerSettings
from ingest.journal_ledgers import JournalLedgers
from ingest.poller import PollSettings
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
from runtime.descriptors import raise_descriptor_limit, streams_within
from streams.hub import Hub
from streams.keepalive import KeepaliveSettings
from streams.sse import StreamLimits, event_streams

log = logging.getLogger(__name__)

MOVING = ("trade", "correction", "settlement", "transfer")  # kinds of entries after which the account is another
RECENT = 100  # entries looked at on start, for the last thing that happened to the account


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
    hub = Hub(head.epoch, head.seq, streams_that_fit(settings), check=head.check)
    touch(portfolio, await journal.history(Query(limit=RECENT, before=hub.position + 1)))
    ledgers = JournalLedgers(journal, ComponentHealth("ledger"))
    supervisor = await open_supervisor(settings, stack, session, client, journal, store, hub, portfolio, ledgers)
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
        streams=event_streams(hub, journal, limits(settings)),
        access=await open_access(settings, stack, journal),
        warnings=tuple(warnings(settings)),
    )


def streams_that_fit(settings: ServerSettings) -> int:
    """Return the number of streams that may open: MAX_STREAMS, or fewer where the process has too few descriptors."""
    limit = raise_descriptor_limit()
    fit = streams_within(limit, settings.max_streams)
    if fit < settings.max_streams:
        log.warning(
            "MAX_STREAMS=%d needs more than the %d file descriptors that this process may open: at most %d streams; "
            "raise the hard limit (ulimit -Hn, LimitNOFILE=)", settings.max_streams, limit, fit,
        )  # fmt: skip
    else:
        log.info("up to %d streams (MAX_STREAMS) with %d file descriptors", fit, limit)
    return fit


async def open_supervisor(
    settings: ServerSettings,
    stack: contextlib.AsyncExitStack,
    session: aiohttp.ClientSession,
    client: KalshiClient,
    journal: Journal,
    store: Cache,
    hub: Hub,
    portfolio: Portfolio,
    ledgers: JournalLedgers,
) -> Supervisor:
    """Poll the bot and, with keys, the exchange. Raises PrefixInUse if another journal uses the Redis prefix."""
    key = client.calls.signer
    push = None
    if key:
        push = FillSocket(
            session, socket_url(settings.kalshi_api_url), key, settings.kalshi_subaccount, is_traded=ledgers.is_traded
        )
    polling = PollSettings(settings.bot_status_endpoint, settings.bot_trades_endpoint, settings.bot_poll_interval)
    redis = redis_address(settings)
    supervisor = Supervisor(
        Upstreams(session, polling, client if key else None, push, mode_of(settings.kalshi_api_url)),
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
    stack: contextlib.AsyncExitStack,
    client: KalshiClient,
    ledgers: JournalLedgers,
    supervisor: Supervisor,
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


def limits(settings: ServerSettings) -> StreamLimits:
    """Return intervals and bounds of the streams."""
    keepalive = KeepaliveSettings(heartbeat=settings.heartbeat_interval, max_age=settings.max_stream_age)
    return StreamLimits(keepalive, settings.client_queue_size, headers=SECURITY)


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
    host, port = settings.spring_redis_host, settings.spring_redis_port
    if host is None:
        return redis_address(settings)
    return redis_address(replace(settings, redis_host=host, redis_port=port, redis_db=0))


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
