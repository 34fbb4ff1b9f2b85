"""The parts that handlers use, as the lifespan made them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from cache.stale_cache import StaleCache
from ingest.journal_ledgers import JournalLedgers
from ingest.reconciliation import AccountAudit
from ingest.supervisor import Supervisor
from journal.base import Journal
from kalshi.client import KalshiClient
from kalshi.markets import Markets
from kalshi.portfolio import Portfolio
from routes.access import Access
from routes.response_headers import Durations
from streams.hub import Hub
from streams.sse import EventStream


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one worker process, from the lifespan's start to its end."""

    version: str
    portfolio: Portfolio
    markets: Markets
    journal: Journal
    hub: Hub
    supervisor: Supervisor
    ledgers: JournalLedgers
    audit: AccountAudit
    cache: StaleCache
    client: KalshiClient
    durations: Durations
    streams: Mapping[str, EventStream]  # by name: trading, trades, portfolio, status
    access: Access
    warnings: tuple[str, ...] = ()  # what a deployer must change, such as a public address without access control
    started: float = field(default_factory=time.monotonic)  # monotonic seconds, so that no clock step shows

    def uptime(self) -> float:
        """Return the seconds since the start."""
        return round(time.monotonic() - self.started, 3)
