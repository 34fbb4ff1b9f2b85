"""What the handlers are given: the rooms below, as the lifespan made them, under one typed name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request
from starlette.types import Scope

from cache.base import Cache
from cache.stale_cache import StaleCache
from ingest.account_audit import AccountAudit
from ingest.journal_ledgers import JournalLedgers
from ingest.supervisor import Supervisor
from journal.base import Journal
from kalshi.client import KalshiClient
from kalshi.markets import Markets
from kalshi.portfolio import Portfolio
from routes.access import Access
from routes.durations import Durations
from streams.hub import Hub
from streams.sse import EventStream


@dataclass(frozen=True, slots=True)
class Services:
    """One for each worker process, from the lifespan's start to its end."""

    version: str
    started: float  # Unix seconds
    portfolio: Portfolio
    markets: Markets
    journal: Journal
    hub: Hub
    watch: Supervisor
    ledgers: JournalLedgers
    audit: AccountAudit
    cache: Cache
    client: KalshiClient
    keeper: StaleCache
    durations: Durations
    streams: Mapping[str, EventStream]  # by name: trading, trades, portfolio, status
    access: Access
    warnings: tuple[str, ...] = ()  # what a deployer must know, such as a public address without access control


def services(request: Request) -> Services:
    """The services of the worker that serves this request."""
    return get_services(request.scope)


def get_services(scope: Scope) -> Services:
    """The same, from a raw scope."""
    return cast(Services, scope["state"]["services"])
